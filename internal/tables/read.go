package tables

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// Get returns the stored value of a record, which stays valid and must not be
// changed, or ErrNotFound.
func (t *Tx) Get(tb *schema.Table, tuple []byte) ([]byte, error) {
	value, err := t.kv.Get(t.buf.recordKey(tb, tuple))
	return value, notFound(err)
}

// KeyBuffer returns memory for a key tuple, for those who encode one to call
// Get or Has with; KeepKeyBuffer gives it back grown.
func (t *Tx) KeyBuffer() []byte { return t.buf.target[:0] }

// KeepKeyBuffer takes back what KeyBuffer gave.
func (t *Tx) KeepKeyBuffer(b []byte) { t.buf.target = b }

// GetMany sets values[i] to the stored value of the record with the store's
// key keys[i], a table's prefix and a tuple, or to nil.
func (t *Tx) GetMany(keys, values [][]byte) error { return t.kv.GetMany(keys, values) }

// Scan opens a cursor over a range of keys, of records or of index entries.
func (t *Tx) Scan(r store.Range) (store.Cursor, error) { return t.kv.Scan(r) }

// Reader returns what plans of package query run on. It is for reading alone.
func (t *Tx) Reader() store.Tx { return t.kv }

// Run begins to run a plan. A later write of the transaction lets the rows read
// ahead first, so that they stay those of this moment. CloseRows ends them.
func (t *Tx) Run(ctx context.Context, plan *query.Plan) *query.Rows {
	rows := plan.Run(ctx, t.kv)
	if t.db.verified {
		rows.Verified()
	}
	if t.write {
		t.rows = append(t.rows, rows)
	}
	return rows
}

// CloseRows closes rows that Run has begun, whose Release is the caller's.
func (t *Tx) CloseRows(rows *query.Rows) {
	rows.Close()
	if t.write {
		t.rows = slices.DeleteFunc(t.rows, func(x *query.Rows) bool { return x == rows })
	}
}

// Freeze has the open rows of the transaction read ahead, before a write.
func (t *Tx) Freeze() { t.freeze() }

func (t *Tx) freeze() {
	for _, rows := range t.rows {
		rows.Freeze()
	}
}

// GetKey returns what is stored under a key of the store, and whether anything
// is.
func (t *Tx) GetKey(key []byte) (value []byte, found bool, err error) {
	value, err = t.kv.Get(key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	return value, err == nil, err
}

// SetKey stores a value under a key of the store: for builds and repairs, which
// know what it means.
func (t *Tx) SetKey(key, value []byte) error { return t.kv.Set(key, value) }

// DeleteKey deletes a key of the store; see SetKey.
func (t *Tx) DeleteKey(key []byte) error { return t.kv.Delete(key) }

// Records returns all records of a table in key order, from the first key
// behind the tuple after on, or from the beginning where that is nil. A damaged
// record comes as a record.CorruptError, with its tuple, and the loop may go
// on; any other error is the last thing that comes.
func (t *Tx) Records(tb *schema.Table, after []byte) iter.Seq2[Record, error] {
	return recordsOf(t.kv, tb, after)
}
