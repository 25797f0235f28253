package schema

import (
	"errors"
	"reflect"
)

// A Model is the Go side of a table, compiled from a record struct. It is
// immutable, and refers to other tables by name and type only.
type Model struct {
	Type reflect.Type // the record struct
	Name string       // of its table
}

// Compile compiles record types.
func Compile(types ...reflect.Type) ([]*Model, error) { return nil, errors.ErrUnsupported }
