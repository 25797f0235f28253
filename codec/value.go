package codec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/kivisdb/kivis/internal/msgpack"
)

// Members is a nested struct, or a record, without its Go type: its stored
// fields in the order of the layout.
type Members []Member

// A Member is one field of a struct.
type Member struct {
	Name  string // the stored name
	Value any
}

// Get returns the value of the field with the given name, and whether s has
// one.
func (s Members) Get(name string) (any, bool) {
	for i := range s {
		if s[i].Name == name {
			return s[i].Value, true
		}
	}
	return nil, false
}

// A Pair is one entry of a map without its Go type. A map is a []Pair in the
// order in which it is stored: that of the bytes of the encoded keys.
type Pair struct {
	Key, Value any
}

// A Raw is one encoded msgpack value, as a type's own msgpack methods have
// written it, or of an extension that the program has not registered.
type Raw []byte

// Nullable reports whether a value of type t may be nil by itself.
func (t *Type) Nullable() bool {
	switch t.Kind {
	case Pointer, Slice, Map, Bytes, Any:
		return true
	}
	return false
}

// IsZero reports whether value, one encoded value of type t as an encoder
// writes it, is that of the zero value. Nested structs are those of l.
func (l *Layout) IsZero(t *Type, value []byte) bool {
	return len(value) > 0 && contentForm{l}.isZero(value, t)
}

// wants says what a value of type t may be, for messages.
func (t *Type) wants() string {
	switch t.Kind {
	case Bool:
		return "true or false"
	case Int:
		low := int64(-1) << (t.Bits - 1)
		return fmt.Sprintf("an integer from %d to %d", low, ^low)
	case Uint:
		return "an integer from 0 to " + strconv.FormatUint(^uint64(0)>>(64-t.Bits), 10)
	case Float:
		return fmt.Sprintf("a number of %d bits", t.Bits)
	case String, Text:
		return "a string"
	case Bytes, Binary:
		return "bytes"
	case ByteArray:
		return fmt.Sprintf("%d bytes", t.Len)
	case Time:
		return "a time"
	case Duration:
		return "a duration"
	case Pointer:
		return "nil or " + t.Elem.wants()
	case Slice:
		return "a list"
	case Array:
		return fmt.Sprintf("a list of %d", t.Len)
	case Map:
		return "a map"
	case Struct:
		return "a struct of its fields by name"
	case Custom:
		return "one msgpack value as bytes"
	}
	return "a value"
}

// refuse returns the error of a value that is not one of type t.
func (t *Type) refuse(v any) error { return fmt.Errorf("it wants %s, not %s", t.wants(), showValue(v)) }

// maxShown bounds how much of a value a message shows, in bytes.
const maxShown = 60

// showValue returns v for a message, cut where it is long.
func showValue(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return cutText(strconv.Quote(v), maxShown)
	case json.Number:
		return "the number " + cutText(string(v), maxShown)
	case Raw:
		return msgpack.NameOf(v) + " as msgpack"
	case Members:
		return "a struct"
	case []Pair:
		return "a map"
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Slice, reflect.Map, reflect.Array, reflect.Pointer, reflect.Struct:
		return "a " + r.Type().String()
	}
	return cutText(fmt.Sprintf("the %T %v", v, v), maxShown)
}
