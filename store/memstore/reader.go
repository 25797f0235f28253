package memstore

import (
	"bytes"
	"sync"

	"github.com/google/btree"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

var (
	_ occ.Reader    = (*reader)(nil)
	_ occ.Source    = (*reader)(nil)
	_ store.Counter = (*reader)(nil)
)

// hold is how many keys are read before commits get a chance to go between.
const hold = 1024

// reader reads one generation.
type reader struct {
	engine     *engine
	generation *generation
}

// The core drops a reader when it has closed it, so none is used after that.
var readers = sync.Pool{New: func() any { return new(reader) }}

// rlock returns the tree to read until runlock.
func (r *reader) rlock() *btree.BTreeG[occ.Entry] {
	r.engine.mu.RLock()
	if tree := r.generation.tree; tree != nil {
		return tree
	}
	return r.engine.tree
}

func (r *reader) runlock() { r.engine.mu.RUnlock() }

// Get implements [occ.Reader].
func (r *reader) Get(key []byte) ([]byte, error) {
	e, ok := r.rlock().Get(occ.Pivot(key))
	r.runlock()
	if !ok {
		return nil, store.ErrNotFound
	}
	return e.Value(), nil
}

// GetMany implements [occ.Reader].
func (r *reader) GetMany(keys, values [][]byte) error {
	for len(keys) > 0 {
		n := min(len(keys), hold)
		r.getSome(keys[:n], values)
		keys, values = keys[n:], values[n:]
	}
	return nil
}

func (r *reader) getSome(keys, values [][]byte) {
	tree := r.rlock()
	defer r.runlock()
	for i, key := range keys {
		values[i] = nil
		if e, ok := tree.Get(occ.Pivot(key)); ok {
			values[i] = e.Value()
		}
	}
}

// Scan implements [occ.Reader], which uses Fill instead.
func (r *reader) Scan(rg store.Range) (store.Cursor, error) {
	return occ.NewChunks(r, rg), nil
}

// Fill implements [occ.Source].
func (r *reader) Fill(dst []occ.Entry, rg store.Range) []occ.Entry {
	tree := r.rlock()
	defer r.runlock()
	return occ.FillTree(tree, dst, rg)
}

// Count implements [store.Counter].
func (r *reader) Count(rg store.Range) (int, error) {
	if len(rg.Lo) == 0 && rg.Hi == nil {
		defer r.runlock()
		return r.rlock().Len(), nil
	}
	sum, lo := 0, rg.Lo
	for {
		n, last := r.countSome(lo, rg.Hi)
		sum += n
		if n < hold {
			return sum, nil
		}
		lo = append(last[:len(last):len(last)], 0)
	}
}

// countSome counts the keys in [lo, hi), up to as many as hold, and returns the
// last one.
func (r *reader) countSome(lo, hi []byte) (n int, last []byte) {
	tree := r.rlock()
	defer r.runlock()
	tree.AscendGreaterOrEqual(occ.Pivot(lo), func(e occ.Entry) bool {
		if hi != nil && bytes.Compare(e.Key(), hi) >= 0 {
			return false
		}
		n++
		last = e.Key()
		return n < hold
	})
	return n, last
}

// Close implements [occ.Reader].
func (r *reader) Close() {
	*r = reader{}
	readers.Put(r)
}
