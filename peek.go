package kivis

import (
	"context"
	"reflect"

	"github.com/kivisdb/kivis/schema"
)

// peeking returns what stands for a transaction where a call on the DB reads one
// record and the store can do so without one.
//
// Invariant: a read after which the schema is still current is one of a
// transaction with that schema, for records in the layout of a later one are
// written only once that has been published.
func (db *DB) peeking() *txn {
	t := txnPool.Get().(*txn)
	t.db, t.set, t.write, t.ended, t.peeks = db, db.set.Load(), false, false, true
	return t
}

// peek returns the stored value of a record in the newest version, or
// ErrNotFound.
func (t *txn) peek(ctx context.Context, tb *schema.Table, tuple []byte) ([]byte, error) {
	value, err := t.db.getter.Get(ctx, t.buf.recordKey(tb, tuple))
	return value, notFound(err)
}

// current reports whether the schema is still the newest.
func (t *txn) current() bool { return t.set == t.db.set.Load() }

// renew takes the newest schema and returns the table in it.
func (t *txn) renew(typ reflect.Type) (*schema.Table, error) {
	t.set = t.db.set.Load()
	return t.tableOf(typ)
}
