package check

import (
	"context"
	"errors"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

// judge says whether an index entry belongs to a record.
type judge struct {
	t    *tables.Tx
	want record.Entries
	buf  []byte
	offs []uint32
}

// belongs reports whether the record with the tuple has the entry key in ix,
// and leaves the record's entries in want. A damaged record, reported as such,
// is taken to have it.
func (j *judge) belongs(tb *schema.Table, ix *schema.Index, key, tuple []byte) (bool, error) {
	value, err := j.t.Get(tb, tuple)
	switch {
	case errors.Is(err, tables.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	b, buf, err := record.Open(tb, tuple, value, j.buf, j.offs)
	j.buf = buf
	if err != nil {
		return true, nil
	}
	j.offs = b.Offs
	if err := j.want.Compute(tb, ix, b, tuple); err != nil {
		return true, nil
	}
	return j.want.Has(key), nil
}

// mending is the repair of one index entry.
type mending struct {
	tb         *schema.Table
	ix         *schema.Index
	key, tuple []byte // tuple is nil where the entry names no record
}

// Run writes the entry if the record with the tuple should have it, and deletes
// it unless the record that it names should.
func (m *mending) Run(_ context.Context, t *tables.Tx) error {
	j := judge{t: t}
	if m.tuple != nil {
		belongs, err := j.belongs(m.tb, m.ix, m.key, m.tuple)
		if err != nil {
			return err
		}
		if i := j.want.Find(m.key); belongs && i >= 0 {
			return t.RestoreEntry(&j.want, i, m.tuple)
		}
	}
	value, _, err := t.GetKey(m.key)
	if err != nil {
		return err
	}
	if named, err := record.SplitEntry(m.tb, m.ix, m.key, value); err == nil {
		if ok, err := j.belongs(m.tb, m.ix, m.key, named); ok || err != nil {
			return err
		}
	}
	return t.DeleteKey(m.key)
}
