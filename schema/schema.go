package schema

import (
	"reflect"

	"github.com/kivisdb/kivis/codec"
)

// A Table is one table as the stored catalog and, where its record type is
// registered in this program, a Go type describe it. It is immutable.
type Table struct {
	Name     string
	ID       uint32
	Type     reflect.Type  // the record struct; nil where none is registered in this program
	Version  uint32        // the version that this program writes: the newest, unless its struct is older
	Layout   *codec.Layout // of Version
	Columns  []Column      // one per field of Layout, in its order; see Older for what may follow
	Key      Key
	Indexes  []*Index // live ones in catalog order, in any state; those made for references too
	Refs     []*Ref   // references that this table makes
	Incoming []*Ref   // references to this table, made by any table of the catalog

	entry    *Entry
	prefixes [][]byte // by space
	versions map[uint32]*version
}

// A Column is one top-level field of a table's records.
type Column struct {
	ID     uint32 // in the catalog
	Name   string // the stored name
	GoName string // the rest is set only where the table's Type is
	Offset uintptr
	GoType reflect.Type
	Type   codec.Type
}

// A Part is one part of a key or an index.
type Part struct {
	Column int           // position in Table.Columns; -1 for a part that a method computes
	Path   []int         // positions below the column, through nested structs; nil for the column itself
	Name   string        // stored names joined by dots: "Address.City"
	Each   bool          // one entry per element of a slice or key of a map
	Key    codec.KeyType // how it is encoded, descending or folded where it is
}

// version is one stored version of a table's records.
type version struct {
	layout    *codec.Layout
	positions []int // see Table.Positions
}

// LayoutOf returns the layout of a stored version of the table, and whether
// there is one.
func (t *Table) LayoutOf(number uint32) (*codec.Layout, bool) {
	v, ok := t.versions[number]
	if !ok {
		return nil, false
	}
	return v.layout, true
}

// Positions returns, for each of the table's columns, its position among the
// fields of a record of the given version, or -1 if that version has no such
// field. It returns nil where every column is at its own position, and for a
// version that is not in the catalog.
func (t *Table) Positions(number uint32) []int {
	if v, ok := t.versions[number]; ok {
		return v.positions
	}
	return nil
}

// Index returns the index with the given name, or nil.
func (t *Table) Index(name string) *Index {
	for _, x := range t.Indexes {
		if x.Name == name {
			return x
		}
	}
	return nil
}

// IndexByID returns the index with the given id, or nil.
func (t *Table) IndexByID(id uint32) *Index {
	for _, x := range t.Indexes {
		if x.ID == id {
			return x
		}
	}
	return nil
}

// Column returns the position of the column with the given stored name, and
// whether there is one.
func (t *Table) Column(name string) (int, bool) {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return i, true
		}
	}
	return 0, false
}

// Prefix returns what every stored key of one of the table's spaces begins
// with: space 0 holds records, the others are ids of indexes. The bytes are
// shared and must not be changed; appending to them copies.
func (t *Table) Prefix(space uint32) []byte {
	if int(space) < len(t.prefixes) {
		return t.prefixes[space]
	}
	return nil
}
