package reflectx

import (
	"encoding"
	"encoding/json"
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
	MarshalJSON                   // as encoding/json.Marshaler
)

var (
	timeType  = reflect.TypeFor[time.Time]()
	errorType = reflect.TypeFor[error]()
)

// A marshalPair is a way to marshal, and the methods that it takes.
type marshalPair struct {
	way                Marshal
	marshal, unmarshal method
}

// A method is one that a type may have, by its name and its type.
type method struct {
	name string
	typ  reflect.Type // an interface with the method alone; nil for one of the msgpack library
	arg  string       // what a method of the msgpack library takes
}

// marshalPairs are the pairs of methods in the order in which they are looked
// for. Those of msgpack have two forms.
var marshalPairs = []marshalPair{
	{MarshalMsgpack, method{"EncodeMsgpack", nil, "Encoder"}, method{"DecodeMsgpack", nil, "Decoder"}},
	{MarshalMsgpack, methodOf[interface{ MarshalMsgpack() ([]byte, error) }](), methodOf[interface{ UnmarshalMsgpack([]byte) error }]()},
	{MarshalBinary, methodOf[encoding.BinaryMarshaler](), methodOf[encoding.BinaryUnmarshaler]()},
	{MarshalText, methodOf[encoding.TextMarshaler](), methodOf[encoding.TextUnmarshaler]()},
	{MarshalJSON, methodOf[json.Marshaler](), methodOf[json.Unmarshaler]()},
}

func methodOf[T any]() method {
	t := reflect.TypeFor[T]()
	return method{t.Method(0).Name, t, ""}
}

// of reports whether p, a pointer type, has the method.
func (m *method) of(p reflect.Type) bool {
	if m.typ != nil {
		return p.Implements(m.typ)
	}
	return isMsgpackCoder(p, m.name, m.arg)
}

// MarshalOf returns how values of type t, or pointers to them, marshal
// themselves: the first of msgpack, binary, text and JSON for which t has both
// directions. JSON counts only where t could not be stored otherwise: a struct
// of exported fields that are values is stored field by field. An interface
// type and a pointer type have none of their own. That time.Time has them too
// is for the caller to know: see [IsTime].
func MarshalOf(t reflect.Type) Marshal {
	pair := pairOf(t)
	if pair == nil || pair.way == MarshalJSON && isPlain(t) {
		return MarshalNone
	}
	return pair.way
}

// pairOf returns the first pair of methods of which t has both, or nil.
func pairOf(t reflect.Type) *marshalPair {
	if t.Kind() == reflect.Interface || t.Kind() == reflect.Pointer {
		return nil
	}
	p := reflect.PointerTo(t)
	ways := map[Marshal][2]*method{}
	for i := range marshalPairs {
		pair, found := &marshalPairs[i], ways[marshalPairs[i].way]
		if pair.marshal.of(p) {
			found[0] = &pair.marshal
		}
		if pair.unmarshal.of(p) {
			found[1] = &pair.unmarshal
		}
		if ways[pair.way] = found; found[0] != nil && found[1] != nil {
			return &marshalPair{pair.way, *found[0], *found[1]}
		}
	}
	return nil
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
