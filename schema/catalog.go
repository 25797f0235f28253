package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/codec"
)

// Format is the newest format of databases that this release reads. It writes
// the oldest that can say what is in a catalog, so that a database which uses
// nothing new can still be opened by older releases; see [Entry.format].
const Format = 3

const baseFormat = 1

// A Catalog is what a database stores about its tables: a header, and an entry
// for each. Whoever reads one puts the entries into it; after that it does not
// change, and neither do its entries: what changes a catalog returns a copy.
type Catalog struct {
	Format    uint32
	Version   uint64 // one more with each change
	NextTable uint32 // the id of the next new table
	Entries   map[uint32]*Entry
}

// An Entry is what the catalog stores about one table.
type Entry struct {
	ID        uint32
	Name      string
	Was       []string  // names that the table had before, the newest last
	NextField uint32    // the id of the next new field, nested ones included
	NextIndex uint32    // the id of the next new index
	Versions  []Version // those still in use, the newest last
	Key       KeyEntry
	Indexes   []IndexEntry
	Refs      []RefEntry
	Dropping  []uint32 // ids of indexes that are gone, whose entries may remain
	Stages    []uint32 // versions whose records, and those of the versions before, are being rewritten by functions
	Moving    uint32   // the id of the table that takes this one's place once its records have been copied; nobody writes to either
	Validates bool     // the program has a method Validate, which writers without the type do not run
}

// A Version is one version of a table's fields.
type Version struct {
	Number uint32
	Layout *codec.Layout
	Undone bool // it was taken back by [Catalog.Revert]; records of it may be there all the same
}

// A KeyEntry is a table's primary key.
type KeyEntry struct {
	Kind  KeyKind
	Parts []PartEntry
}

// A PartEntry is one part of a key, index or reference.
type PartEntry struct {
	Fields []uint32 // field ids, from the top-level field down; none for a part that a method computes
	Inner  []uint32 // ids of the fields of a part that is a nested struct, in their order
	Name   string   // of a part without fields
	Each   bool
	Key    codec.KeyType

	NilEqual bool // see [Part]; since format 2
}

// An IndexEntry is one live index.
type IndexEntry struct {
	ID     uint32
	Name   string
	Unique bool
	Ref    bool // made for a reference alone
	State  IndexState
	Parts  []PartEntry
}

// A RefEntry is one reference.
type RefEntry struct {
	Target   uint32 // the id of the table referred to
	Parts    []PartEntry
	Optional bool
	Deferred bool
	OnDelete Action
	Index    uint32 // the id of its index; 0 for NoAction
}

// NewCatalog returns the catalog of a database without tables.
func NewCatalog() *Catalog {
	return &Catalog{Format: baseFormat, Version: 1, NextTable: 1, Entries: make(map[uint32]*Entry)}
}

// Clone returns a copy of the catalog, in which entries can be replaced.
func (c *Catalog) Clone() *Catalog {
	d := *c
	if d.Entries = maps.Clone(c.Entries); d.Entries == nil {
		d.Entries = make(map[uint32]*Entry)
	}
	return &d
}

// sorted returns the entries by name.
func (c *Catalog) sorted() []*Entry {
	return slices.SortedFunc(maps.Values(c.Entries), func(a, b *Entry) int { return strings.Compare(a.Name, b.Name) })
}

// byName returns the entry of the table with a name, or nil.
func (c *Catalog) byName(name string) *Entry {
	for _, e := range c.Entries {
		if e.Name == name {
			return e
		}
	}
	return nil
}

// clone returns a copy of the entry whose lists can be changed.
func (e *Entry) clone() *Entry {
	d := *e
	d.Versions, d.Indexes = slices.Clone(e.Versions), slices.Clone(e.Indexes)
	d.Refs, d.Dropping, d.Stages = slices.Clone(e.Refs), slices.Clone(e.Dropping), slices.Clone(e.Stages)
	return &d
}

// newest returns the newest version of the table's fields.
func (e *Entry) newest() *Version { return &e.Versions[len(e.Versions)-1] }

// format returns the oldest format in which the entry can be stored. Format 2
// has the names of types that marshal themselves, parts with NilEqual,
// deferred references, and the mark of a table whose program validates. Format 3
// has the former names of tables, migrations under way, parts in the order or
// the form of a Go type, and parts of elements' fields.
func (e *Entry) format() uint32 {
	if len(e.Was)+len(e.Stages) > 0 || e.Moving != 0 || e.hasOwn() || e.hasElements() {
		return 3
	}
	if e.Validates || slices.ContainsFunc(e.Refs, func(r RefEntry) bool { return r.Deferred }) {
		return 2
	}
	if slices.ContainsFunc(e.Versions, func(v Version) bool { return v.Layout.HasNames() }) {
		return 2
	}
	for i := range e.Indexes {
		if slices.ContainsFunc(e.Indexes[i].Parts, func(p PartEntry) bool { return p.NilEqual }) {
			return 2
		}
	}
	return baseFormat
}

// hasOwn reports whether a part of the entry is of a kind of a Go type's own.
func (e *Entry) hasOwn() bool {
	own := func(list []PartEntry) bool {
		return slices.ContainsFunc(list, func(p PartEntry) bool { return p.Key.HasOwn() })
	}
	return own(e.Key.Parts) || slices.ContainsFunc(e.Indexes, func(x IndexEntry) bool { return own(x.Parts) }) ||
		slices.ContainsFunc(e.Refs, func(r RefEntry) bool { return own(r.Parts) })
}

// hasElements reports whether an index of the entry is of a field of elements.
func (e *Entry) hasElements() bool {
	for i := range e.Indexes {
		for _, p := range findParts(e.Indexes[i].Parts, e.newest().Layout) {
			if p.inElements() {
				return true
			}
		}
	}
	return false
}

// index returns the index with an id, or nil.
func (e *Entry) index(id uint32) *IndexEntry {
	for i := range e.Indexes {
		if e.Indexes[i].ID == id {
			return &e.Indexes[i]
		}
	}
	return nil
}

// fits reports whether the layout has all fields of the index.
func (x *IndexEntry) fits(l *codec.Layout) bool {
	for i := range x.Parts {
		if _, ok := x.Parts[i].find(l); !ok {
			return false
		}
	}
	return true
}
