package query

import (
	"bytes"
	"fmt"
	"slices"
)

// MaxSortBytes is how much a query may hold in memory to sort its records: what
// it sorts by, and the records where they have been read. A query over it fails
// with [ErrSortTooLarge]. One with a limit of up to a million holds no more
// records than that, and where these are too large it reads them a second time:
// it never fails.
const MaxSortBytes = 128 << 20

// maxTop is the largest limit under which a sort holds what it must.
const maxTop = 1_000_000

// A sorter gives the items of a stream in order. With top it is a heap of the
// first so many; else it holds them all.
type sorter struct {
	r      *Rows
	in     stream
	keyers []*sortKeys // by the access path that an item comes from
	top    int         // -1: all

	items  []sorted
	arena  []byte
	size   int
	i      int
	begun  bool
	buf    []byte
	cutoff []byte // the sort key of the position to go on from
	bare   bool   // the records were too large to hold: what is held are keys
	again  stream // reads them a second time
}

// A sorted is an item in a sorter.
type sorted struct {
	sort  []byte
	key   []byte
	part  []byte // nil or the field that is wanted
	value []byte
	body  []byte
	apart bool
}

// newSorter brings a stream's items into the plan's order.
func (r *Rows) newSorter(in stream, top int, keyers []*sortKeys) *sorter {
	s := &sorter{r: r, in: in, top: top, keyers: keyers}
	if r.plan.after != nil {
		s.cutoff = r.sortKeyOf(r.plan.after)
	}
	return s
}

func (s *sorter) next(it *item) bool {
	if !s.begun {
		s.begun = true
		if !s.fill() {
			return false
		}
		if s.bare {
			s.again = s.r.newFetcher(&sortedItems{s}, true)
		}
	}
	if s.again != nil {
		return s.again.next(it)
	}
	return s.nextHeld(it)
}

// sortedItems are the items that a sorter holds, in order.
type sortedItems struct{ *sorter }

func (s *sortedItems) next(it *item) bool { return s.nextHeld(it) }
func (s *sortedItems) close()             {}

// nextHeld gives the next of the sorted items as it is held.
func (s *sorter) nextHeld(it *item) bool {
	if s.i >= len(s.items) {
		return false
	}
	x := &s.items[s.i]
	s.i++
	*it = item{key: x.key, sort: x.sort, part: x.part, value: x.value, body: x.body, apart: x.apart}
	return true
}

// fill takes all of the stream.
func (s *sorter) fill() bool {
	var it item
	for s.in.next(&it) {
		var ok bool
		if s.buf, ok = s.keyers[s.r.read].append(s.r, s.buf[:0], &it); !ok {
			return false
		}
		if s.cutoff != nil {
			if c := bytes.Compare(s.buf, s.cutoff); c < 0 || c == 0 && !s.r.plan.inclusive() {
				continue
			}
		}
		if !s.take(&it) {
			return false
		}
	}
	if s.r.err != nil {
		return false
	}
	slices.SortFunc(s.items, func(a, b sorted) int { return bytes.Compare(a.sort, b.sort) })
	return true
}

// take adds an item whose sort key is in buf, if it is not behind the top.
func (s *sorter) take(it *item) bool {
	full := s.top >= 0 && len(s.items) >= s.top
	if full && (s.top == 0 || bytes.Compare(s.buf, s.items[0].sort) >= 0) {
		return true
	}
	x := sorted{}
	if full {
		x = s.items[0] // its memory is used again
		s.size -= x.bytes()
	}
	s.fillItem(&x, it)
	if s.size += x.bytes(); s.size > MaxSortBytes && !s.relieve(&x) {
		s.r.fail(fmt.Errorf("%w: over %d MB; an index on what it is ordered by would do it, or a limit", ErrSortTooLarge, MaxSortBytes>>20))
		return false
	}
	switch {
	case full:
		s.items[0] = x
		s.sink(0)
	default:
		s.items = append(s.items, x)
		if len(s.items) == s.top {
			for i := len(s.items)/2 - 1; i >= 0; i-- {
				s.sink(i)
			}
		}
	}
	return true
}

// relieve lets go of the records that are held, x among them, where the limit
// bounds how many there are.
func (s *sorter) relieve(x *sorted) bool {
	if s.top < 0 || s.top > maxTop {
		return false
	}
	if !s.bare {
		s.bare = s.r.plan.fetch
		x.drop()
		for i := range s.items {
			s.items[i].drop()
		}
	}
	return true
}

// drop lets go of the record.
func (x *sorted) drop() { x.value, x.body, x.apart = nil, nil, false }

func (x *sorted) bytes() int {
	return len(x.sort) + len(x.key) + len(x.part) + len(x.value) + sortedSize
}

// sortedSize is about how many bytes a sorted takes beside its slices.
const sortedSize = 130

// fillItem makes x a copy of it.
func (s *sorter) fillItem(x *sorted, it *item) {
	x.sort, x.key = s.copy(x.sort, s.buf), s.copy(x.key, it.key)
	if it.part != nil {
		x.part = s.copy(x.part, it.part)
	}
	if s.r.plan.fetch && !s.bare { // else nothing of the record is asked for any more
		it.keep()
		x.value, x.body, x.apart = it.value, it.body, it.apart
	}
}

// copy returns b in memory of its own: that of old, if it has room.
func (s *sorter) copy(old, b []byte) []byte {
	if cap(old) >= len(b) {
		return append(old[:0], b...)
	}
	if cap(s.arena)-len(s.arena) < len(b) {
		s.arena = make([]byte, 0, max(4096, len(b), min(2*cap(s.arena), 1<<20)))
	}
	n := len(s.arena)
	s.arena = append(s.arena, b...)
	return s.arena[n:len(s.arena):len(s.arena)]
}

// sink moves the i-th item of the heap, whose first is the greatest, to where
// it belongs.
func (s *sorter) sink(i int) {
	for {
		most := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(s.items) && bytes.Compare(s.items[child].sort, s.items[most].sort) > 0 {
				most = child
			}
		}
		if most == i {
			return
		}
		s.items[i], s.items[most] = s.items[most], s.items[i]
		i = most
	}
}

func (s *sorter) close() { s.in.close() }
