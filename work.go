package kivis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kivisdb/kivis/schema"
)

// putting is Insert, Put and Replace without their types.
type putting struct {
	mutation
	rec  record
	mode mode
	key  keySlot
}

func (p *putting) run(ctx context.Context, conn Conn, op string, typ reflect.Type) error {
	p.mutation = mutation{conn: conn, op: op, typ: typ, work: p}
	return p.mutation.run(ctx)
}

func (p *putting) do(t *txn, tb *schema.Table) ([]byte, error) {
	if _, err := tb.KeyPlan(p.key.typ); err != nil {
		return nil, err
	}
	tuple, err := t.put(tb, &p.rec, p.mode)
	if len(tuple) > 0 && (err == nil || tb.Key.Kind == schema.KeyContent) {
		err = errors.Join(err, p.key.decode(tb, tuple))
	}
	return tuple, err
}

func (p *putting) undo() { p.rec.undo() }

func (p *putting) report(*Result) {}

// modified is the typed part of a Modify.
type modified[R, K any] struct {
	key   K
	fn    func(*R) error
	rec   *R // of the last attempt; each has a record of its own
	first R
}

func (m *modified[R, K]) next() record {
	if m.rec == nil {
		m.rec = &m.first
	} else {
		m.rec = new(R)
	}
	return recordOf(m.rec)
}

func (m *modified[R, K]) change() error { return m.fn(m.rec) }

// modification is a Modify without its types.
type modification struct {
	mutation
	key keySlot
	rec record
	on  interface {
		next() record  // a new record to decode into
		change() error // changes it
	}
}

func (m *modification) run(ctx context.Context, conn Conn, typ reflect.Type) error {
	m.mutation = mutation{conn: conn, op: "modify", typ: typ, work: m}
	return m.mutation.run(ctx)
}

func (m *modification) do(t *txn, tb *schema.Table) ([]byte, error) {
	tuple, err := m.key.encode(nil, tb)
	if err != nil {
		return nil, err
	}
	value, err := t.read(tb, tuple)
	if err != nil {
		return tuple, err
	}
	m.rec = m.on.next()
	return tuple, t.modify(tb, tuple, value, &m.rec, m.on.change)
}

func (m *modification) undo() {}

func (m *modification) report(*Result) {}

// modify decodes a stored value into rec, has fn change that, and writes it.
// The tuple must be the caller's own memory.
func (t *txn) modify(tb *schema.Table, tuple, value []byte, rec *record, fn func() error) error {
	if !t.write {
		return ErrReadOnly
	}
	if err := t.decode(tb, tuple, value, rec.p); err != nil {
		return err
	}
	writes := t.writes
	if err := fn(); err != nil {
		return err
	}
	w := write{tb: tb, mode: replace, old: value, known: t.writes == writes, changes: true}
	if err := t.prepare(&w, rec); err != nil {
		return err
	}
	if !bytes.Equal(w.tuple, tuple) {
		return fmt.Errorf("%w: to %s", ErrKeyChanged, refTo(tb, w.tuple))
	}
	return t.apply(&w)
}

func insertMany(ctx context.Context, conn Conn, typ reflect.Type, recs []record, key func(int) keySlot) error {
	call := insertingMany{recs: recs, key: key}
	call.mutation = mutation{conn: conn, op: "insert", typ: typ, work: &call}
	return call.run(ctx)
}

// insertingMany is InsertMany without its types.
type insertingMany struct {
	mutation
	recs []record
	key  func(int) keySlot
}

func (m *insertingMany) do(t *txn, tb *schema.Table) ([]byte, error) {
	for i := range m.recs {
		tuple, err := t.put(tb, &m.recs[i], insert)
		if err == nil {
			err = m.key(i).decode(tb, tuple)
		}
		if err != nil {
			return slices.Clone(tuple), fmt.Errorf("record %d of %d: %w", i+1, len(m.recs), err)
		}
	}
	return nil, nil
}

func (m *insertingMany) undo() {
	for i := range m.recs {
		m.recs[i].undo()
	}
}

func (m *insertingMany) report(r *Result) { r.Rows *= len(m.recs) }
