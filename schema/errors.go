package schema

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/kivisdb/kivis/reflectx"
)

// ErrNewerFormat reports a database that a newer release of Kivis has written.
var ErrNewerFormat = errors.New("schema: the database has a newer format than this release of Kivis knows")

// An Error is one fault of one record type.
type Error struct {
	Type  reflect.Type // the record type
	Field string       // the field at fault; empty for the type itself
	Tag   string       // the tag at fault; empty where it is not a tag
	Err   error        // what is wrong, and how to mend it
}

// Error names the type, the field, the fault and the tag.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("schema: ")
	b.WriteString(typeName(e.Type))
	if e.Field != "" {
		b.WriteString("." + e.Field)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	if e.Tag != "" {
		fmt.Fprintf(&b, " (tag %q)", e.Tag)
	}
	return b.String()
}

// Unwrap returns what is wrong, without the place.
func (e *Error) Unwrap() error { return e.Err }

// typeName returns t as messages name it.
func typeName(t reflect.Type) string { return reflectx.TypeName(t) }

// joinFaults joins faults into one error, or returns nil where there are none.
func joinFaults(faults []*Error) error {
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}
