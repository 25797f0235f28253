package codec

import "reflect"

// A StructField is one stored field of a Go struct type.
type StructField struct {
	Name   string   // the stored name
	Was    []string // the names it had before, by its tag
	New    bool     // it is none that was, by its tag
	Offset uintptr
	Type   reflect.Type
}

// FieldsOf returns the stored fields of a struct type in their order, those
// of embedded structs among them. Package schema has one that knows the tags.
type FieldsOf func(t reflect.Type) ([]StructField, error)
