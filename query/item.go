package query

import (
	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/store"
)

// An item is one record on its way through a plan: at first perhaps only its
// index entry. Its slices are valid until the stream that gave it moves on,
// but for a value that has been kept, and a body in that.
type item struct {
	key   []byte // the record's key tuple
	tuple []byte // what follows the prefix in the entry's key; nil for a record
	ends  []int  // where each part of the index ends in tuple
	elem  []byte // the part of an element, where the record may come again

	value []byte       // the stored record; nil where it has not been read
	cur   store.Cursor // holds the value, which has not been kept
	body  []byte       // the record in the newest layout; nil where it has not been opened
	apart bool         // body is not in value

	sort    []byte // the sort key, where there is one
	part    []byte // the field that is wanted, where it is known
	decoded any    // see Row.Decoded
}

// open reads the record's body. It returns false on damage, which r keeps.
func (r *Rows) open(it *item) bool {
	if it.body != nil {
		return true
	}
	value := it.value
	if it.cur != nil {
		value = it.cur.Value()
	}
	body, converted, err := record.OpenBytes(r.plan.table, it.key, value, nil)
	if err != nil {
		r.fail(err)
		return false
	}
	it.apart = it.apart || converted != nil
	it.body = body
	r.splitOf = nil // the memory may be that of a record before
	return true
}

// keep makes the value, and the body in it, bytes that stay valid for ever.
func (it *item) keep() {
	if it.cur == nil {
		return
	}
	it.value = it.cur.Keep()
	it.cur = nil
	if it.body != nil && !it.apart {
		end := len(it.value) - codec.ChecksumSize
		it.body = it.value[end-len(it.body) : end : end]
	}
}

// A stream gives items. At the end, and after a fault that the Rows keep, next
// returns false. An item stays good until the next call.
type stream interface {
	next(it *item) bool
	close()
}

// A shelf holds copies of items, in memory that is used again.
type shelf struct {
	prefix []byte // is put before each key
	arena  []byte
	ends   []int
	slots  []slot
}

// A slot is one item on a shelf, as places in the arena.
type slot struct {
	key, keyEnd   int
	tuple, elem   int // each ends where the next begins
	sort, part    int
	end           int
	ends, endsEnd int
	isEntry       bool
	value, body   []byte
	apart         bool
	decoded       any
}

func (s *shelf) reset() {
	clear(s.slots)
	s.arena, s.ends, s.slots = s.arena[:0], s.ends[:0], s.slots[:0]
}

// add copies an item to the end of the shelf.
func (s *shelf) add(it *item) {
	it.keep()
	x := slot{isEntry: it.tuple != nil, value: it.value, body: it.body, apart: it.apart, decoded: it.decoded}
	s.arena = append(s.arena, s.prefix...)
	x.key = len(s.arena)
	s.arena = append(s.arena, it.key...)
	x.keyEnd, x.tuple = len(s.arena), len(s.arena)
	s.arena = append(s.arena, it.tuple...)
	x.elem = len(s.arena)
	s.arena = append(s.arena, it.elem...)
	x.sort = len(s.arena)
	s.arena = append(s.arena, it.sort...)
	x.part = len(s.arena)
	s.arena = append(s.arena, it.part...)
	x.end = len(s.arena)
	x.ends = len(s.ends)
	s.ends = append(s.ends, it.ends...)
	x.endsEnd = len(s.ends)
	s.slots = append(s.slots, x)
}

// get makes it the i-th item on the shelf.
func (s *shelf) get(i int, it *item) {
	x := &s.slots[i]
	*it = item{
		key: s.arena[x.key:x.keyEnd], elem: s.arena[x.elem:x.sort], sort: s.arena[x.sort:x.part],
		ends: s.ends[x.ends:x.endsEnd], value: x.value, body: x.body, apart: x.apart, decoded: x.decoded,
	}
	if x.isEntry {
		it.tuple = s.arena[x.tuple:x.elem]
	}
	if x.end > x.part {
		it.part = s.arena[x.part:x.end]
	}
}

// key returns the i-th item's key.
func (s *shelf) key(i int) []byte { return s.arena[s.slots[i].key:s.slots[i].keyEnd] }

// size is about how many bytes the shelf holds.
func (s *shelf) size() int { return len(s.arena) + len(s.slots)*slotSize }

// slotSize is about how many bytes a slot takes.
const slotSize = 200
