package kivis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kivisdb/kivis/internal/record"
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

// chunk is what one transaction of a Bulk has done, to be done again where its
// commit conflicts.
//
// Invariant: whatever the chunk has read is either read again, by a call that is
// made again, or compared with what is there by then. So a chunk that commits is
// one that could have run by itself at that moment.
type chunk struct {
	steps   []repeatable
	reads   []observation
	scanned bool // it has read what cannot be compared
}

// repeatable is one step of a chunk.
type repeatable interface {
	again(t *tables.Tx) error
}

// observation is a record as a chunk has read it.
type observation struct {
	table uint32
	tuple []byte
	value []byte // as stored; nil where there was none
}

// maxReads bounds how many records a chunk remembers having read.
const maxReads = 10_000

func (c *chunk) add(s repeatable) { c.steps = append(c.steps, s) }

// write adds writes that are made again as they were.
func (c *chunk) write(wrote []tables.Write) {
	if n := len(c.steps); n > 0 {
		if last, ok := c.steps[n-1].(*repeatedWrites); ok {
			last.calls = append(last.calls, wrote)
			return
		}
	}
	c.add(&repeatedWrites{calls: [][]tables.Write{wrote}})
}

// read adds a read of one record, after the writes so far. What the chunk has
// put there or deleted itself it need not compare, and what it has made from
// something else it cannot.
func (c *chunk) read(writes []tables.Write, tb *schema.Table, tuple, value []byte) {
	switch {
	case c.scanned || c.wrote(tb, tuple):
	case slices.ContainsFunc(writes, func(w tables.Write) bool { return w.Of(tb, tuple) }), len(c.reads) == maxReads:
		c.scanned = true
	default:
		c.reads = append(c.reads, observation{tb.ID, bytes.Clone(tuple), value})
	}
}

// wrote reports whether the last write to the record is made again as it was.
func (c *chunk) wrote(tb *schema.Table, tuple []byte) bool {
	for _, s := range slices.Backward(c.steps) {
		w, ok := s.(*repeatedWrites)
		if !ok {
			return false // it may have written there
		}
		for _, call := range w.calls {
			if slices.ContainsFunc(call, func(w tables.Write) bool { return w.Of(tb, tuple) }) {
				return true
			}
		}
	}
	return false
}

// again does the chunk's work in t, a new transaction.
func (c *chunk) again(t *tables.Tx) error {
	if c.scanned {
		return fmt.Errorf("%w: the chunk has read by a query, or what it has changed itself, and others have changed what it builds upon; put what reads and writes into Bulk.Update, which runs again", ErrConflict)
	}
	for i := range c.reads {
		if err := c.reads[i].compare(t); err != nil {
			return err
		}
	}
	for _, s := range c.steps {
		if err := s.again(t); err != nil {
			return err
		}
	}
	return nil
}

// compare fails where the record is not as it was.
func (o *observation) compare(t *tables.Tx) error {
	tb := t.Schema().ByID(o.table)
	value, err := t.Get(tb, o.tuple)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if bytes.Equal(value, o.value) && (value == nil) == (o.value == nil) {
		return nil
	}
	return fmt.Errorf("%w: record %s of %s, which the chunk has read, was changed by others; put what reads and writes into Bulk.Update, which runs again",
		ErrConflict, record.RefTo(tb, o.tuple), tb.Name)
}

// repeatedWrites are calls whose writes are made again as they were.
type repeatedWrites struct{ calls [][]tables.Write }

func (w *repeatedWrites) again(t *tables.Tx) error {
	for _, call := range w.calls {
		if err := t.Replay(call); err != nil {
			return err
		}
	}
	return nil
}

// repeatedCall is a call that is made again.
type repeatedCall struct{ m *mutation }

func (c repeatedCall) again(t *tables.Tx) error { return c.m.within(t) }
