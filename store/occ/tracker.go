package occ

import (
	"bytes"
	"sort"

	"github.com/google/btree"
)

// The tracker remembers at most this much. A writer that is older than what it
// remembers conflicts.
const (
	maxTracked      = 1 << 17
	maxTrackedBytes = 16 << 20
)

// The newest commits are searched one by one; older ones are in a tree.
const maxLoose = 8

// Tracker remembers which keys were written lately, and at which version. The
// zero value has seen nothing. It belongs to the committer.
//
// Most transactions are short, so what a commit wrote is mostly forgotten
// before another eight have come: those never get into the tree.
type Tracker struct {
	queue   []written // by version
	indexed int       // how many of them, the oldest, are in the tree
	tree    *btree.BTreeG[tracked]
	loose   int // keys of the others
	bytes   int
	floor   uint64 // what was written up to here may be forgotten
}

// tracked is a key with the version of its last write.
type tracked struct {
	key     []byte
	version uint64
}

// written is what one transaction wrote: keys one after the other.
type written struct {
	version uint64
	keys    []byte
	ends    []int32
}

// Conflicts says whether anything in f may have been written after snapshot.
func (t *Tracker) Conflicts(f *Footprint, snapshot uint64) bool {
	if len(f.spans) == 0 {
		return false
	}
	if snapshot < t.floor {
		return true
	}
	if len(t.queue) == 0 || t.queue[len(t.queue)-1].version <= snapshot {
		return false
	}
	for _, s := range f.spans {
		if t.wrote(f, s, snapshot) {
			return true
		}
	}
	return false
}

// wrote says whether something in s was written after snapshot.
func (t *Tracker) wrote(f *Footprint, s span, snapshot uint64) bool {
	for i := len(t.queue) - 1; i >= t.indexed; i-- {
		if t.queue[i].version <= snapshot {
			return false
		}
		if t.queue[i].within(f, s) {
			return true
		}
	}
	if t.indexed == 0 || t.queue[t.indexed-1].version <= snapshot {
		return false
	}
	from := tracked{key: f.lo(s)}
	if s.hi == point {
		w, ok := t.tree.Get(from)
		return ok && w.version > snapshot
	}
	found := false
	hi := f.hi(s)
	t.tree.AscendGreaterOrEqual(from, func(w tracked) bool {
		if hi != nil && bytes.Compare(w.key, hi) >= 0 {
			return false
		}
		found = w.version > snapshot
		return !found
	})
	return found
}

// Record remembers that o was written at version, which is not below that of
// an earlier call. It copies the keys, so as not to hold on to the values.
func (t *Tracker) Record(version uint64, o *Overlay) {
	if o.Len() > maxTracked {
		t.Skip(version)
		return
	}
	w := keysOf(version, o)
	t.queue = append(t.queue, w)
	t.bytes += len(w.keys)
	t.loose += len(w.ends)
	for len(t.queue)-t.indexed > maxLoose {
		t.index()
	}
	for t.keys() > maxTracked || t.bytes > maxTrackedBytes {
		t.floor = t.queue[0].version
		t.drop()
	}
}

// keys counts what is remembered; a key of several of the newest commits counts
// as several.
func (t *Tracker) keys() int {
	if t.tree == nil {
		return t.loose
	}
	return t.loose + t.tree.Len()
}

// index puts the oldest commit that is not in the tree there.
func (t *Tracker) index() {
	if t.tree == nil {
		t.tree = btree.NewG(treeDegree, func(a, b tracked) bool { return bytes.Compare(a.key, b.key) < 0 })
	}
	w := &t.queue[t.indexed]
	for i := range w.ends {
		t.tree.ReplaceOrInsert(tracked{w.key(i), w.version})
	}
	t.indexed++
	t.loose -= len(w.ends)
}

func keysOf(version uint64, o *Overlay) written {
	size := 0
	for e := range o.All() {
		size += len(e.Key())
	}
	w := written{version, make([]byte, 0, size), make([]int32, 0, o.Len())}
	for e := range o.All() {
		w.keys = append(w.keys, e.Key()...)
		w.ends = append(w.ends, int32(len(w.keys)))
	}
	return w
}

func (w *written) key(i int) []byte {
	from := int32(0)
	if i > 0 {
		from = w.ends[i-1]
	}
	return w.keys[from:w.ends[i]:w.ends[i]]
}

// within says whether one of the keys is in a span of f.
func (w *written) within(f *Footprint, s span) bool {
	lo := f.lo(s)
	i := sort.Search(len(w.ends), func(i int) bool { return bytes.Compare(w.key(i), lo) >= 0 })
	switch {
	case i == len(w.ends):
		return false
	case s.hi == point:
		return bytes.Equal(w.key(i), lo)
	case s.hi == unbounded:
		return true
	}
	return bytes.Compare(w.key(i), f.hi(s)) < 0
}

// Skip says that something was written at version and is not remembered: every
// transaction with an older snapshot that read anything conflicts.
func (t *Tracker) Skip(version uint64) {
	t.floor = max(t.floor, version)
	if len(t.queue) == 0 {
		return
	}
	clear(t.queue)
	t.queue, t.bytes, t.loose, t.indexed = t.queue[:0], 0, 0, 0
	if t.tree != nil {
		t.tree.Clear(true)
	}
}

// Reset is Skip for a version that is the newest in spite of what was recorded:
// nothing was written after it.
func (t *Tracker) Reset(version uint64) {
	t.floor = 0
	t.Skip(version)
}

// Forget drops what was written up to oldest, the snapshot of the oldest
// transaction that will still be checked.
func (t *Tracker) Forget(oldest uint64) {
	if oldest <= t.floor {
		return
	}
	for len(t.queue) > 0 && t.queue[0].version <= oldest {
		t.drop()
	}
	t.floor = oldest
}

// drop forgets the oldest commit.
func (t *Tracker) drop() {
	w := t.queue[0]
	t.queue[0] = written{}
	t.queue = t.queue[1:]
	t.bytes -= len(w.keys)
	if t.indexed == 0 {
		t.loose -= len(w.ends)
		return
	}
	t.indexed--
	for i := range w.ends {
		e := tracked{key: w.key(i)}
		if last, ok := t.tree.Get(e); ok && last.version == w.version {
			t.tree.Delete(e)
		}
	}
}
