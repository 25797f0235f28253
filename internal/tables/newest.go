package tables

import (
	"context"
	"sync"

	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/schema"
)

// Newest reads single records in their newest version, without a transaction.
//
// Invariant: a read after which the schema is still current is one of a
// transaction with that schema, for records in the layout of a later one are
// written only once that has been published. So the reader does this:
//
//	for n := db.Newest(); ; n.Renew() {
//		value, err := n.Get(ctx, tb, tuple) // tb and tuple by n.Schema()
//		if n.Current() {
//			return value, err
//		}
//	}
type Newest struct {
	db  *DB
	ctx context.Context // of Keys
	set *schema.Set
	key []byte // of the store
	buf []byte // see KeyBuffer
}

var newestPool = sync.Pool{New: func() any { return new(Newest) }}

// Newest returns a reader of single records, or nil where the store cannot
// read without a transaction. Release ends it.
func (db *DB) Newest() *Newest {
	if db.getter == nil {
		return nil
	}
	n := newestPool.Get().(*Newest)
	n.db, n.set = db, db.set.Load()
	return n
}

// Schema returns the tables that the records are read by.
func (n *Newest) Schema() *schema.Set { return n.set }

// Get returns the stored value of a record, or ErrNotFound. It counts only if
// Current holds afterwards.
func (n *Newest) Get(ctx context.Context, tb *schema.Table, tuple []byte) ([]byte, error) {
	n.key = append(append(n.key[:0], tb.Prefix(0)...), tuple...)
	value, err := n.db.getter.Get(ctx, n.key)
	return value, notFound(err)
}

// Keys returns what reads single keys of the store, each in its newest version.
// What it reads counts only if Current holds afterwards.
func (n *Newest) Keys(ctx context.Context) query.Getter {
	n.ctx = ctx
	return (*newestKeys)(n)
}

// newestKeys is a [query.Getter].
type newestKeys Newest

// Get returns the value of a key of the store, or store.ErrNotFound.
func (k *newestKeys) Get(key []byte) ([]byte, error) { return k.db.getter.Get(k.ctx, key) }

// KeyBuffer returns memory for a key tuple; KeepKeyBuffer gives it back grown.
func (n *Newest) KeyBuffer() []byte { return n.buf[:0] }

// KeepKeyBuffer takes back what KeyBuffer gave.
func (n *Newest) KeepKeyBuffer(b []byte) { n.buf = b }

// Current reports whether the schema is still the newest.
func (n *Newest) Current() bool { return n.set == n.db.set.Load() }

// Renew takes the newest schema.
func (n *Newest) Renew() { n.set = n.db.set.Load() }

// Release hands the reader's memory to the next one.
func (n *Newest) Release() {
	n.set, n.ctx = nil, nil
	newestPool.Put(n)
}
