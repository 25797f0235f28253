package tables

import (
	"bytes"
	"errors"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// reindex brings the index entries of a record from its old body, if there is
// one, to its new one. Entries that stay the same are not touched.
func (t *Tx) reindex(w *put, old record.Body) error {
	for _, ix := range w.tb.Indexes {
		if old.Bytes != nil && !w.stale && record.Same(old, w.new, ix.Parts) {
			continue
		}
		want, have := &t.buf.want, &t.buf.have
		if err := want.Compute(w.tb, ix, w.new, w.key.Tuple); err != nil {
			return err
		}
		have.Clear()
		if old.Bytes != nil {
			if err := have.Compute(w.tb, ix, old, w.key.Tuple); err != nil {
				return err
			}
		}
		if err := t.replaceEntries(w, ix, have, want); err != nil {
			return err
		}
	}
	return nil
}

// replaceEntries replaces the entries have by the entries want.
func (t *Tx) replaceEntries(w *put, ix *schema.Index, have, want *record.Entries) error {
	for i := range have.Len() {
		if !want.Has(have.Key(i)) {
			if err := t.deleteEntry(w.tb, ix, have, i, w.key.Tuple); err != nil {
				return err
			}
		}
	}
	for i := range want.Len() {
		if have.Len() > 0 && have.Has(want.Key(i)) && ix.State == schema.Ready {
			continue
		}
		if err := t.setEntry(w.tb, ix, want, i, w.key.Tuple); err != nil {
			return err
		}
	}
	return nil
}

// SetEntries writes the entries of one record in an index, after checking that
// nobody else has those in the unique form.
func (t *Tx) SetEntries(tb *schema.Table, ix *schema.Index, b record.Body, tuple []byte) error {
	want := &t.buf.want
	if err := want.Compute(tb, ix, b, tuple); err != nil {
		return err
	}
	for i := range want.Len() {
		if err := t.setEntry(tb, ix, want, i, tuple); err != nil {
			return err
		}
	}
	return nil
}

// setEntry writes entry i of the record with the key tuple. The error is a
// [UniqueError] where another record has it.
func (t *Tx) setEntry(tb *schema.Table, ix *schema.Index, e *record.Entries, i int, tuple []byte) error {
	if e.Unique(i) {
		holder, err := t.holder(tb, ix, e.Key(i))
		if err != nil {
			return err
		}
		taken := holder != nil && !bytes.Equal(holder, tuple)
		if taken && ix.State != schema.Ready {
			gives, err := t.givesUp(tb, ix, e.Key(i), holder)
			if err != nil {
				return err
			}
			taken = !gives
		}
		if taken && t.batch != nil {
			t.batch.claims = append(t.batch.claims, lostClaim{
				tb: tb, ix: ix, key: bytes.Clone(e.Key(i)), tuple: bytes.Clone(holder), taker: bytes.Clone(tuple),
			})
		} else if taken {
			return &UniqueError{Table: tb, Index: ix, Holder: record.RefTo(tb, holder)}
		}
	}
	return t.RestoreEntry(e, i, tuple)
}

// givesUp reports whether a record will give up its entry in a unique index when
// a migration reaches it.
func (t *Tx) givesUp(tb *schema.Table, ix *schema.Index, key, tuple []byte) (bool, error) {
	value, err := t.kv.Get(append(bytes.Clone(tb.Prefix(0)), tuple...))
	if err != nil {
		return errors.Is(err, store.ErrNotFound), ignoreNotFound(err)
	}
	if !record.IsStale(tb, tuple, value) {
		return false, nil
	}
	b, _, err := record.Open(tb, tuple, value, nil, nil)
	if err != nil {
		return false, err
	}
	var e record.Entries
	if err := e.Compute(tb, ix, b, tuple); err != nil {
		return false, err
	}
	return !e.Has(key), nil
}

func ignoreNotFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// RestoreEntry writes entry i of the record with the key tuple, unchecked.
func (t *Tx) RestoreEntry(e *record.Entries, i int, tuple []byte) error {
	value := e.Value(i, t.buf.holder, tuple)
	if value != nil {
		t.buf.holder = value
	}
	return t.kv.Set(e.Key(i), value)
}

// holder returns the key tuple of the record that has the unique entry key, or
// nil.
func (t *Tx) holder(tb *schema.Table, ix *schema.Index, key []byte) ([]byte, error) {
	value, err := t.kv.Get(key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	holder, err := codec.OpenEntry(value, key)
	if err != nil {
		return nil, &record.CorruptError{Table: tb, Index: ix.Name, Err: err}
	}
	return holder, nil
}

// deleteEntry deletes entry i of the record with the key tuple. Two kinds of
// unique entries may be another record's by now, and stay: those of an index
// that is being built, where the build has not reached the record and another
// took the value, and those that a call on several records moves around.
func (t *Tx) deleteEntry(tb *schema.Table, ix *schema.Index, e *record.Entries, i int, tuple []byte) error {
	if e.Unique(i) && (ix.State != schema.Ready || t.batch != nil && len(t.batch.claims) > 0) {
		holder, err := t.holder(tb, ix, e.Key(i))
		if err != nil || holder == nil || !bytes.Equal(holder, tuple) {
			return err
		}
	}
	return t.kv.Delete(e.Key(i))
}
