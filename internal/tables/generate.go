package tables

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
)

// generate completes the record's key, if it is one that Kivis generates.
func (t *Tx) generate(w *put) error {
	switch w.tb.Key.Kind {
	case schema.KeyAuto, schema.KeyUUID:
		return t.draw(w)
	case schema.KeyContent:
		return t.setContentKey(w)
	}
	return nil
}

// draw sets a key that is zero to a new id or UUID.
func (t *Tx) draw(w *put) error {
	if w.mode == Replace {
		return nil
	}
	k := &w.tb.Key
	if record.Drawn(w.tb, w.new) {
		if k.Kind == schema.KeyAuto {
			w.callerID = record.ID(w.new.Column(k.AutoColumn))
		}
		return nil
	}
	w.newKey = true
	if k.Kind == schema.KeyAuto {
		return t.drawID(w)
	}
	u, err := uuid.NewV7()
	if err != nil {
		return err
	}
	var buf [24]byte
	t.splice(w, k.AutoColumn, record.AppendBytes(buf[:0], u[:]))
	return nil
}

// drawID sets a key that is zero to the next id that no record has.
func (t *Tx) drawID(w *put) error {
	var buf [24]byte
	for {
		id, err := t.nextID(w.tb)
		if err != nil {
			return err
		}
		t.splice(w, w.tb.Key.AutoColumn, record.AppendID(buf[:0], id))
		if !t.sequenceOf(w.tb).isUpper(id) {
			return nil
		}
		if taken, err := t.isTaken(w); !taken || err != nil {
			return err
		}
	}
}

// isTaken reports whether a record has the key that w has been given.
func (t *Tx) isTaken(w *put) (bool, error) {
	tuple, _, err := record.AppendKey(nil, w.tb, w.new)
	if err != nil {
		return false, err
	}
	_, err = t.Get(w.tb, tuple)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// setContentKey sets a key that is zero to the digest of the other columns, and
// compares one that is not.
func (t *Tx) setContentKey(w *put) error {
	var buf [40]byte
	c := w.tb.Key.AutoColumn
	value := record.ContentKey(buf[:0], w.tb, w.new)
	if !record.Drawn(w.tb, w.new) {
		t.splice(w, c, value)
		w.newKey = true
		return nil
	}
	if bytes.Equal(w.new.Column(c), value) {
		return nil
	}
	return fmt.Errorf("%w: the content is not the one that the key was made from", ErrKeyChanged)
}

// sequenceOf returns the sequence of a table whose key is auto-increment.
func (t *Tx) sequenceOf(tb *schema.Table) *sequence {
	return t.db.sequences.of(tb.ID, tb.Columns[tb.Key.AutoColumn].Type)
}

// nextID draws an id for a new record of tb.
func (t *Tx) nextID(tb *schema.Table) (uint64, error) {
	ctx := context.Background()
	if err := t.advanceAll(ctx); err != nil {
		return 0, err
	}
	return t.sequenceOf(tb).take(ctx, t.db.store)
}

// passID notes an id that the caller set on a new record of tb.
func (t *Tx) passID(tb *schema.Table, id uint64) {
	if s := t.sequenceOf(tb); !s.isUpper(id) {
		t.advances = append(t.advances, advance{s, id})
	}
}
