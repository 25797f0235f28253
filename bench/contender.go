package main

import "errors"

// Contender is one way to store the records. One goroutine calls it at a time,
// but for Get and Insert, which several may call at once. A slice or string in
// a record that it returns stays valid; a record that it is given is the
// caller's again after the call.
type Contender interface {
	// Insert adds a record in a transaction of its own, or returns errTaken
	// where its ID or Email is in use.
	Insert(r *Record) error
	// InsertMany does the same with several in one transaction.
	InsertMany(rs []Record) error

	// Get returns the record with the ID, or errNotFound.
	Get(id uint64) (Record, error)
	// ByEmail returns the record with the unique email, or errNotFound.
	ByEmail(email string) (Record, error)
	// ByCity visits the records of a city, in any order, through the index.
	ByCity(city string, visit func(Record)) error
	// FromAge visits the first limit records of that age or older, ordered by
	// age and then by ID, through the index.
	FromAge(age, limit int, visit func(Record)) error
	// FromID visits the first limit records with that ID or a greater one, in
	// the order of the IDs.
	FromID(id uint64, limit int, visit func(Record)) error

	// Named visits the records with a name, which no index has, by the means
	// that the contender has to say so.
	Named(name string, visit func(Record)) error
	// Filter visits the records for which keep, which can only be called, is true.
	Filter(keep func(*Record) bool, visit func(Record)) error
	// All visits all records.
	All(visit func(Record)) error
	// CountAges returns how many records have an age of at least lo and under
	// hi, through the index.
	CountAges(lo, hi int) (int, error)

	// SetAge changes an indexed field of one record, in a transaction of its
	// own, or returns errNotFound.
	SetAge(id uint64, age int) error
	// SetBio changes a field that no index has, likewise.
	SetBio(id uint64, bio string) error
	// Delete removes one record, likewise.
	Delete(id uint64) error

	// Close closes the database.
	Close() error
}

// An importer has a way of its own to load many records, with every check of
// Insert but not in one transaction. next returns the next block of records,
// or nil.
type importer interface {
	Import(next func() []Record) error
}

// A snapshotter can hold a snapshot of all records while it writes.
type snapshotter interface {
	// Snapshot takes one, reads from it, and returns what lets it go.
	Snapshot() (release func(), err error)
}

// What contenders return where a record may not be added or is not there.
var (
	errTaken    = errors.New("the id or email is taken")
	errNotFound = errors.New("no such record")
)

// Config says how a contender opens its database.
type Config struct {
	Dir     string // an empty directory, or the one that it had before
	Durable bool   // a write returns when the disk has it
	Memory  int64  // about what the engine may use, where it can be told
}

// A Field is contenders that are compared with each other, and what all of
// them are compared with: the work by hand on the first engine.
type Field struct {
	Name     string
	Title    string
	Baseline string // name of that contender
}

// The two fields.
var (
	onDisk = &Field{Name: "disk", Title: "on disk", Baseline: "raw-badger"}
	inRAM  = &Field{Name: "memory", Title: "in memory", Baseline: "raw-btree"}
	fields = []*Field{onDisk, inRAM}
)

// Entry is a contender in the list of all.
type Entry struct {
	Name  string
	Title string
	Field *Field
	Open  func(Config) (Contender, error)
	Limit string // of Kivis: the contender that does the same by hand on the same engine
}

// entries returns every contender of this build: what the others are compared
// with, Kivis on each store, the same engines by hand, and other libraries.
func entries() []Entry {
	list := []Entry{
		{Name: "raw-badger", Title: "Badger by hand", Field: onDisk, Open: openRawBadger},
		{Name: "kivis-badger", Title: "Kivis on badgerstore", Field: onDisk, Open: openKivisBadger, Limit: "raw-badger"},
		{Name: "kivis-bolt", Title: "Kivis on boltstore", Field: onDisk, Open: openKivisBolt, Limit: "raw-bbolt"},
		{Name: "kivis-pebble", Title: "Kivis on pebblestore", Field: onDisk, Open: openKivisPebble, Limit: "raw-pebble"},
		{Name: "kivis-sqlite", Title: "Kivis on sqlitestore", Field: onDisk, Open: openKivisSQLite, Limit: "raw-sqlite"},
		{Name: "raw-bbolt", Title: "bbolt by hand", Field: onDisk, Open: openRawBolt},
		{Name: "raw-pebble", Title: "Pebble by hand", Field: onDisk, Open: openRawPebble},
		{Name: "raw-sqlite", Title: "keys and values in SQLite by hand", Field: onDisk, Open: openRawSQLite},
		{Name: "badgerhold", Title: "badgerhold", Field: onDisk, Open: openBadgerhold},
		{Name: "bolthold", Title: "bolthold", Field: onDisk, Open: openBolthold},
		{Name: "storm", Title: "storm", Field: onDisk, Open: openStorm},
		{Name: "gorm-pure", Title: "GORM, SQLite in Go", Field: onDisk, Open: openGORMPure},
		{Name: "sqlite-pure", Title: "SQL by hand, SQLite in Go", Field: onDisk, Open: openSQLitePure},
	}
	list = append(list, cgoEntries...)
	return append(list,
		Entry{Name: "raw-btree", Title: "B-tree by hand", Field: inRAM, Open: openRawBTree},
		Entry{Name: "kivis-memory", Title: "Kivis on memstore", Field: inRAM, Open: openKivisMemory, Limit: "raw-btree"},
		Entry{Name: "go-memdb", Title: "go-memdb", Field: inRAM, Open: openMemDB},
	)
}

// entryOf returns the contender with the name.
func entryOf(name string) (Entry, bool) {
	for _, e := range entries() {
		if e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}
