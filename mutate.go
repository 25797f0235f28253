package kivis

import (
	"context"
	"reflect"

	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
)

// keySlot is a Go variable for a primary key: a K without its type.
type keySlot struct {
	typ   reflect.Type
	p     reflectx.Pointer
	named *Key // in place of both, where records go by name
}

// slot returns the keySlot of key.
func slot[K any](key *K) keySlot { return keySlot{typ: reflect.TypeFor[K](), p: reflectx.To(key)} }

// check returns an error if the variable is not of the type of keys of tb.
func (k keySlot) check(tb *schema.Table) error {
	if k.named != nil {
		return nil
	}
	_, err := tb.KeyPlan(k.typ)
	return err
}

// encode appends the key's tuple.
func (k keySlot) encode(dst []byte, tb *schema.Table) ([]byte, error) {
	if k.named != nil {
		return k.named.appendTuple(dst, tb)
	}
	plan, err := tb.KeyPlan(k.typ)
	if err != nil {
		return dst, err
	}
	return plan.Append(dst, k.p)
}

// decode sets the variable to the key of the tuple.
func (k keySlot) decode(tb *schema.Table, tuple []byte) error {
	if k.named != nil {
		*k.named = keyFrom(tb, tuple)
		return nil
	}
	plan, err := tb.KeyPlan(k.typ)
	if err != nil {
		return err
	}
	_, err = plan.Decode(tuple, k.p)
	return err
}

// mutation is one public call that writes.
type mutation struct {
	conn  Conn
	op    string
	ref   tableRef
	work  worker
	table *schema.Table // as of the last attempt
	tuple []byte        // the key that the last attempt was about; in the call's own memory
}

// worker is what a mutation does.
type worker interface {
	// do does it in t, as a whole, and sets the mutation's tuple where there is
	// one key that it is about. It may run again after a conflict.
	do(t *tables.Tx, tb *schema.Table) error
	// repeats reports whether the call is made again after a conflict of a Bulk's
	// chunk, as it depends on what it reads; else what it wrote is written again.
	repeats() bool
	// report tells the tracer more than that one record was changed.
	report(*Outcome)
}

// run performs the call: in a transaction of its own on a DB, else as a step
// of the transaction that the Conn stands for.
func (m *mutation) run(ctx context.Context) error {
	t, db, err := join(ctx, m.conn, true)
	if err != nil {
		return failed(m.op, m.ref, err)
	}
	name := ""
	if tb := m.ref.find(db.core.Schema()); tb != nil {
		name = tb.Name
	}
	c := db.startCall(ctx, m.op, name)
	defer c.abandoned()
	attempts := 1
	if t == nil {
		attempts, err = db.core.Write(c.ctx, m)
		err = m.named(db.outOfAttempts(attempts, err))
	} else {
		before := len(t.Log())
		err = m.within(t)
		if err == nil {
			err = m.conn.settle(ctx, m, t.Log()[before:])
		}
	}
	r := Outcome{Attempts: attempts}
	if err == nil {
		r.Rows = 1
	}
	m.work.report(&r)
	c.end(r, err)
	return err
}

// Run does the work in a transaction of its own.
func (m *mutation) Run(_ context.Context, t *tables.Tx) (err error) {
	m.tuple = nil
	if m.table, err = tableOf(t, m.ref); err != nil {
		return err
	}
	return m.work.do(t, m.table)
}

// within does the work as a step of t.
func (m *mutation) within(t *tables.Tx) error {
	return m.named(t.Step(func() error { return m.Run(context.Background(), t) }))
}

// named names the call, the table and the key in err.
func (m *mutation) named(err error) error {
	switch {
	case err == nil:
		return nil
	case m.table == nil:
		return failed(m.op, m.ref, err)
	}
	return wrap(m.op, m.table, m.tuple, err)
}
