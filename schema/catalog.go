package schema

import "github.com/kivisdb/kivis/codec"

// Format is the format of databases that this release writes, and the newest
// that it reads.
const Format = 1

// A Catalog is what a database stores about its tables. Only this package
// changes one, and only before it is handed out.
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
	NextField uint32    // the id of the next new field, nested ones included
	NextIndex uint32    // the id of the next new index
	Versions  []Version // those still in use, the newest last
	Key       KeyEntry
	Indexes   []IndexEntry
	Refs      []RefEntry
	Dropping  []uint32 // ids of indexes that are gone, whose entries may remain
}

// A Version is one version of a table's fields.
type Version struct {
	Number uint32
	Layout *codec.Layout
}

// A KeyEntry is a table's primary key.
type KeyEntry struct {
	Kind  KeyKind
	Parts []PartEntry
}

// A PartEntry is one part of a key, index or reference.
type PartEntry struct {
	Fields []uint32 // field ids, from the top-level field down; none for a part that a method computes
	Name   string   // of a part without fields
	Each   bool
	Key    codec.KeyType
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
	OnDelete Action
	Index    uint32 // the id of its index; 0 for NoAction
}
