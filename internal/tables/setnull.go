package tables

import (
	"bytes"
	"fmt"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
)

// setNull sets the referring columns of one record to nil or zero, and touches
// nothing else in it.
func (t *Tx) setNull(r *schema.Ref, tuple []byte) error {
	value, err := t.Get(r.Table, tuple)
	if err != nil {
		return err
	}
	w := put{tb: r.Table, mode: Replace, old: value, current: true, key: Key{Tuple: tuple, Drawn: -1}}
	if err := t.copyOld(&w); err != nil {
		return err
	}
	for _, i := range r.Nulls {
		c := r.Parts[i].Column
		t.splice(&w, c, codec.AppendZero(nil, r.Table.Columns[c].Type, r.Table.Layout))
	}
	if err = t.checkSameKey(&w); err == nil {
		err = t.apply(&w)
	}
	if err != nil {
		return fmt.Errorf("clearing reference %s.%s of record %s: %w", r.Table.Name, r.Name, record.RefTo(r.Table, tuple), err)
	}
	return nil
}

// copyOld makes w's new record a copy of the old one, in the newest layout.
func (t *Tx) copyOld(w *put) error {
	body, grown, err := record.OpenBytes(w.tb, w.key.Tuple, w.old, t.buf.oldBody)
	t.buf.oldBody = grown
	if err != nil {
		return err
	}
	b := codec.AppendHeader(t.buf.value[:0], w.tb.Version)
	start := len(b)
	w.value = append(b, body...)
	t.buf.value = w.value
	w.new.Bytes = w.value[start:]
	if w.new.Offs, err = codec.Split(w.new.Bytes, len(w.tb.Columns), t.buf.offs[:0]); err != nil {
		return record.Corrupt(w.tb, w.key.Tuple, err)
	}
	t.buf.offs = w.new.Offs
	return nil
}

// checkSameKey fails where the record that w has become would have another
// primary key. One that a method computes is taken to be the same.
func (t *Tx) checkSameKey(w *put) error {
	key := w.tb.Key.Kind
	if key == schema.KeyContent {
		var buf [40]byte
		if !bytes.Equal(record.ContentKey(buf[:0], w.tb, w.new), w.new.Column(w.tb.Key.AutoColumn)) {
			return ErrKeyChanged
		}
	}
	if key == schema.KeyCustom {
		return nil
	}
	b, _, err := record.AppendKey(t.buf.target[:0], w.tb, w.new)
	t.buf.target = b
	if err == nil && !bytes.Equal(b, w.key.Tuple) {
		err = ErrKeyChanged
	}
	return err
}
