package query

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kivisdb/kivis/schema"
)

var (
	// ErrTooComplex reports a predicate that is too large to be planned.
	ErrTooComplex = errors.New("the predicate is too complex")

	// ErrSortLimit reports that more would have to be sorted in memory than
	// [MaxSortBytes].
	ErrSortLimit = errors.New("too much to sort in memory")
)

// Error is one fault of a query.
type Error struct {
	Table  string // stored name
	Clause string // where, order by, limit, offset, using, after, text
	Field  string // the field at fault, where there is one
	Pos    int    // in the text, counted in bytes from 1; 0 where there is none
	Err    error
}

// Error says where the fault is and what is wrong.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Clause)
	if e.Field != "" {
		b.WriteString(" " + shorten(e.Field))
	}
	if e.Pos > 0 {
		fmt.Fprintf(&b, " (at %d)", e.Pos)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	b.WriteString(e.Err.Error())
	return b.String()
}

// Unwrap returns what is wrong, without the place.
func (e *Error) Unwrap() error { return e.Err }

// Damage reports stored bytes that are not what was written there. Its cause
// matches codec.ErrCorrupt.
type Damage struct {
	Table *schema.Table
	Index string // of the entry; empty for a record
	Key   []byte // the record's key tuple, where it is known
	Err   error
}

// Error names the table and says what is wrong.
func (e *Damage) Error() string {
	if e.Index != "" {
		return fmt.Sprintf("index %s of %s: %v", e.Index, e.Table.Name, e.Err)
	}
	return fmt.Sprintf("record of %s: %v", e.Table.Name, e.Err)
}

// Unwrap returns the cause.
func (e *Damage) Unwrap() error { return e.Err }
