package cache

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/google/btree"

	"github.com/kivisdb/kivis/store/occ"
)

// generation is how many keys the history remembers at least.
const generation = 1 << 16

// history remembers which keys were written lately, and in which version last.
// It answers whether what holds at the newest version held at an older one too.
//
// A version is noted before any layer begins to change for it. So whoever finds
// in a layer what a version has made of it finds that version here, too.
type history struct {
	era    atomic.Uint64 // how many lives of the origin there were
	newest atomic.Uint64 // the newest version noted

	// When the origin was asked what the layers have followed to since, in
	// nanoseconds of Unix time.
	checked atomic.Int64

	mu    sync.RWMutex
	young *btree.BTreeG[written] // what was written last
	old   *btree.BTreeG[written] // what was written before; keys may be in both
	since uint64                 // where young begins
	floor uint64                 // nothing is known of what was written up to here
}

// written is a key with a version that wrote it.
type written struct {
	key     occ.Entry
	version uint64
}

func newWritten() *btree.BTreeG[written] {
	return btree.NewG(32, func(a, b written) bool { return occ.Less(a.key, b.key) })
}

// A moment is a version in one life of the origin.
type moment struct{ version, era uint64 }

// init forgets everything: what follows version will be noted. What was known of
// earlier moments is void, whatever their versions.
func (h *history) init(version uint64) {
	h.era.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forget(version)
	h.newest.Store(version)
}

func (h *history) forget(version uint64) {
	h.young, h.old, h.since, h.floor = newWritten(), newWritten(), version, version
}

// note remembers what was written up to version: the keys of writes.
func (h *history) note(version uint64, writes []write) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.newest.Swap(version)
	if len(writes) > generation {
		h.forget(version)
		return
	}
	if h.young.Len()+len(writes) > generation {
		h.old, h.young = h.young, newWritten()
		h.floor, h.since = h.since, before
	}
	for i := range writes {
		h.young.ReplaceOrInsert(written{occ.Pivot(writes[i].key), writes[i].version})
	}
}

// wrote says whether key may have been written after a moment.
func (h *history) wrote(key []byte, m moment) bool {
	if h.era.Load() != m.era {
		return true
	}
	if h.newest.Load() == m.version {
		return false
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	if m.version < h.floor {
		return true
	}
	for _, tree := range [...]*btree.BTreeG[written]{h.young, h.old} {
		if w, ok := tree.Get(written{key: occ.Pivot(key)}); ok && w.version > m.version {
			return true
		}
	}
	return false
}

// firstIn returns the first key in [lo, hi), or in reverse the last, that was
// written after a moment, and whether there is one. It returns all where it does
// not know.
func (h *history) firstIn(lo, hi []byte, reverse bool, m moment) (key []byte, some, all bool) {
	if h.era.Load() != m.era {
		return nil, true, true
	}
	if h.newest.Load() == m.version {
		return nil, false, false
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	if m.version < h.floor {
		return nil, true, true
	}
	for _, tree := range [...]*btree.BTreeG[written]{h.young, h.old} {
		found, ok := firstAfter(tree, lo, hi, reverse, m.version)
		if ok && (!some || reverse == (bytes.Compare(found, key) > 0)) {
			key, some = found, true
		}
	}
	return key, some, false
}

func firstAfter(tree *btree.BTreeG[written], lo, hi []byte, reverse bool, version uint64) (key []byte, ok bool) {
	from, to := written{key: occ.Pivot(lo)}, written{key: occ.Pivot(hi)}
	visit := func(w written) bool {
		if hi != nil && !occ.Less(w.key, to.key) {
			return reverse // hi itself, which is not in the range
		}
		if occ.Less(w.key, from.key) {
			return false
		}
		ok = w.version > version
		key = w.key.Key()
		return !ok
	}
	switch {
	case !reverse:
		tree.AscendGreaterOrEqual(from, visit)
	case hi == nil:
		tree.Descend(visit)
	default:
		tree.DescendLessOrEqual(to, visit)
	}
	return key, ok
}
