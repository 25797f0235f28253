package schema

import "reflect"

// An Identifier is an id type that says whose id it is. A uint64 that is one,
// such as kivis.ID, makes its field the auto-increment key of that record, or
// a reference to it.
type Identifier interface {
	// RecordType returns the record struct whose ids these are.
	RecordType() reflect.Type
}

var identifier = reflect.TypeFor[Identifier]()

// recordOf returns the record type whose ids values of type t are, or nil.
func recordOf(t reflect.Type) reflect.Type {
	if t.Kind() != reflect.Uint64 || !t.Implements(identifier) {
		return nil
	}
	return reflect.Zero(t).Interface().(Identifier).RecordType()
}

// isAuto reports whether the struct type t is like kivis.Auto: nothing but a
// field ID, which is an Identifier.
func isAuto(t reflect.Type) bool {
	return t.NumField() == 1 && t.Field(0).Name == "ID" && recordOf(t.Field(0).Type) != nil
}
