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

	value  []byte       // the stored record; nil where it has not been read
	cur    store.Cursor // holds the value, which has not been kept
	body   []byte       // the record in the newest layout; nil where it has not been opened
	apart  bool         // body is not in value
	sealed bool         // the value need not be checked, see store.Sealer

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
	open := record.OpenBytes
	if it.sealed || r.verified {
		open = record.OpenSealed
	}
	body, converted, err := open(r.plan.table, it.key, value, nil)
	if err != nil {
		r.fail(err)
		return false
	}
	it.apart = it.apart || converted != nil
	it.body = body
	r.splitOf = nil // the memory may be that of a record before
	return true
}

// keep makes the value of the item, and the body in that, valid for ever.
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

// An itemBuffer holds copies of items, in memory that is used again.
type itemBuffer struct {
	prefix []byte // is put before each key
	bytes  []byte
	ends   []int
	items  []bufferedItem
}

// A bufferedItem is one item in an itemBuffer, as places in its bytes.
type bufferedItem struct {
	key, keyEnd   int
	tuple, elem   int // each ends where the next begins
	sort, part    int
	end           int
	ends, endsEnd int
	isEntry       bool
	value, body   []byte
	apart, sealed bool
	decoded       any
}

func (s *itemBuffer) reset() {
	clear(s.items)
	s.bytes, s.ends, s.items = s.bytes[:0], s.ends[:0], s.items[:0]
}

// add copies an item to the end of the buffer.
func (s *itemBuffer) add(it *item) {
	it.keep()
	x := bufferedItem{isEntry: it.tuple != nil, value: it.value, body: it.body, apart: it.apart, sealed: it.sealed, decoded: it.decoded}
	s.bytes = append(s.bytes, s.prefix...)
	x.key = len(s.bytes)
	s.bytes = append(s.bytes, it.key...)
	x.keyEnd, x.tuple = len(s.bytes), len(s.bytes)
	s.bytes = append(s.bytes, it.tuple...)
	x.elem = len(s.bytes)
	s.bytes = append(s.bytes, it.elem...)
	x.sort = len(s.bytes)
	s.bytes = append(s.bytes, it.sort...)
	x.part = len(s.bytes)
	s.bytes = append(s.bytes, it.part...)
	x.end = len(s.bytes)
	x.ends = len(s.ends)
	s.ends = append(s.ends, it.ends...)
	x.endsEnd = len(s.ends)
	s.items = append(s.items, x)
}

// get sets *it to the i-th item of the buffer.
func (s *itemBuffer) get(i int, it *item) {
	x := &s.items[i]
	*it = item{
		key: s.bytes[x.key:x.keyEnd], elem: s.bytes[x.elem:x.sort], sort: s.bytes[x.sort:x.part],
		ends: s.ends[x.ends:x.endsEnd], value: x.value, body: x.body, apart: x.apart, sealed: x.sealed, decoded: x.decoded,
	}
	if x.isEntry {
		it.tuple = s.bytes[x.tuple:x.elem]
	}
	if x.end > x.part {
		it.part = s.bytes[x.part:x.end]
	}
}

// key returns the i-th item's key.
func (s *itemBuffer) key(i int) []byte { return s.bytes[s.items[i].key:s.items[i].keyEnd] }

// size is about how many bytes the buffer holds.
func (s *itemBuffer) size() int { return len(s.bytes) + len(s.items)*bufferedItemSize }

// bufferedItemSize is about how many bytes a bufferedItem takes.
const bufferedItemSize = 200
