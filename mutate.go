package kivis

import (
	"context"
	"errors"
	"reflect"

	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
)

// keySlot is a Go variable for a primary key: a K without its type.
type keySlot struct {
	typ reflect.Type
	p   reflectx.Pointer
}

// slot returns the keySlot of key.
func slot[K any](key *K) keySlot { return keySlot{reflect.TypeFor[K](), reflectx.To(key)} }

// encode appends the key's tuple.
func (k keySlot) encode(dst []byte, tb *schema.Table) ([]byte, error) {
	plan, err := tb.KeyPlan(k.typ)
	if err != nil {
		return dst, err
	}
	return plan.Append(dst, k.p)
}

// decode sets the variable to the key of the tuple.
func (k keySlot) decode(tb *schema.Table, tuple []byte) error {
	plan, err := tb.KeyPlan(k.typ)
	if err != nil {
		return err
	}
	_, err = plan.Decode(tuple, k.p)
	return err
}

// mutation is one public call that writes.
type mutation struct {
	conn Conn
	op   string
	typ  reflect.Type // of the record
	work worker
	db   *DB
}

// worker is what a mutation does.
type worker interface {
	// do does it in t, as a whole. It may run again after a conflict. It
	// returns the key that it is about, if there is one, which need be valid
	// only until t is used again.
	do(t *txn, tb *schema.Table) (tuple []byte, err error)
	// undo takes back what do changed in the caller's memory.
	undo()
	// report tells the tracer more than that one record was changed.
	report(*Result)
}

// workFunc is a worker that has nothing to undo or to report.
type workFunc func(t *txn, tb *schema.Table) (tuple []byte, err error)

func (f workFunc) do(t *txn, tb *schema.Table) ([]byte, error) { return f(t, tb) }
func (f workFunc) undo()                                       {}
func (f workFunc) report(*Result)                              {}

// run performs the call: in a transaction of its own on a DB, else as a step
// of the transaction that the Conn stands for.
func (m *mutation) run(ctx context.Context) error {
	t, db, err := join(ctx, m.conn, true)
	if err != nil {
		return failed(m.op, m.typ, err)
	}
	m.db = db
	name := ""
	if tb := db.set.Load().ByType(m.typ); tb != nil {
		name = tb.Name
	}
	c := db.startCall(ctx, m.op, name)
	defer c.abandoned()
	attempts := 1
	if t == nil {
		attempts, err = db.retry(c.ctx, m)
		err = wrapConflict(m.op, err)
	} else {
		err = m.within(t)
		if err == nil {
			err = m.conn.settle(ctx)
		}
	}
	r := Result{Attempts: attempts}
	if err == nil {
		r.Rows = 1
	} else {
		m.work.undo()
	}
	m.work.report(&r)
	c.end(r, err)
	return err
}

// attempt does the work in a transaction of its own.
func (m *mutation) attempt(ctx context.Context) error {
	t, err := m.db.begin(context.Background(), true)
	if err != nil {
		return failed(m.op, m.typ, err)
	}
	defer t.release()
	tb, err := t.tableOf(m.typ)
	if err != nil {
		return failed(m.op, m.typ, err)
	}
	tuple, err := m.work.do(t, tb)
	lost := false
	if err == nil {
		if err = ctx.Err(); err == nil {
			err = t.commit(ctx)
			lost = errors.Is(err, ErrConflict)
		}
	}
	if err == nil {
		return nil
	}
	m.work.undo()
	if err = wrap(m.op, tb, tuple, err); lost {
		return commitConflict{err}
	}
	return err
}

// within does the work as a step of t.
func (m *mutation) within(t *txn) error {
	tb, err := t.tableOf(m.typ)
	if err != nil {
		return failed(m.op, m.typ, err)
	}
	return t.step(func() error {
		tuple, err := m.work.do(t, tb)
		return wrap(m.op, tb, tuple, err)
	})
}
