package codec

import (
	"reflect"
	"time"

	"github.com/kivisdb/kivis/reflectx"
)

var durationType = reflect.TypeFor[time.Duration]()

// kindOf returns how values of the Go type t are stored, or Invalid where they
// cannot be, or not as a whole. A type's own msgpack methods come first, then
// whether it is a value or nothing, then what it is made of if that is a scalar
// or bytes, then its other marshal methods.
func kindOf(t reflect.Type) Kind {
	marshal := reflectx.MarshalOf(t)
	if _, ok := reflectx.NullableOf(t); ok && marshal != reflectx.MarshalMsgpack {
		return Pointer
	}
	if reflectx.Loss(t) != nil {
		return Invalid
	}
	if marshal == reflectx.MarshalMsgpack {
		return Custom
	}
	if k := scalarKind(t); k != Invalid {
		return k
	}
	switch marshal {
	case reflectx.MarshalBinary:
		return Binary
	case reflectx.MarshalText:
		return Text
	case reflectx.MarshalJSON:
		return JSON
	}
	switch t.Kind() {
	case reflect.Pointer:
		return Pointer
	case reflect.Slice:
		return Slice
	case reflect.Array:
		return Array
	case reflect.Map:
		return Map
	case reflect.Struct:
		return Struct
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return Any
		}
	}
	return Invalid
}

// scalarKind is kindOf for the types whose marshal methods, other than those
// of msgpack, do not count.
func scalarKind(t reflect.Type) Kind {
	if t == durationType {
		return Duration
	}
	switch t.Kind() {
	case reflect.Bool:
		return Bool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Int
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return Uint
	case reflect.Float32, reflect.Float64:
		return Float
	case reflect.String:
		return String
	case reflect.Slice:
		if isByte(t.Elem()) {
			return Bytes
		}
	case reflect.Array:
		if isByte(t.Elem()) {
			return ByteArray
		}
	case reflect.Struct:
		if reflectx.IsTime(t) {
			return Time
		}
	}
	return Invalid
}

// isByte reports whether slices and arrays of t are stored as bytes.
func isByte(t reflect.Type) bool {
	return t.Kind() == reflect.Uint8 && reflectx.MarshalOf(t) != reflectx.MarshalMsgpack
}
