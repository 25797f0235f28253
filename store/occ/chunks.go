package occ

import (
	"bytes"
	"sync"

	"github.com/google/btree"

	"github.com/kivisdb/kivis/store"
)

// How many entries a cursor over a Source fetches at a time. A scan that stops early should not pay for
// entries it never shows, a long one not for a descent of the tree again and
// again: that costs about as much as 30 entries.
const (
	firstChunk = 16
	chunkGrow  = 8
	lastChunk  = 256
)

// Source is an ordered set of entries without tombstones or with them, which
// [NewCursor] reads a piece at a time.
type Source interface {
	// Fill appends the first entries of r, in its direction, to dst until
	// dst's capacity is used up, and returns it. Fewer mean that r has no
	// more. The range is only good during the call.
	Fill(dst []Entry, r store.Range) []Entry
}

// chunks is a cursor over a Source: it fetches 16 entries, then 128, then 256
// at a time. What it returns never changes, so Keep costs nothing. The zero value
// is not ready: call init or borrow. It belongs to one goroutine at a time.
type chunks struct {
	src   Source
	r     store.Range // what is left to fetch
	chunk []Entry
	pos   int // of the current entry; -1 before the first of the chunk
	size  int // of the next chunk
	last  bool
	used  int               // how much of buf was ever filled
	buf   *[lastChunk]Entry // backs chunk, from the pool; nil for a borrowed chunk
	next  []byte            // backs r.Lo
}

var buffers = sync.Pool{New: func() any { return new([lastChunk]Entry) }}

// NewCursor returns a cursor over the entries of src in r, whose bounds must
// not change while it is in use.
func NewCursor(src Source, r store.Range) store.Cursor {
	c := new(chunks)
	c.init(src, r)
	return c
}

func (c *chunks) init(src Source, r store.Range) {
	*c = chunks{src: src, r: r, pos: -1, size: firstChunk}
}

// borrow makes c a cursor over sorted entries that never change.
func (c *chunks) borrow(entries []Entry, r store.Range) {
	entries = within(entries, r)
	*c = chunks{chunk: entries, r: r, pos: -1, last: true}
	if r.Reverse {
		c.pos = len(entries)
	}
}

// within returns the part of sorted entries that lies in r.
func within(entries []Entry, r store.Range) []Entry {
	lo := lowerBound(entries, Pivot(r.Lo))
	hi := len(entries)
	if r.Hi != nil {
		hi = lowerBound(entries, Pivot(r.Hi))
	}
	return entries[lo:max(lo, hi)]
}

// lowerBound returns the index of the first entry at or after the key of p.
func lowerBound(entries []Entry, p Entry) int {
	lo, hi := 0, len(entries)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if Less(entries[mid], p) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// borrowed says whether the chunk is a sorted slice that is walked in either
// direction, rather than one filled in the scan's own order.
func (c *chunks) borrowed() bool { return c.src == nil }

// Next implements [store.Cursor].
func (c *chunks) Next() bool {
	if c.borrowed() && c.r.Reverse {
		c.pos = max(c.pos-1, -1)
		return c.pos >= 0
	}
	if c.pos+1 < len(c.chunk) {
		c.pos++
		return true
	}
	return c.refill()
}

// refill fetches the next chunk and stands on its first entry.
func (c *chunks) refill() bool {
	if c.last {
		c.pos = len(c.chunk)
		return false
	}
	if c.buf == nil {
		c.buf = buffers.Get().(*[lastChunk]Entry)
	}
	c.chunk = c.src.Fill(c.buf[0:0:c.size], c.r)
	c.used = max(c.used, len(c.chunk))
	c.last = len(c.chunk) < c.size
	c.size = min(chunkGrow*c.size, lastChunk)
	c.pos = 0
	if len(c.chunk) == 0 {
		return false
	}
	c.advance(c.chunk[len(c.chunk)-1].Key())
	return true
}

// advance makes the rest of the range begin beyond key.
func (c *chunks) advance(key []byte) {
	if c.r.Reverse {
		c.r.Hi = key
		return
	}
	c.next = append(append(c.next[:0], key...), 0)
	c.r.Lo = c.next
}

// Seek implements [store.Cursor].
func (c *chunks) Seek(key []byte) bool {
	if cur, ok := c.current(); ok && !before(cur.Key(), key, c.r.Reverse) {
		return c.Next()
	}
	if c.borrowed() && c.r.Reverse {
		i := lowerBound(c.chunk, Pivot(append(key[:len(key):len(key)], 0)))
		c.pos = min(c.pos, i)
		return c.Next()
	}
	if c.pos+1 < len(c.chunk) && c.skipTo(key) {
		return true
	}
	if c.last {
		return c.refill()
	}
	c.jump(key)
	return c.refill()
}

// skipTo moves within the chunk to the first entry at or beyond key, or to its
// last entry.
func (c *chunks) skipTo(key []byte) bool {
	lo, hi := c.pos+1, len(c.chunk)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if before(c.chunk[mid].Key(), key, c.r.Reverse) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	c.pos = min(lo, len(c.chunk)-1)
	return lo < len(c.chunk)
}

// jump makes the rest of the range begin at key, if that is further on.
func (c *chunks) jump(key []byte) {
	if !c.r.Reverse {
		if bytes.Compare(key, c.r.Lo) > 0 {
			c.next = append(c.next[:0], key...)
			c.r.Lo = c.next
		}
		return
	}
	if c.r.Hi == nil || bytes.Compare(key, c.r.Hi) < 0 {
		c.next = append(append(c.next[:0], key...), 0)
		c.r.Hi = c.next
	}
}

// current returns the entry that the cursor stands on.
func (c *chunks) current() (Entry, bool) {
	if c.pos < 0 || c.pos >= len(c.chunk) {
		return Entry{}, false
	}
	return c.chunk[c.pos], true
}

// Key implements [store.Cursor].
func (c *chunks) Key() []byte {
	if e, ok := c.current(); ok {
		return e.Key()
	}
	return nil
}

// Value implements [store.Cursor].
func (c *chunks) Value() []byte {
	if e, ok := c.current(); ok && !c.r.KeysOnly {
		return e.Value()
	}
	return nil
}

// Keep implements [store.Cursor].
func (c *chunks) Keep() []byte { return c.Value() }

// Err implements [store.Cursor]: a Source does not fail.
func (c *chunks) Err() error { return nil }

// Close implements [store.Cursor]. What the cursor returned stays good.
func (c *chunks) Close() {
	if c.buf != nil {
		clear(c.buf[:c.used])
		buffers.Put(c.buf)
	}
	*c = chunks{last: true}
}

// before says whether a comes before b in a scan's direction.
func before(a, b []byte, reverse bool) bool {
	if reverse {
		return bytes.Compare(a, b) > 0
	}
	return bytes.Compare(a, b) < 0
}

// FillTree is the [Source.Fill] of a B-tree of entries.
func FillTree(tree *btree.BTreeG[Entry], dst []Entry, r store.Range) []Entry {
	if r.Reverse {
		return fillDown(tree, dst, r)
	}
	hi := Pivot(r.Hi)
	tree.AscendGreaterOrEqual(Pivot(r.Lo), func(e Entry) bool {
		if r.Hi != nil && !Less(e, hi) {
			return false
		}
		dst = append(dst, e)
		return len(dst) < cap(dst)
	})
	return dst
}

func fillDown(tree *btree.BTreeG[Entry], dst []Entry, r store.Range) []Entry {
	lo, hi := Pivot(r.Lo), Pivot(r.Hi)
	visit := func(e Entry) bool {
		if Less(e, lo) {
			return false
		}
		if r.Hi != nil && !Less(e, hi) {
			return true // only Hi itself, which is out of the range
		}
		dst = append(dst, e)
		return len(dst) < cap(dst)
	}
	if r.Hi == nil {
		tree.Descend(visit)
	} else {
		tree.DescendLessOrEqual(hi, visit)
	}
	return dst
}
