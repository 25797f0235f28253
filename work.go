package kivis

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
)

// incoming is a record on its way in, which gets its key when it is there.
type incoming interface {
	tables.Source
	// setKey sets the part of the key that was generated, which begins at drawn
	// in the tuple, if that is not negative.
	setKey(tb *schema.Table, tuple []byte, drawn int) error
}

// putting is Insert, Put and Replace without their types.
type putting struct {
	mutation
	rec   incoming
	typed source // what rec points to, where there are types
	mode  tables.Mode
	key   keySlot
	drawn int      // where in the key tuple the part begins that was generated; -1 if none was
	space [48]byte // of the tuple, where that is short
}

func (p *putting) run(ctx context.Context, conn Conn, op string, ref tableRef) error {
	p.mutation = mutation{conn: conn, op: op, ref: ref, work: p}
	err := p.mutation.run(ctx)
	if p.table == nil || len(p.tuple) == 0 {
		return err
	}
	if err == nil {
		err = p.rec.setKey(p.table, p.tuple, p.drawn)
	}
	if err == nil || p.table.Key.Kind == schema.KeyContent {
		err = errors.Join(err, p.key.decode(p.table, p.tuple))
	}
	return err
}

func (p *putting) do(t *tables.Tx, tb *schema.Table) error {
	if err := p.key.check(tb); err != nil {
		return err
	}
	key, err := t.Put(tb, p.mode, p.rec)
	p.tuple, p.drawn = append(p.space[:0], key.Tuple...), key.Drawn
	return err
}

func (p *putting) report(*Outcome) {}

func (p *putting) repeats() bool { return false }

// modified is the typed part of a Modify.
type modified[R, K any] struct {
	key   K
	fn    func(*R) error
	rec   *R // of the last attempt; each has a record of its own
	first R

	changer changer // without types
}

func (m *modified[R, K]) next() source {
	if m.rec == nil {
		m.rec = &m.first
	} else {
		m.rec = new(R)
	}
	return sourceOf(m.rec)
}

func (m *modified[R, K]) change() error { return m.fn(m.rec) }

// typedModify is what a modification needs of its types.
type typedModify interface {
	next() source  // a new record to decode into
	change() error // changes it
}

// changer is a stored record on its way through a user's function.
type changer struct {
	source
	on typedModify
}

// Change decodes the stored record and has the user's function change it.
func (c *changer) Change(tb *schema.Table, tuple, value []byte) error {
	c.source = c.on.next()
	if err := decode(tb, tuple, value, c.p); err != nil {
		return err
	}
	return c.on.change()
}

// modification is a Modify without its types.
type modification struct {
	mutation
	on  tables.Changer
	key keySlot
}

func (m *modification) run(ctx context.Context, conn Conn, ref tableRef) error {
	m.mutation = mutation{conn: conn, op: "modify", ref: ref, work: m}
	return m.mutation.run(ctx)
}

func (m *modification) do(t *tables.Tx, tb *schema.Table) (err error) {
	if m.tuple, err = m.key.encode(nil, tb); err != nil {
		m.tuple = nil
		return err
	}
	return t.Modify(tb, m.tuple, m.on)
}

func (m *modification) report(*Outcome) {}

func (m *modification) repeats() bool { return true }

// deletion is a Delete without its types.
type deletion struct {
	mutation
	key keySlot
}

func (d *deletion) do(t *tables.Tx, tb *schema.Table) (err error) {
	if d.tuple, err = d.key.encode(nil, tb); err != nil {
		d.tuple = nil
		return err
	}
	return t.Delete(tb, d.tuple)
}

func (d *deletion) report(*Outcome) {}

func (d *deletion) repeats() bool { return false }

func insertMany(ctx context.Context, conn Conn, ref tableRef, recs []source, key func(int) keySlot) error {
	call := insertingMany{recs: recs}
	call.mutation = mutation{conn: conn, op: "insert", ref: ref, work: &call}
	if err := call.run(ctx); err != nil {
		return err
	}
	for i, k := range call.keys {
		if err := recs[i].setKey(call.table, k.Tuple, k.Drawn); err != nil {
			return err
		}
		if err := key(i).decode(call.table, k.Tuple); err != nil {
			return err
		}
	}
	return nil
}

// insertingMany is InsertMany without its types.
type insertingMany struct {
	mutation
	recs []source
	keys []tables.Key // in buf's memory
	buf  []byte
}

func (m *insertingMany) do(t *tables.Tx, tb *schema.Table) error {
	m.keys, m.buf = m.keys[:0], m.buf[:0]
	culprit, err := t.Batch(func() error { return m.putAll(t, tb) })
	for i := range m.keys {
		if culprit != nil && bytes.Equal(m.keys[i].Tuple, culprit) {
			m.tuple = culprit
			return fmt.Errorf("record %d of %d: %w", i+1, len(m.recs), err)
		}
	}
	return err
}

func (m *insertingMany) putAll(t *tables.Tx, tb *schema.Table) error {
	for i := range m.recs {
		key, err := t.Put(tb, tables.Insert, &m.recs[i])
		if err != nil {
			m.tuple = append([]byte(nil), key.Tuple...)
			return fmt.Errorf("record %d of %d: %w", i+1, len(m.recs), err)
		}
		from := len(m.buf)
		m.buf = append(m.buf, key.Tuple...)
		key.Tuple = m.buf[from:]
		m.keys = append(m.keys, key)
	}
	return nil
}

func (m *insertingMany) report(r *Outcome) { r.Rows *= len(m.recs) }

func (m *insertingMany) repeats() bool { return false }

// decode reads a stored value into the record at p, which is of tb's Go type.
func decode(tb *schema.Table, tuple, value []byte, p reflectx.Pointer) error {
	b, _, err := record.OpenBytes(tb, tuple, value, nil)
	if err == nil {
		err = tb.Decoder().Decode(b, p)
	}
	return record.Corrupt(tb, tuple, err)
}
