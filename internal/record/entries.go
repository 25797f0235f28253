package record

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// MaxKey is the largest key tuple or index entry in bytes, without its prefix.
const MaxKey = 2048

// Entries is the set of a record's entries in one index: store keys, in order
// and without repeats, in one buffer. The zero Entries is empty; each Compute
// uses the memory of the last.
type Entries struct {
	buf  []byte
	list []entry
}

// entry is one index entry. In the unique form the store's value is the
// record's key tuple and a checksum. Otherwise the key ends in the tuple and
// the value is empty.
type entry struct {
	from, to int
	unique   bool
}

// Len returns how many entries there are.
func (e *Entries) Len() int { return len(e.list) }

// Key returns the store's key of entry i, which the next Compute overwrites.
func (e *Entries) Key(i int) []byte { return e.buf[e.list[i].from:e.list[i].to] }

// Unique reports whether entry i is in the unique form: only one record may
// have its key.
func (e *Entries) Unique(i int) bool { return e.list[i].unique }

// Value returns what the store holds under entry i of the record with the key
// tuple: nil, or in the unique form bytes in dst's memory.
func (e *Entries) Value(i int, dst, tuple []byte) []byte {
	if !e.list[i].unique {
		return nil
	}
	return codec.SealEntry(dst[:0], e.Key(i), tuple)
}

// Has reports whether key is the key of an entry.
func (e *Entries) Has(key []byte) bool { return e.Find(key) >= 0 }

// Find returns which entry has the key, or -1.
func (e *Entries) Find(key []byte) int {
	i, found := slices.BinarySearchFunc(e.list, key, func(x entry, key []byte) int {
		return bytes.Compare(e.buf[x.from:x.to], key)
	})
	if !found {
		return -1
	}
	return i
}

// Clear makes the set empty.
func (e *Entries) Clear() { e.buf, e.list = e.buf[:0], e.list[:0] }

// Trim lets go of the buffer where it is larger than limit bytes.
func (e *Entries) Trim(limit int) {
	if cap(e.buf) > limit {
		e.buf = nil
	}
}

// Compute makes e the entries in ix of the record with the body and the key
// tuple. The error is ErrKeyTooLarge's, or matches codec.ErrCorrupt.
func (e *Entries) Compute(tb *schema.Table, ix *schema.Index, b Body, tuple []byte) error {
	e.Clear()
	each := -1
	for i := range ix.Parts {
		if ix.Parts[i].Each {
			each = i
		}
	}
	if each < 0 {
		return e.add(tb, ix, b, tuple, nil)
	}
	list, err := b.Part(&ix.Parts[each])
	if err != nil {
		return err
	}
	err = codec.ElementsAt(list, ix.Parts[each].Path, func(elem []byte) error { return e.add(tb, ix, b, tuple, elem) })
	if err != nil {
		return err
	}
	e.sort()
	return nil
}

// add appends one entry; elem is the value of the `each` part.
func (e *Entries) add(tb *schema.Table, ix *schema.Index, b Body, tuple, elem []byte) error {
	from := len(e.buf)
	e.buf = append(e.buf, tb.Prefix(ix.ID)...)
	start := len(e.buf)
	null := false
	for i := range ix.Parts {
		p := &ix.Parts[i]
		v := elem
		var err error
		if !p.Each {
			if v, err = b.Part(p); err != nil {
				return err
			}
		}
		null = null || p.Key.Ptr && !p.NilEqual && codec.IsNil(v)
		if e.buf, err = p.Key.Transcode(e.buf, v); err != nil {
			return fmt.Errorf("index %s, part %s: %w", ix.Name, p.Name, err)
		}
	}
	unique := ix.Unique && !null
	size := len(e.buf) - start + len(tuple)
	if !unique {
		e.buf = append(e.buf, tuple...)
	}
	if size > MaxKey {
		return fmt.Errorf("%w: the entry in index %s takes %d bytes, at most %d are allowed", ErrKeyTooLarge, ix.Name, size, MaxKey)
	}
	e.list = append(e.list, entry{from, len(e.buf), unique})
	return nil
}

// sort orders the entries and drops repeats.
func (e *Entries) sort() {
	slices.SortFunc(e.list, func(a, b entry) int {
		return bytes.Compare(e.buf[a.from:a.to], e.buf[b.from:b.to])
	})
	e.list = slices.CompactFunc(e.list, func(a, b entry) bool {
		return bytes.Equal(e.buf[a.from:a.to], e.buf[b.from:b.to])
	})
}
