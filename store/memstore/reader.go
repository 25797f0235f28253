package memstore

import (
	"sync"

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

// reader reads one version.
type reader struct {
	engine  *engine
	version uint64
}

// The core drops a reader when it has closed it, so none is used after that.
var readers = sync.Pool{New: func() any { return new(reader) }}

// Get implements [occ.Reader].
func (r *reader) Get(key []byte) ([]byte, error) {
	r.engine.mu.RLock()
	value, ok := r.engine.get(key, r.version)
	r.engine.mu.RUnlock()
	if !ok {
		return nil, store.ErrNotFound
	}
	return value, nil
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
	r.engine.mu.RLock()
	defer r.engine.mu.RUnlock()
	for i, key := range keys {
		values[i], _ = r.engine.get(key, r.version)
	}
}

// Scan implements [occ.Reader], which uses Fill instead.
func (r *reader) Scan(rg store.Range) (store.Cursor, error) {
	return occ.NewCursor(r, rg), nil
}

// Fill implements [occ.Source].
func (r *reader) Fill(dst []occ.Entry, rg store.Range) []occ.Entry {
	return r.engine.fill(dst, rg, r.version)
}

// Count implements [store.Counter].
func (r *reader) Count(rg store.Range) (int, error) {
	for sum, lo := 0, rg.Lo; ; {
		n, last := r.countSome(lo, rg.Hi)
		sum += n
		if last == nil {
			return sum, nil
		}
		lo = append(last[:len(last):len(last)], 0)
	}
}

// countSome counts keys in [lo, hi), and returns the last one if there may be
// more.
func (r *reader) countSome(lo, hi []byte) (n int, last []byte) {
	r.engine.mu.RLock()
	if r.version < r.engine.past.newest {
		r.engine.mu.RUnlock()
		return r.countPast(lo, hi)
	}
	defer r.engine.mu.RUnlock()
	tree := r.engine.tree
	if len(lo) == 0 && hi == nil {
		return tree.Len(), nil
	}
	end := occ.Pivot(hi)
	tree.AscendGreaterOrEqual(occ.Pivot(lo), func(e occ.Entry) bool {
		if hi != nil && !occ.Less(e, end) {
			return false
		}
		n++
		last = e.Key()
		return n < hold
	})
	if n < hold {
		return n, nil
	}
	return n, last
}

// countPast is countSome of a version that is not the newest.
func (r *reader) countPast(lo, hi []byte) (n int, last []byte) {
	buf := buffers.Get().(*buffer)
	defer buf.free()
	found := r.engine.fill(buf.room(hold), store.Range{Lo: lo, Hi: hi}, r.version)
	if len(found) < hold {
		return len(found), nil
	}
	return hold, found[hold-1].Key()
}

// buffer has room for entries that are read in passing.
type buffer struct {
	entries [hold]occ.Entry
	used    int
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// room returns an empty slice with the capacity n, at most hold.
func (b *buffer) room(n int) []occ.Entry {
	b.used = max(b.used, n)
	return b.entries[:0:n]
}

func (b *buffer) free() {
	clear(b.entries[:b.used])
	b.used = 0
	buffers.Put(b)
}

// Close implements [occ.Reader].
func (r *reader) Close() {
	*r = reader{}
	readers.Put(r)
}
