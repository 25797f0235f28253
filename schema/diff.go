package schema

import (
	"fmt"
	"slices"
	"strings"
)

// A Class is what a difference between a record type and the catalog asks of
// the stored records.
type Class uint8

// The classes, in the order of what they cost.
const (
	// NothingToDo: stored records stay as they are, and read right.
	NothingToDo Class = iota
	// Build: an index is filled from the stored records.
	Build
	// Rewrite: a migration writes each stored record anew.
	Rewrite
	// Refused: it would lose or break what is stored, so Register does nothing.
	Refused
)

var classNames = []string{"nothing to do", "build", "rewrite", "refused"}

// String returns the class in words.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "unknown"
}

// A Diff is all differences between record types and the catalog.
type Diff struct {
	Changes []Difference
}

// A Difference is one difference between a record type and the catalog.
type Difference struct {
	Table   string
	Kind    string // what it is: "new field", "changed key", ...
	Class   Class  // what is to be done about it
	Records int    // how many stored records it concerns; see [PlanOptions].Count
	Field   string // the stored name of the field it is about, if any
	Index   string // the name of the index it is about, if any
	Detail  string
	Refused bool   // Class is [Refused]
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

// refuse returns the difference as one that is refused.
func (d Difference) refuse() Difference {
	d.Refused, d.Class = true, Refused
	return d
}

// Empty reports whether there is no difference.
func (d Diff) Empty() bool { return len(d.Changes) == 0 }

// Class returns the highest class of all differences: what Register would have
// to do.
func (d Diff) Class() Class {
	highest := NothingToDo
	for _, c := range d.Changes {
		highest = max(highest, c.Class)
	}
	return highest
}

// A ChangeError lists the differences between a record type and its stored
// table that are refused, and what to do about each.
type ChangeError struct {
	Table   string
	Changes []Difference
	Causes  []error // what is behind the differences, where that is an error: of a migration's function, or of a unique index
}

// Unwrap returns the causes.
func (e *ChangeError) Unwrap() []error { return e.Causes }

// NewChangeError returns the error that refuses some differences of a table,
// and marks them so.
func NewChangeError(table string, changes ...Difference) *ChangeError {
	changes = slices.Clone(changes)
	for i := range changes {
		changes[i].Table = table
		changes[i] = changes[i].refuse()
	}
	return &ChangeError{Table: table, Changes: changes}
}

// maxLines is how many differences of a kind an error's text has.
const maxLines = 20

// Error lists the differences, one to a line if there are several; of a kind that
// there are very many of, the first.
func (e *ChangeError) Error() string {
	var lines, rest []string
	counts := make(map[string]int)
	for _, d := range e.Changes {
		if counts[d.Kind]++; counts[d.Kind] <= maxLines {
			lines = append(lines, strings.TrimPrefix(d.String(), e.Table+": "))
		}
	}
	for kind, n := range counts {
		if n > maxLines {
			rest = append(rest, fmt.Sprintf("%s: %d more", kind, n-maxLines))
		}
	}
	slices.Sort(rest)
	return "schema: table " + e.Table + " cannot change: " + strings.Join(append(lines, rest...), "\n\t")
}
