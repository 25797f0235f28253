package schema

import "strings"

// A Diff is all differences between record types and the catalog.
type Diff struct {
	Changes []Difference
}

// A Difference is one difference between a record type and the catalog.
type Difference struct {
	Table   string
	Kind    string // what it is: "new field", "changed key", ...
	Field   string // the stored name of the field it is about, if any
	Index   string // the name of the index it is about, if any
	Detail  string
	Refused bool
	Remedy  string // what to do about it, where something is to be done
}

// Kinds of a [Difference] that programs look for.
const (
	RemovedField = "removed field" // with all that records hold of it
	OlderProgram = "older program" // the struct is that of an older version of the table

	// ChangedValidation: the record type has a method Validate, and had none, or
	// the other way round.
	ChangedValidation = "changed validation"
)

// Empty reports whether there is no difference.
func (d Diff) Empty() bool { return len(d.Changes) == 0 }

// A ChangeError lists the differences between a record type and its stored
// table that are refused, and what to do about each.
type ChangeError struct {
	Table   string
	Changes []Difference
}

// Error lists the differences, one to a line if there are several.
func (e *ChangeError) Error() string {
	lines := make([]string, len(e.Changes))
	for i, d := range e.Changes {
		lines[i] = strings.TrimPrefix(d.String(), e.Table+": ")
	}
	return "schema: table " + e.Table + " cannot change: " + strings.Join(lines, "\n\t")
}
