package record

import (
	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// A Nils finds what is nil in stored records of a table and cannot be in a
// next layout. It belongs to one goroutine.
type Nils struct {
	tb      *schema.Table
	next    *codec.Layout
	finders map[uint32]*codec.NilFinder // by version
}

// NewNils returns the finder for records of tb.
func NewNils(tb *schema.Table, next *codec.Layout) *Nils {
	return &Nils{tb, next, make(map[uint32]*codec.NilFinder)}
}

// Find returns the paths at which the value that is stored under the key tuple
// holds a nil, in the layout that it was written in: a field that came later is
// not nil, but zero. The error is a [CorruptError], or says that the record
// cannot be one of the next layout.
func (n *Nils) Find(tuple, value []byte) (paths []string, err error) {
	version, body, err := codec.Open(value, n.tb.ID, tuple)
	if err != nil {
		return nil, Corrupt(n.tb, tuple, err)
	}
	f := n.finders[version]
	if f == nil {
		stored, ok := n.tb.LayoutOf(version)
		if !ok {
			_, err := n.tb.Converter(version)
			return nil, Corrupt(n.tb, tuple, err)
		}
		if f, err = codec.CompileNilFinder(stored, n.next); err != nil {
			return nil, err
		}
		n.finders[version] = f
	}
	paths, err = f.Find(body)
	return paths, Corrupt(n.tb, tuple, err)
}
