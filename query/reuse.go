package query

import "sync"

// What a query needs while it is planned and run is used again by the next
// one: allocating it would cost more than most queries do.

const (
	keepParts = 8        // how many values of a kind are kept
	keepItems = 1024     // how many items a list may have room for, to be kept
	keepBytes = 64 << 10 // how large a buffer is kept
	minArena  = 16       // how many values the first buffer has room for
	maxArena  = 64 << 10
)

// A freeList holds values of one kind that are used over and over.
type freeList[T any] struct {
	all  []*T
	used int
}

// take returns a value that is not in use: a new one, or one as it was put
// back.
func (s *freeList[T]) take() *T {
	if s.used == len(s.all) {
		s.all = append(s.all, new(T))
	}
	s.used++
	return s.all[s.used-1]
}

// reset has all values put back.
func (s *freeList[T]) reset(put func(*T)) {
	for _, x := range s.all[:s.used] {
		put(x)
	}
	if len(s.all) > keepParts {
		clear(s.all[keepParts:])
		s.all = s.all[:keepParts]
	}
	s.used = 0
}

// An arena is memory for values that stay where they are until all of them are
// dropped at once.
type arena[T any] struct{ buf []T }

// room returns an empty slice with room for n values.
func (b *arena[T]) room(n int) []T {
	if cap(b.buf)-len(b.buf) < n {
		b.buf = make([]T, 0, max(minArena, n, min(2*cap(b.buf), maxArena)))
	}
	at := len(b.buf)
	b.buf = b.buf[:at+n]
	return b.buf[at : at : at+n]
}

// copy returns x in the arena.
func (b *arena[T]) copy(x []T) []T { return append(b.room(len(x)), x...) }

// reset drops the values, and the memory where it has room for more than keep.
func (b *arena[T]) reset(keep int) {
	if cap(b.buf) > keep {
		b.buf = nil
	}
	clear(b.buf)
	b.buf = b.buf[:0]
}

// emptied returns s without its elements, to be filled again.
func emptied[T any](s []T) []T {
	if cap(s) > keepItems {
		return nil
	}
	clear(s)
	return s[:0]
}

// planMemory is what a plan is made of, and what makes it.
type planMemory struct {
	binder     binder
	planner    planner
	plan       Plan
	template   planTemplate
	candidates freeList[candidate]
	accesses   freeList[accessPath]
	bytes      arena[byte] // of the keys in ranges
	key, tuple []byte      // of a point's record, and of the entry that it has
	offs       []uint32    // where its columns are

	free bool
	pool *sync.Pool // where it goes when it is free
}

// reset drops the plan, and keeps memory for the next one.
func (m *planMemory) reset() {
	m.candidates.reset((*candidate).reset)
	m.accesses.reset((*accessPath).reset)
	m.bytes.reset(keepBytes)
	m.binder.reset()
	prefix, reads := m.planner.prefix[:0], emptied(m.plan.reads)
	m.planner, m.plan, m.template.known = planner{}, Plan{}, false
	m.planner.prefix, m.plan.reads = prefix, reads
}
