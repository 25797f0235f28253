package schema

import "errors"

// PlanOptions are what [Plan] allows.
type PlanOptions struct {
	AllowOlder bool // structs that lack fields which the catalog has got since
}

// An IndexRef names an index by ids.
type IndexRef struct {
	Table, Index uint32
}

// A RefCheck names a reference by the table that makes it and its number
// among the table's references.
type RefCheck struct {
	Table uint32
	Ref   int
}

// A Change is what [Plan] would do to a catalog.
type Change struct {
	Catalog *Catalog   // afterwards; what Plan got is as it was
	Entries []uint32   // the ids of entries that differ
	Diff    Diff       // in words
	Build   []IndexRef // indexes to fill from the records that are stored
	Drop    []IndexRef // indexes whose entries are to be deleted
	Checks  []RefCheck // references that stored records may break
}

// Plan compares models with a catalog.
func Plan(c *Catalog, models []*Model, opts PlanOptions) (*Change, error) {
	return nil, errors.ErrUnsupported
}
