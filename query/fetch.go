package query

import (
	"bytes"
	"fmt"

	"github.com/kivisdb/kivis/codec"
)

// maxBatch is how many records are fetched at once.
const maxBatch = 64

// A fetcher gives the items of a stream with their records, which it fetches
// in batches that grow.
type fetcher struct {
	r      *Rows
	in     stream
	size   int // of the next batch
	shelf  shelf
	i      int
	keys   [][]byte
	values [][]byte
	at     []int // of each key, its item on the shelf
	ended  bool
}

// newFetcher fetches the records of in's items. With exact, no more of them
// are wanted than the query's limit says.
func (r *Rows) newFetcher(in stream, exact bool) *fetcher {
	f := &fetcher{r: r, in: in, size: 8, shelf: shelf{prefix: r.plan.table.Prefix(0)}}
	switch few := r.few(); {
	case exact:
		f.size = min(few, maxBatch)
	case few < maxBatch:
		f.size = min(few, f.size)
	}
	return f
}

func (f *fetcher) next(it *item) bool {
	if f.i == len(f.shelf.slots) && !f.fill() {
		return false
	}
	f.shelf.get(f.i, it)
	f.i++
	return true
}

// fill fetches the next batch.
func (f *fetcher) fill() bool {
	f.shelf.reset()
	f.i = 0
	var it item
	for len(f.shelf.slots) < f.size && !f.ended {
		if f.ended = !f.in.next(&it); !f.ended {
			f.shelf.add(&it)
		}
	}
	f.size = min(2*f.size, maxBatch)
	return f.r.err == nil && len(f.shelf.slots) > 0 && f.fetch()
}

// fetch reads the records of the items that do not have theirs.
func (f *fetcher) fetch() bool {
	f.keys, f.at = f.keys[:0], f.at[:0]
	for i := range f.shelf.slots {
		if f.shelf.slots[i].value == nil {
			f.keys, f.at = append(f.keys, f.shelf.storeKey(i)), append(f.at, i)
		}
	}
	if len(f.keys) == 0 {
		return true
	}
	f.values = resize(f.values, len(f.keys))
	clear(f.values)
	if err := f.r.tx.GetMany(f.keys, f.values); err != nil {
		f.r.fail(err)
		return false
	}
	f.r.stats.Records += len(f.keys)
	for n, i := range f.at {
		if f.values[n] == nil {
			f.r.damaged(f.r.indexName(), bytes.Clone(f.shelf.key(i)), errNoRecord)
			return false
		}
		f.shelf.slots[i].value = f.values[n]
	}
	clear(f.values)
	return true
}

var errNoRecord = fmt.Errorf("%w: an entry of a record that is not there", codec.ErrCorrupt)

func (f *fetcher) close() { f.in.close() }

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
