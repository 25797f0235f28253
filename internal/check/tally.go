package check

import (
	"hash/maphash"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
)

// buckets is in how many buckets the entries of an index are added up.
const buckets = 1 << 10

// A tally compares two sets of index entries without keeping either: each entry
// is added to a bucket, chosen by its key, on its side.
type tally struct {
	ix   *schema.Index
	seed maphash.Seed
	want [buckets]sum // the entries that the records have
	have [buckets]sum // the entries that are stored
}

// sum is the number of entries in a bucket and the sum of their hashes, which
// does not depend on their order.
type sum struct {
	n    uint64
	hash uint64
}

func newTally(ix *schema.Index) *tally { return &tally{ix: ix, seed: maphash.MakeSeed()} }

// add adds an entry to one side.
func (t *tally) add(side *[buckets]sum, key, value []byte) {
	h := maphash.Bytes(t.seed, key)
	s := &side[h%buckets]
	s.n++
	if len(value) > 0 {
		h = h*31 + maphash.Bytes(t.seed, value)
	}
	s.hash += h
}

// differs reports whether the sides differ in the bucket of the entry key.
func (t *tally) differs(key []byte) bool {
	b := maphash.Bytes(t.seed, key) % buckets
	return t.want[b] != t.have[b]
}

// equal reports whether the sides are the same in all buckets.
func (t *tally) equal() bool { return t.want == t.have }

// addRecord adds the entries of a record with the key tuple to those that
// there should be. buf is memory for their values, which is returned grown.
func (t *tally) addRecord(e *record.Entries, buf, tuple []byte) []byte {
	for i := range e.Len() {
		value := e.Value(i, buf, tuple)
		if value != nil {
			buf = value
		}
		t.add(&t.want, e.Key(i), value)
	}
	return buf
}
