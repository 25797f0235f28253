package schema

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
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
func typeName(t reflect.Type) string {
	switch {
	case t == nil:
		return "nil"
	case t.Name() == "" && t.Kind() == reflect.Struct:
		return "struct{...}"
	}
	return shortName(t.String())
}

// shortName drops from the name of a generic type what reflection adds to
// those of its arguments: folders of packages, and numbers of local types.
func shortName(name string) string {
	return bytesName.ReplaceAllString(reflectionNoise.ReplaceAllString(name, ""), "${1}byte")
}

var reflectionNoise = regexp.MustCompile(`[^\[\],* ]*/|·[0-9]+`)

// bytesName is where reflection names bytes as numbers.
var bytesName = regexp.MustCompile(`(\[[0-9]*\])uint8\b`)

// joinFaults joins faults into one error, or returns nil where there are none.
func joinFaults(faults []*Error) error {
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}
