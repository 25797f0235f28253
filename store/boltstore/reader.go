package boltstore

import (
	"bytes"
	"errors"

	bolt "go.etcd.io/bbolt"

	"github.com/kivisdb/kivis/store"
)

// reader reads one version, for one goroutine at a time. It is used again, by
// others, until its snapshot ends.
type reader struct {
	snap *snapshot
	at   *bolt.Cursor   // for single keys; nil before the first
	key  []byte         // as bbolt has it
	idle []*bolt.Cursor // of scans that have ended
}

// cursor returns a cursor of bbolt's.
func (r *reader) cursor() *bolt.Cursor {
	if last := len(r.idle) - 1; last >= 0 {
		at := r.idle[last]
		r.idle = r.idle[:last]
		return at
	}
	return r.snap.data.Cursor()
}

// Get implements occ.Reader.
func (r *reader) Get(key []byte) (value []byte, err error) {
	defer r.snap.s.caught(&err, watched())
	return r.get(key)
}

// GetMany implements occ.Reader.
func (r *reader) GetMany(keys, values [][]byte) (err error) {
	defer r.snap.s.caught(&err, watched())
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
	if r.at == nil {
		r.at = r.cursor()
	}
	r.key = append(append(r.key[:0], keyPrefix), key...)
	found, stored := r.at.Seek(r.key)
	if !bytes.Equal(found, r.key) {
		return nil, store.ErrNotFound
	}
	value, ok := valueOf(found, stored)
	if !ok {
		return nil, r.snap.s.damaged(badEntry(r.snap.s.path, key))
	}
	return append(make([]byte, 0, len(value)), value...), nil
}

// Count implements store.Counter.
func (r *reader) Count(g store.Range) (n int, err error) {
	defer r.snap.s.caught(&err, watched())
	b := boundsOf(keyPrefix, g)
	at := r.cursor()
	defer func() { r.idle = append(r.idle, at) }()
	for key, _ := at.Seek(b.lo); key != nil && bytes.Compare(key, b.hi) < 0; key, _ = at.Next() {
		n++
	}
	return n, nil
}

// Close implements occ.Reader.
func (r *reader) Close() { r.snap.keep(r) }

// bounds is a range of keys as bbolt has them.
type bounds struct{ lo, hi []byte }

// boundsOf returns a range of the keys with a prefix.
func boundsOf(prefix byte, g store.Range) bounds {
	buf := make([]byte, 0, len(g.Lo)+len(g.Hi)+2)
	buf = append(append(buf, prefix), g.Lo...)
	n := len(buf)
	if g.Hi == nil {
		buf = append(buf, prefix+1)
	} else {
		buf = append(append(buf, prefix), g.Hi...)
	}
	return bounds{lo: buf[:n:n], hi: buf[n:]}
}
