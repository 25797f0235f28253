package badgerstore

import (
	"errors"
	"sync"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/store"
)

// reader reads one version. It holds no state of its own: in managed mode a
// read-only transaction of Badger's is only a version, which all transactions
// that see it share, and needs no Discard.
type reader struct {
	s   *Store
	txn *badger.Txn
}

// newReader returns the reader of a version.
func (s *Store) newReader(version uint64) *reader {
	return &reader{s: s, txn: s.db.NewTransactionAt(version, false)}
}

// scratch is what a read needs for a moment.
type scratch struct {
	key   []byte
	value []byte
	grab  func([]byte) error // keeps what it gets in value
}

var scratches = sync.Pool{New: func() any {
	sc := &scratch{key: make([]byte, 0, 64)}
	sc.grab = func(b []byte) error {
		sc.value = b
		return nil
	}
	return sc
}}

// Get implements occ.Reader. The value is a copy that Badger has made for this
// item alone, so it is safe to keep: Item.Value hands out the item's own slice,
// which only an iterator would reuse.
func (r *reader) Get(key []byte) ([]byte, error) {
	sc := scratches.Get().(*scratch)
	value, err := r.get(sc, key)
	scratches.Put(sc)
	return value, err
}

// GetMany implements occ.Reader.
func (r *reader) GetMany(keys, values [][]byte) error {
	sc := scratches.Get().(*scratch)
	defer scratches.Put(sc)
	for i, key := range keys {
		value, err := r.get(sc, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		values[i] = value
	}
	return nil
}

func (r *reader) get(sc *scratch, key []byte) (value []byte, err error) {
	defer caught(&err)
	sc.key = appendKey(sc.key[:0], spaceUser, key)
	if err := r.s.checkKeys(sc.key, sc.key); err != nil {
		return nil, err
	}
	item, err := r.txn.Get(sc.key)
	if err == badger.ErrKeyNotFound {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, wrapEngine("get", err)
	}
	return r.load(sc, item)
}

// load returns the value of an item that was got, not iterated to.
func (r *reader) load(sc *scratch, item *badger.Item) ([]byte, error) {
	err := item.Value(sc.grab)
	value := sc.value
	sc.value = nil
	switch {
	case err != nil:
		return nil, wrapEngine("get", err)
	case item.UserMeta() == metaBlob:
		return r.blob(value)
	case value == nil:
		return []byte{}, nil
	}
	return value, nil
}

// Close implements occ.Reader.
func (r *reader) Close() {}
