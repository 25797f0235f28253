package occ

import (
	"bytes"
	"iter"
	"slices"
)

// A footprint over these limits is made coarser: ranges that lie close together
// become one, which can only add conflicts, never hide one.
const (
	maxSpans = 1 << 15
	maxArena = 4 << 20
)

// Footprint is what a transaction has read: keys, and ranges of keys. Its
// memory is bounded. The zero value is empty. It belongs to one goroutine at a
// time.
type Footprint struct {
	arena []byte
	spans []span
}

// span is one key or range, its bounds lying one after the other in the arena.
type span struct {
	off int // of lo; hi follows
	lo  int32
	hi  int32 // the length of hi, or one of the following
}

const (
	unbounded = -1 // there is no upper bound
	point     = -2 // only lo itself
)

// Len returns the number of keys and ranges kept.
func (f *Footprint) Len() int { return len(f.spans) }

// AddKey adds one key.
func (f *Footprint) AddKey(key []byte) {
	if n := len(f.spans); n > 0 {
		// A record is often read twice in a row: check, then change.
		last := f.spans[n-1]
		if last.hi == point && string(f.lo(last)) == string(key) {
			return
		}
	}
	f.add(key, nil, point)
}

// AddRange adds [lo, hi); a nil hi is no upper bound. An inverted range adds
// nothing.
func (f *Footprint) AddRange(lo, hi []byte) {
	switch {
	case hi == nil:
		f.add(lo, nil, unbounded)
	case bytes.Compare(lo, hi) < 0:
		f.add(lo, hi, int32(len(hi)))
	}
}

// addThrough adds [lo, last], last included.
func (f *Footprint) addThrough(lo, last []byte) {
	if bytes.Compare(lo, last) > 0 {
		return
	}
	f.add(lo, last, int32(len(last)+1))
	f.arena = append(f.arena, 0)
}

func (f *Footprint) add(lo, hi []byte, kind int32) {
	if len(f.spans) >= maxSpans || len(f.arena) >= maxArena {
		f.compact()
	}
	f.spans = append(f.spans, span{len(f.arena), int32(len(lo)), kind})
	f.arena = append(append(f.arena, lo...), hi...)
}

func (f *Footprint) lo(s span) []byte { return f.arena[s.off : s.off+int(s.lo)] }

// hi returns the upper bound of a range, nil where there is none.
func (f *Footprint) hi(s span) []byte {
	if s.hi < 0 {
		return nil
	}
	return f.arena[s.off+int(s.lo) : s.off+int(s.lo)+int(s.hi)]
}

// All returns the ranges read, in no order, a key being the range that holds
// it alone. The slices are good until the next step.
func (f *Footprint) All() iter.Seq2[[]byte, []byte] {
	return func(yield func(lo, hi []byte) bool) {
		var buf []byte
		for _, s := range f.spans {
			hi := f.hi(s)
			if s.hi == point {
				buf = append(append(buf[:0], f.lo(s)...), 0)
				hi = buf
			}
			if !yield(f.lo(s), hi) {
				return
			}
		}
	}
}

// compact drops what is contained in something else and, if that frees less
// than half, joins the closest half of the rest.
func (f *Footprint) compact() {
	g := f.merged(noJoin)
	if len(g.spans) > maxSpans/2 || len(g.arena) > maxArena/2 {
		g = g.merged(g.closest())
	}
	if len(g.arena) > maxArena/2 {
		g = g.merged(0) // a few enormous keys
	}
	*f = g
}

const noJoin = int(^uint(0) >> 1)

// merged returns the footprint sorted, with spans joined that overlap, touch,
// or are neighbours whose bounds share at least common bytes.
func (f *Footprint) merged(common int) Footprint {
	slices.SortFunc(f.spans, func(a, b span) int { return bytes.Compare(f.lo(a), f.lo(b)) })
	var g Footprint
	if len(f.spans) == 0 {
		return g
	}
	lo, hi, kind := f.bounds(f.spans[0])
	for _, s := range f.spans[1:] {
		slo, shi, skind := f.bounds(s)
		if kind != unbounded && bytes.Compare(slo, hi) > 0 && sharedPrefix(hi, slo) < common {
			g.append(lo, hi, kind)
			lo, hi, kind = slo, shi, skind
			continue
		}
		hi, kind = join(hi, kind, shi, skind)
	}
	g.append(lo, hi, kind)
	return g
}

// bounds returns a span's bounds, a key being both of its own.
func (f *Footprint) bounds(s span) (lo, hi []byte, kind int32) {
	if s.hi == point {
		return f.lo(s), f.lo(s), point
	}
	return f.lo(s), f.hi(s), min(s.hi, 0)
}

// append adds a span as bounds returns it; kind 0 is a range with both bounds.
func (g *Footprint) append(lo, hi []byte, kind int32) {
	switch kind {
	case point:
		g.spans = append(g.spans, span{len(g.arena), int32(len(lo)), point})
		g.arena = append(g.arena, lo...)
		return
	case unbounded:
		hi = nil
	default:
		kind = int32(len(hi))
	}
	g.spans = append(g.spans, span{len(g.arena), int32(len(lo)), kind})
	g.arena = append(append(g.arena, lo...), hi...)
}

// join returns the later of two ends, as bounds returns them.
func join(hi []byte, kind int32, shi []byte, skind int32) ([]byte, int32) {
	switch {
	case kind == unbounded || skind == unbounded:
		return nil, unbounded
	case kind == point && skind == point && bytes.Equal(hi, shi):
		return hi, point
	}
	return maxBound(exclusive(hi, kind), exclusive(shi, skind)), 0
}

// exclusive returns the bound that excludes what follows a span's end.
func exclusive(hi []byte, kind int32) []byte {
	if kind == point {
		return append(hi[:len(hi):len(hi)], 0)
	}
	return hi
}

func maxBound(a, b []byte) []byte {
	if bytes.Compare(a, b) >= 0 {
		return a
	}
	return b
}

// closest returns a prefix length that at least half of the gaps between
// neighbours in a sorted footprint share.
func (f *Footprint) closest() int {
	var counts [256]int
	for i := 1; i < len(f.spans); i++ {
		_, hi, _ := f.bounds(f.spans[i-1])
		n := sharedPrefix(hi, f.lo(f.spans[i]))
		counts[min(n, len(counts)-1)]++
	}
	sum := 0
	for n := len(counts) - 1; n > 0; n-- {
		if sum += counts[n]; sum >= len(f.spans)/2 {
			return n
		}
	}
	return 0
}

func sharedPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// reset empties the footprint, keeping a moderate amount of memory.
func (f *Footprint) reset() {
	if cap(f.arena) > 1<<16 || cap(f.spans) > 1<<12 {
		*f = Footprint{}
		return
	}
	f.arena, f.spans = f.arena[:0], f.spans[:0]
}
