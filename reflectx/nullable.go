package reflectx

import (
	"database/sql/driver"
	"reflect"
	"sync"
)

// A Nullable is how a struct type holds a value or nothing, as sql.Null,
// sql.NullString and uuid.NullUUID do.
type Nullable struct {
	Elem  reflect.Type // of the value
	Value uintptr      // its offset
	Valid uintptr      // the offset of the bool that says whether there is one
}

var (
	valuer  = reflect.TypeFor[driver.Valuer]()
	scanner = reflect.TypeFor[interface{ Scan(any) error }]()
)

var nullables sync.Map // reflect.Type -> *Nullable, nil for other types

// NullableOf returns how the type t holds a value or nothing: as a struct of two
// exported fields, one of them a bool named Valid, with the methods Scan and Value
// of package database/sql. Other types do not.
func NullableOf(t reflect.Type) (*Nullable, bool) {
	if t.Kind() != reflect.Struct || t.NumField() != 2 {
		return nil, false
	}
	n, known := nullables.Load(t)
	if !known {
		n, _ = nullables.LoadOrStore(t, makeNullable(t))
	}
	return n.(*Nullable), n.(*Nullable) != nil
}

func makeNullable(t reflect.Type) *Nullable {
	if !reflect.PointerTo(t).Implements(valuer) || !reflect.PointerTo(t).Implements(scanner) {
		return nil
	}
	for i := range 2 {
		value, valid := t.Field(i), t.Field(1-i)
		if valid.Name == "Valid" && valid.Type.Kind() == reflect.Bool && value.IsExported() && !isTagged(&value) && !isTagged(&valid) {
			return &Nullable{value.Type, value.Offset, valid.Offset}
		}
	}
	return nil
}

// Pointed returns the type of what a t holds that may be nil: of what a pointer
// points to, or of a [Nullable]'s value.
func Pointed(t reflect.Type) (elem reflect.Type, ok bool) {
	if t.Kind() == reflect.Pointer {
		return t.Elem(), true
	}
	if n, ok := NullableOf(t); ok {
		return n.Elem, true
	}
	return nil, false
}

// At returns a Pointer to the value that the variable at p holds, nil where it
// holds none.
func (n *Nullable) At(p Pointer) Pointer {
	if !*Ref[bool](p.At(n.Valid)) {
		return Pointer{}
	}
	return p.At(n.Value)
}

// Set makes the variable at p hold a value, and returns a Pointer to it: zero,
// until it is set.
func (n *Nullable) Set(p Pointer) Pointer {
	n.Clear(p)
	*Ref[bool](p.At(n.Valid)) = true
	return p.At(n.Value)
}

// Clear makes the variable at p hold nothing.
func (n *Nullable) Clear(p Pointer) {
	*Ref[bool](p.At(n.Valid)) = false
	p.At(n.Value).Value(n.Elem).SetZero()
}
