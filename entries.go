package kivis

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// maxKey is the largest encoded key or index entry, without its prefix.
const maxKey = 2048

// body is a record's encoded fields in its table's newest layout, and where
// each starts.
type body struct {
	bytes []byte
	offs  []uint32
}

// column returns the encoded value of one column.
func (b body) column(i int) []byte { return b.bytes[b.offs[i]:b.offs[i+1]] }

// part returns the encoded value of one key or index part.
func (b body) part(p *schema.Part) ([]byte, error) {
	v := b.column(p.Column)
	if len(p.Path) == 0 {
		return v, nil
	}
	return codec.Select(v, p.Path)
}

// same reports whether the columns under parts are the same, byte for byte.
func same(a, b body, parts []schema.Part) bool {
	for i := range parts {
		c := parts[i].Column
		if !bytes.Equal(a.column(c), b.column(c)) {
			return false
		}
	}
	return true
}

// entries is the set of a record's entries in one index: store keys, in order
// and without repeats, in one buffer.
type entries struct {
	buf  []byte
	list []entry
}

// entry is one index entry. Where it is the unique form, the store's value is
// the record's key tuple and a checksum; else the key ends in the tuple and the value is empty.
type entry struct {
	from, to int
	unique   bool
}

func (e *entries) key(i int) []byte { return e.buf[e.list[i].from:e.list[i].to] }

// value returns what the store holds under entry i of the record with the key
// tuple, in dst where it is not empty.
func (e *entries) value(i int, dst, tuple []byte) []byte {
	if !e.list[i].unique {
		return nil
	}
	return codec.SealEntry(dst[:0], e.key(i), tuple)
}

// has reports whether key is in the set.
func (e *entries) has(key []byte) bool { return e.find(key) >= 0 }

// find returns which entry has the key, or -1.
func (e *entries) find(key []byte) int {
	i, found := slices.BinarySearchFunc(e.list, key, func(x entry, key []byte) int {
		return bytes.Compare(e.buf[x.from:x.to], key)
	})
	if !found {
		return -1
	}
	return i
}

// fill makes e the entries of a record with the key tuple in ix.
func (e *entries) fill(tb *schema.Table, ix *schema.Index, b body, tuple []byte) error {
	e.buf, e.list = e.buf[:0], e.list[:0]
	each := -1
	for i := range ix.Parts {
		if ix.Parts[i].Each {
			each = i
		}
	}
	if each < 0 {
		return e.add(tb, ix, b, tuple, nil)
	}
	list, err := b.part(&ix.Parts[each])
	if err != nil {
		return err
	}
	err = codec.Elements(list, func(elem []byte) error { return e.add(tb, ix, b, tuple, elem) })
	if err != nil {
		return err
	}
	e.sort()
	return nil
}

// add appends one entry; elem is the value of the `each` part.
func (e *entries) add(tb *schema.Table, ix *schema.Index, b body, tuple, elem []byte) error {
	from := len(e.buf)
	e.buf = append(e.buf, tb.Prefix(ix.ID)...)
	start := len(e.buf)
	null := false
	for i := range ix.Parts {
		p := &ix.Parts[i]
		v := elem
		var err error
		if !p.Each {
			if v, err = b.part(p); err != nil {
				return err
			}
		}
		null = null || (p.Key.Ptr && codec.IsNil(v))
		if e.buf, err = p.Key.Transcode(e.buf, v); err != nil {
			return fmt.Errorf("index %s, part %s: %w", ix.Name, p.Name, err)
		}
	}
	unique := ix.Unique && !null
	size := len(e.buf) - start + len(tuple)
	if !unique {
		e.buf = append(e.buf, tuple...)
	}
	if size > maxKey {
		return fmt.Errorf("%w: the entry in index %s takes %d bytes, at most %d are allowed", ErrKeyTooLarge, ix.Name, size, maxKey)
	}
	e.list = append(e.list, entry{from, len(e.buf), unique})
	return nil
}

// sort orders the entries and drops repeats.
func (e *entries) sort() {
	slices.SortFunc(e.list, func(a, b entry) int {
		return bytes.Compare(e.buf[a.from:a.to], e.buf[b.from:b.to])
	})
	e.list = slices.CompactFunc(e.list, func(a, b entry) bool {
		return bytes.Equal(e.buf[a.from:a.to], e.buf[b.from:b.to])
	})
}
