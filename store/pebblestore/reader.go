package pebblestore

import (
	"errors"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kivisdb/kivis/store"
)

// reader reads one version, for one goroutine at a time.
type reader struct {
	snap *snapshot
	key  []byte // as Pebble has it
}

// The core drops a reader when it has closed it, so none is used after that.
var readers = sync.Pool{New: func() any { return new(reader) }}

// reader returns a reader, under the core's lock, for the newest snapshot alone.
func (n *snapshot) reader() *reader {
	n.refs.Add(1)
	r := readers.Get().(*reader)
	r.snap = n
	return r
}

// Get implements occ.Reader.
func (r *reader) Get(key []byte) (value []byte, err error) {
	defer r.snap.s.caught(&err)
	return r.get(key)
}

// GetMany implements occ.Reader.
func (r *reader) GetMany(keys, values [][]byte) (err error) {
	defer r.snap.s.caught(&err)
	for i, key := range keys {
		value, err := r.get(key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		values[i] = value
	}
	return nil
}

func (r *reader) get(key []byte) ([]byte, error) {
	r.key = appendKey(r.key[:0], key)
	found, closer, err := r.snap.snap.Get(r.key)
	if err == pebble.ErrNotFound {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, r.snap.s.engineError("get", err)
	}
	value := append(make([]byte, 0, len(found)), found...)
	if err := closer.Close(); err != nil {
		return nil, r.snap.s.engineError("get", err)
	}
	return value, nil
}

// Count implements store.Counter.
func (r *reader) Count(g store.Range) (n int, err error) {
	defer r.snap.s.caught(&err)
	lo, hi := boundsOf(spaceUser, g)
	it, err := r.snap.snap.NewIter(&pebble.IterOptions{LowerBound: lo, UpperBound: hi})
	if err != nil {
		return 0, r.snap.s.engineError("count", err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		n++
	}
	return n, r.snap.s.engineError("count", errors.Join(it.Error(), it.Close()))
}

// Close implements occ.Reader.
func (r *reader) Close() {
	r.snap.release()
	r.snap = nil
	readers.Put(r)
}
