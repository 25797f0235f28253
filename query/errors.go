package query

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrTooComplex reports a predicate that is too large to be planned.
	ErrTooComplex = errors.New("the predicate is too complex")

	// ErrSortTooLarge reports that more would have to be held in memory than
	// [MaxSortBytes], mostly to sort it.
	ErrSortTooLarge = errors.New("too much to sort in memory")
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
