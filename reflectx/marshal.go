package reflectx

import (
	"encoding"
	"reflect"
	"time"
)

// Marshal is how a type marshals itself.
type Marshal uint8

// The ways in which a type marshals itself, each with the reverse.
const (
	MarshalNone    Marshal = iota // it does not
	MarshalMsgpack                // with the methods of github.com/vmihailenco/msgpack
	MarshalBinary                 // as encoding.BinaryMarshaler
	MarshalText                   // as encoding.TextMarshaler
)

var (
	timeType          = reflect.TypeFor[time.Time]()
	errorType         = reflect.TypeFor[error]()
	binaryMarshaler   = reflect.TypeFor[encoding.BinaryMarshaler]()
	binaryUnmarshaler = reflect.TypeFor[encoding.BinaryUnmarshaler]()
	textMarshaler     = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler   = reflect.TypeFor[encoding.TextUnmarshaler]()
	msgpackMarshaler  = reflect.TypeFor[interface {
		MarshalMsgpack() ([]byte, error)
	}]()
	msgpackUnmarshaler = reflect.TypeFor[interface {
		UnmarshalMsgpack([]byte) error
	}]()
)

// MarshalOf returns how values of type t, or pointers to them, marshal
// themselves: the first of msgpack, binary and text for which t has both
// directions. An interface type and a pointer type have none of their own. That
// time.Time has them too is for the caller to know: see [IsTime].
func MarshalOf(t reflect.Type) Marshal {
	if t.Kind() == reflect.Interface || t.Kind() == reflect.Pointer {
		return MarshalNone
	}
	p := reflect.PointerTo(t)
	switch {
	case (p.Implements(msgpackMarshaler) || isMsgpackCoder(p, "EncodeMsgpack", "Encoder")) &&
		(p.Implements(msgpackUnmarshaler) || isMsgpackCoder(p, "DecodeMsgpack", "Decoder")):
		return MarshalMsgpack
	case p.Implements(binaryMarshaler) && p.Implements(binaryUnmarshaler):
		return MarshalBinary
	case p.Implements(textMarshaler) && p.Implements(textUnmarshaler):
		return MarshalText
	}
	return MarshalNone
}

// isMsgpackCoder reports whether p has the method name(*msgpack.arg) error. It
// goes by names, so as not to import the library.
func isMsgpackCoder(p reflect.Type, name, arg string) bool {
	m, ok := p.MethodByName(name)
	if !ok || m.Type.NumIn() != 2 || m.Type.NumOut() != 1 || m.Type.Out(0) != errorType {
		return false
	}
	in := m.Type.In(1) // after the receiver
	return in.Kind() == reflect.Pointer && in.Elem().Name() == arg &&
		in.Elem().PkgPath() == "github.com/vmihailenco/msgpack/v5"
}

// IsTime reports whether t is time.Time, or a type defined from it, which has
// the same memory: values of both are stored as instants.
func IsTime(t reflect.Type) bool {
	return t == timeType || t.Kind() == reflect.Struct && t.ConvertibleTo(timeType)
}
