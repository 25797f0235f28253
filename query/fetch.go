package query

import (
	"errors"
	"fmt"
	"math"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/store"
)

// How many records are fetched at once: at first, where it is not known how
// many are wanted, and at most.
const (
	firstBatch = 8
	maxBatch   = 64
)

// A fetcher gives the items of a stream with their records, which it fetches
// in batches that grow.
type fetcher struct {
	r     *Rows
	in    stream
	size  int // of the next batch
	ended bool
	it    item // of in
	i     int  // the next item of the batch
	batch
}

// A batch is some items and their records.
type batch struct {
	items  []item      // their bytes are in the arena, but for values
	bytes  arena[byte] // and the keys
	keys   [][]byte    // of the records to read
	at     []int       // of each key, its item
	values [][]byte
}

// newFetcher fetches the records of in's items. With exact, no more of them
// are wanted than the query's limit says.
func (r *Rows) newFetcher(in stream, exact bool) *fetcher {
	f := r.fetchers.take()
	few := r.few()
	f.r, f.in, f.size = r, in, min(few, maxBatch)
	if !exact || few == math.MaxInt {
		f.size = min(f.size, firstBatch)
	}
	return f
}

func (f *fetcher) next(it *item) bool {
	if f.size == 1 {
		return f.nextOne(it)
	}
	if f.i == len(f.items) && !f.fill() {
		return false
	}
	*it = f.items[f.i]
	f.i++
	return true
}

// nextOne is next for a batch of one, the first, which needs no copy.
func (f *fetcher) nextOne(it *item) bool {
	f.size = 2
	if f.ended = !f.in.next(it); f.ended {
		return false
	}
	if it.value != nil || it.cur != nil {
		return true
	}
	f.keys, f.values = append(f.keys, f.storeKey(it)), resize(f.values, 1)
	if !f.read() {
		return false
	}
	it.value = f.values[0]
	return it.value != nil || f.missing(it)
}

// storeKey returns the store's key of the item's record.
func (f *fetcher) storeKey(it *item) []byte {
	prefix := f.r.plan.table.Prefix(0)
	return append(append(f.bytes.room(len(prefix)+len(it.key)), prefix...), it.key...)
}

// fill fetches the next batch.
func (f *fetcher) fill() bool {
	f.items, f.keys, f.at, f.i = emptied(f.items), emptied(f.keys), f.at[:0], 0
	f.bytes.reset(keepBytes)
	for len(f.items) < f.size && !f.ended {
		if f.ended = !f.in.next(&f.it); !f.ended {
			f.add(&f.it)
		}
	}
	f.size = min(2*f.size, maxBatch)
	return f.r.err == nil && len(f.items) > 0 && f.fetch()
}

// add takes into the batch what is needed of an item once it has its record.
func (f *fetcher) add(it *item) {
	it.keep()
	key := f.storeKey(it)
	x := item{key: key[len(key)-len(it.key):], value: it.value, body: it.body, apart: it.apart, sealed: it.sealed, decoded: it.decoded}
	if it.elem != nil {
		x.elem = f.bytes.copy(it.elem)
	}
	if it.part != nil {
		x.part = f.bytes.copy(it.part)
	}
	if it.value == nil {
		f.keys, f.at = append(f.keys, key), append(f.at, len(f.items))
	}
	f.items = append(f.items, x)
}

// fetch reads the records of the items that do not have theirs.
func (f *fetcher) fetch() bool {
	if len(f.keys) == 0 {
		return true
	}
	f.values = resize(f.values, len(f.keys))
	if !f.read() {
		return false
	}
	for n, i := range f.at {
		if f.items[i].value = f.values[n]; f.values[n] == nil {
			return f.missing(&f.items[i])
		}
	}
	clear(f.values)
	return true
}

// read reads the values of the keys.
func (f *fetcher) read() bool {
	if err := f.r.get(f.keys, f.values); err != nil {
		f.r.fail(err)
		return false
	}
	f.r.stats.Records += len(f.keys)
	return true
}

// missing notes that an item has no record, and returns false.
func (f *fetcher) missing(it *item) bool {
	f.r.damaged(f.r.indexName(), it.key, errNoRecord)
	return false
}

var errNoRecord = fmt.Errorf("%w: an entry of a record that is not there", codec.ErrCorrupt)

func (f *fetcher) close() { f.in.close() }

// reset lets go of all but memory.
func (f *fetcher) reset() {
	f.bytes.reset(keepBytes)
	m := batch{emptied(f.items), f.bytes, emptied(f.keys), f.at[:0], emptied(f.values)}
	*f = fetcher{}
	f.batch = m
}

// get reads the values of keys, nil where there is none: all at once, or just
// the one.
func (r *Rows) get(keys, values [][]byte) error {
	if len(keys) > 1 {
		clear(values)
		return r.tx.GetMany(keys, values)
	}
	value, err := r.tx.Get(keys[0])
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	values[0] = value
	return err
}

// A limiter gives some of a stream's items: not the first skip, and left at most.
type limiter struct {
	in         stream
	skip, left int // left -1 is no limit
}

func (l *limiter) next(it *item) bool {
	if l.left == 0 {
		return false
	}
	for ; l.skip > 0; l.skip-- {
		if !l.in.next(it) {
			return false
		}
	}
	if l.left > 0 {
		l.left--
	}
	return l.in.next(it)
}

func (l *limiter) close() { l.in.close() }
