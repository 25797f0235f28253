package schema

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/kivisdb/kivis/codec"
)

// A Table is one table as the stored catalog and, where its record type is
// registered in this program, a Go type describe it. It is immutable.
type Table struct {
	Name     string
	ID       uint32
	Type     reflect.Type  // the record struct; nil where none is registered in this program
	Version  uint32        // the newest version of its fields, which records are written in
	Layout   *codec.Layout // of Version
	Columns  []Column      // one per field of Layout, in its order
	Key      Key
	Indexes  []*Index // live ones in catalog order, in any state; those made for references too
	Refs     []*Ref   // references that this table makes
	Incoming []*Ref   // references to this table, made by any table of the catalog

	Validates bool // the record type has a method Validate, in this program or the one that registered it last

	entry    *Entry
	model    *Model        // nil where Type is
	own      *codec.Layout // of the version that Type is of; nil where Type is
	older    bool
	moving   bool     // see Moving
	prefixes [][]byte // by space
	keyForm  string   // see KeyForm
	versions map[uint32]*version
	stages   []stage // by number
	encoder  *codec.Encoder
	decoder  *codec.Decoder
	keyParts []keyPart
	method   int      // PrimaryKey, among the methods of a pointer to Type
	plans    sync.Map // reflect.Type -> keyPlan
}

// A Column is one top-level field of a table's records.
type Column struct {
	ID     uint32 // in the catalog
	Name   string // the stored name
	Type   codec.Type
	GoName string       // like the rest, not set where the Type of the table is not, or lacks the field
	Offset uintptr      // in the record
	GoType reflect.Type // of the field
}

// A Part is one part of a key or an index.
type Part struct {
	Column int           // position in Table.Columns; -1 for a part that a method computes
	Path   []int         // positions below the column, through nested structs; nil for the column itself
	Name   string        // stored names joined by dots: "Address.City"
	Each   bool          // one entry per element of a slice or key of a map; of elements' fields Path has a codec.Element
	Key    codec.KeyType // how it is encoded, descending or folded where it is

	// NilEqual has a nil in this part of a unique index be a value like others.
	// Otherwise an entry with a nil part never equals another.
	NilEqual bool
}

// version is one stored version of a table's records.
type version struct {
	layout    *codec.Layout
	once      sync.Once
	converter Converter
	err       error

	plainOnce sync.Once
	plain     Converter
	plainErr  error
}

// Encoder returns what encodes records of the table's Type as Version. Fields
// that Type lacks are written as their zero values. It is nil where Type is.
func (t *Table) Encoder() *codec.Encoder { return t.encoder }

// Decoder returns what decodes bodies of Version as records of the table's
// Type. It is nil where Type is. See [Table.Converter] for other versions.
func (t *Table) Decoder() *codec.Decoder { return t.decoder }

// Converter returns what makes bodies of Version from those of an older one,
// or nil for Version itself. The error for a version that the catalog does not
// have matches [codec.ErrCorrupt]; it is [ErrMigrating] for one that this program
// has no function for, and a [FuncError] of Convert is the function's.
func (t *Table) Converter(number uint32) (Converter, error) {
	if number == t.Version {
		return nil, nil
	}
	v := t.versions[number]
	if v == nil {
		return nil, fmt.Errorf("schema: table %s: %w: no version %d", t.Name, codec.ErrCorrupt, number)
	}
	v.once.Do(func() { v.converter, v.err = t.converterOf(v, number) })
	return v.converter, v.err
}

// Older reports whether the table's Type is that of an older program, which
// does not know all that the table stores.
func (t *Table) Older() bool { return t.older }

// LayoutOf returns the layout of a stored version of the table, and whether
// there is one.
func (t *Table) LayoutOf(number uint32) (*codec.Layout, bool) {
	v, ok := t.versions[number]
	if !ok {
		return nil, false
	}
	return v.layout, true
}

// Index returns the index with the given name, or nil. While one takes the
// place of another, it is the one that is ready.
func (t *Table) Index(name string) (found *Index) {
	for _, x := range t.Indexes {
		if x.Name == name && (found == nil || found.State != Ready) {
			found = x
		}
	}
	return found
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

// KeyForm returns how the table's primary keys are encoded, as bytes of
// codec.AppendKeyType: equal for tables whose key tuples mean the same.
func (t *Table) KeyForm() string { return t.keyForm }

// Prefix returns what every stored key of one of the table's spaces begins
// with: space 0 holds records, the others are ids of indexes. The bytes are
// shared and must not be changed; appending to them copies.
func (t *Table) Prefix(space uint32) []byte {
	if int(space) < len(t.prefixes) {
		return t.prefixes[space]
	}
	return appendPrefix(nil, t.ID, space)
}
