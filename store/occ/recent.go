package occ

import (
	"bytes"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/kivisdb/kivis/store"
)

// maxRecent is how many bytes of what was committed lately are remembered,
// unless somebody asks for more or less of it.
const maxRecent = 8 << 20

// notedCost is what is remembered of a transaction besides its keys, and endCost
// of a key besides its bytes.
const (
	notedCost = 64
	endCost   = 4
)

// recent remembers the keys of what was committed lately.
//
// The invariant: it has every commit after floor, in order, up to the newest one
// that was noted. A transaction that was noted never changes, so it is read
// without the lock.
type recent struct {
	mu     sync.Mutex
	blocks []*block
	floor  uint64
	newest uint64 // the newest version noted, or floor
	bytes  int64
	max    int64
	keep   time.Duration // 0: however old
	last   int64         // the time of the newest

	// Where the next keys go: memory that they share with others.
	keys []byte
	ends []uint32
}

// block is some transactions, of which the first few may have been forgotten.
type block struct {
	notes []noted
	from  int
}

// perBlock is how many transactions a block has room for.
const perBlock = 128

// noted is what one transaction wrote. Those that committed as one version follow
// each other, in the order in which their writes won.
type noted struct {
	version uint64
	time    int64 // in nanoseconds of Unix time
	keys    []byte
	ends    []uint32 // where each key ends, times 4, and what was done to it
}

// What was done to a key.
const (
	wasDeleted = 1 << iota
	wasCreated
	endShift = iota
)

func (n *noted) key(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = n.ends[i-1] >> endShift
	}
	to := n.ends[i] >> endShift
	return n.keys[from:to:to]
}

func (n *noted) write(i int) store.Write { return writeOf(n.key(i), n.ends[i]) }

// doneTo returns what an entry does to its key.
func doneTo(e Entry) uint32 {
	switch {
	case e.Deleted():
		return wasDeleted
	case e.Created():
		return wasCreated
	}
	return 0
}

// writeOf returns the write that has done something to key.
func writeOf(key []byte, done uint32) store.Write {
	return store.Write{Key: key, Deleted: done&wasDeleted != 0, Created: done&wasCreated != 0}
}

func (n *noted) size() int64 { return int64(len(n.keys) + endCost*len(n.ends) + notedCost) }

// init makes r empty, knowing nothing of what was committed up to version.
func (r *recent) init(version uint64) { r.floor, r.newest, r.max = version, version, maxRecent }

// bound sets new bounds.
func (r *recent) bound(keep time.Duration, max int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep, r.max = keep, min(max, 1<<29) // so that an end has room
	r.trim(time.Now().UnixNano())
}

// boundary returns the version after which everything is remembered.
func (r *recent) boundary() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.floor
}

// note remembers what the members of a batch have written, as version, and
// returns the time that it gives to it.
func (r *recent) note(version uint64, now int64, batch []*Tx) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.newest = max(r.last, now), version
	for _, tx := range batch {
		if o := tx.Overlay(); !r.add(version, o) {
			r.blocks, r.bytes, r.floor = nil, 0, version
			return
		}
	}
	r.trim(now)
}

// add remembers what one transaction wrote, unless that alone is too much.
func (r *recent) add(version uint64, o *Overlay) bool {
	if int64(o.Len())*endCost > r.max {
		return false
	}
	n := noted{version: version, time: r.last}
	key, end := len(r.keys), len(r.ends)
	for e := range o.All() {
		r.keys, key = appendShared(r.keys, key, e.Key()...)
		r.ends, end = appendShared(r.ends, end, uint32(len(r.keys)-key)<<endShift|doneTo(e))
		if int64(len(r.keys)-key) > r.max {
			return false
		}
	}
	n.keys, n.ends = r.keys[key:len(r.keys):len(r.keys)], r.ends[end:len(r.ends):len(r.ends)]
	if k := len(r.blocks); k == 0 || len(r.blocks[k-1].notes) == perBlock {
		r.blocks = append(r.blocks, &block{notes: make([]noted, 0, perBlock)})
	}
	b := r.blocks[len(r.blocks)-1]
	b.notes = append(b.notes, n)
	r.bytes += n.size()
	return true
}

// shared is how many bytes or ends share a piece of memory.
const shared = 8 << 10

// appendShared appends items to b, which is shared by what stands before from
// and does not move. What begins at from does: appendShared returns where to.
func appendShared[E any](b []E, from int, items ...E) ([]E, int) {
	if len(b)+len(items) > cap(b) {
		grown := make([]E, 0, max(shared, 2*(len(b)-from+len(items))))
		b, from = append(grown, b[from:]...), 0
	}
	return append(b, items...), from
}

// trim forgets the oldest until what is left is within the bounds.
func (r *recent) trim(now int64) {
	for len(r.blocks) > 0 {
		b := r.blocks[0]
		for ; b.from < len(b.notes); b.from++ {
			n := &b.notes[b.from]
			if r.bytes <= r.max && (r.keep == 0 || n.time >= now-int64(r.keep)) && n.version > r.floor {
				return
			}
			r.floor = n.version // of which another member may follow
			r.bytes -= n.size()
		}
		r.blocks[0] = nil
		r.blocks = r.blocks[1:]
	}
}

// after appends to dst what was committed after a version, up to another, or
// returns GapError. If that is more than n transactions it appends the first of
// them, whole versions each.
func (r *recent) after(dst []noted, version, last uint64, n int) ([]noted, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case version < r.floor:
		return dst, &store.GapError{After: version, Boundary: r.floor}
	case version >= r.newest:
		return dst, nil
	}
	i := sort.Search(len(r.blocks), func(i int) bool { return r.blocks[i].newest() > version })
	for _, b := range r.blocks[i:] {
		notes := b.notes[b.from:]
		at := sort.Search(len(notes), func(i int) bool { return notes[i].version > version })
		for _, note := range notes[at:] {
			k := len(dst)
			if note.version > last || k >= n && note.version != dst[k-1].version {
				return dst, nil
			}
			dst = append(dst, note)
		}
	}
	return dst, nil
}

// newest returns the newest version in a block, which is not empty.
func (b *block) newest() uint64 { return b.notes[len(b.notes)-1].version }

// commitOf returns what the transactions of one version wrote as a commit.
func commitOf(members []noted) store.Commit {
	first := &members[0]
	c := store.Commit{Version: first.version, Time: time.Unix(0, first.time)}
	n := 0
	for i := range members {
		n += len(members[i].ends)
	}
	c.Writes = make([]store.Write, 0, n)
	for i := range members {
		m := &members[i]
		for k := range m.ends {
			c.Writes = append(c.Writes, m.write(k))
		}
	}
	if len(members) > 1 {
		c.Writes = lastOfEach(c.Writes)
	}
	return c
}

// lastOfEach sorts writes by key, and keeps of each the last. Whether it has
// created the key is what the first of them says.
func lastOfEach(writes []store.Write) []store.Write {
	slices.SortStableFunc(writes, func(a, b store.Write) int { return bytes.Compare(a.Key, b.Key) })
	kept := writes[:0]
	for from, i := 0, 0; i < len(writes); i++ {
		w := writes[i]
		if i+1 == len(writes) || !bytes.Equal(w.Key, writes[i+1].Key) {
			w.Created = writes[from].Created
			kept = append(kept, w)
			from = i + 1
		}
	}
	return kept
}

// wrote says whether one of the transactions wrote a key in ranges, which ascend
// and are disjoint.
func wrote(list []noted, ranges []store.Range) bool {
	for i := len(list) - 1; i >= 0; i-- {
		for k := range list[i].ends {
			if inRanges(ranges, list[i].key(k)) {
				return true
			}
		}
	}
	return false
}

// inRanges says whether key is in one of ranges, which ascend and are disjoint.
func inRanges(ranges []store.Range, key []byte) bool {
	// The last range that does not begin after key is the only one to hold it.
	i := sort.Search(len(ranges), func(i int) bool { return bytes.Compare(ranges[i].Lo, key) > 0 })
	return i > 0 && (ranges[i-1].Hi == nil || bytes.Compare(key, ranges[i-1].Hi) < 0)
}
