package check

import "github.com/kivisdb/kivis/schema"

// Kinds of Fault.
const (
	StoreDamaged  = "store damaged"       // the store's own verification failed
	RecordDamaged = "record damaged"      // a record cannot be read
	EntryMissing  = "entry missing"       // an index lacks a record's entry
	EntryWrong    = "entry wrong"         // a unique entry names another record
	EntryDangling = "entry dangling"      // an index entry that no record has
	RefDangling   = "reference dangling"  // a reference to a record that is not there
	RefUnchecked  = "reference unchecked" // the same, where ondelete=noaction allows it
)

// A Fault is one thing that is wrong.
type Fault struct {
	Table *schema.Table // nil for StoreDamaged
	Index string        // of the entry, or the referring columns
	Kind  string
	Tuple []byte // key of the record, in memory of its own; nil where it is not known
	Err   error  // the cause, where there is one
	Fixed bool   // it has been mended
}
