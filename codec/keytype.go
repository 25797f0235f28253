package codec

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/kivisdb/kivis/reflectx"
)

// Equal reports whether k and o are the same type, kinds of integers told
// apart.
func (k KeyType) Equal(o KeyType) bool {
	return k.Kind == o.Kind && k.sameForm(o) && slices.EqualFunc(k.Parts, o.Parts, KeyType.Equal)
}

// Compatible reports whether k and o encode the values that both have in the
// same bytes, so that one may follow the other in a stored key or index: they
// are equal, but for kinds of integers, which all share one order.
func (k KeyType) Compatible(o KeyType) bool {
	kinds := k.Kind == o.Kind || k.isInteger() && o.isInteger()
	return kinds && k.sameForm(o) && slices.EqualFunc(k.Parts, o.Parts, KeyType.Compatible)
}

func (k KeyType) sameForm(o KeyType) bool {
	return k.Len == o.Len && k.Name == o.Name && k.Ptr == o.Ptr && k.Desc == o.Desc && k.Fold == o.Fold
}

func (k KeyType) isInteger() bool {
	return k.Kind == Int || k.Kind == Uint || k.Kind == Duration
}

// Base returns k with every part ascending and exact: the form of a literal.
func (k KeyType) Base() KeyType {
	k.Desc, k.Fold = false, false
	if k.Parts != nil {
		k.Parts = slices.Clone(k.Parts)
		for i, part := range k.Parts {
			k.Parts[i] = part.Base()
		}
	}
	return k
}

// String returns k as canonical text: "int", "*time", "string fold desc",
// "(string, [16]byte desc)".
func (k KeyType) String() string {
	var b strings.Builder
	if k.Ptr {
		b.WriteByte('*')
	}
	switch k.Kind {
	case Struct:
		b.WriteByte('(')
		for i, part := range k.Parts {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(part.String())
		}
		b.WriteByte(')')
	case ByteArray:
		b.WriteString("[" + strconv.Itoa(k.Len) + "]byte")
	case Own:
		b.WriteString(k.ownName())
	default:
		b.WriteString(keyKindNames[k.Kind])
	}
	if k.Fold {
		b.WriteString(" fold")
	}
	if k.Desc {
		b.WriteString(" desc")
	}
	return b.String()
}

// keyKindNames names the kinds that keys are made of, other than Struct and
// ByteArray. The others have no name here.
var keyKindNames = [256]string{
	Bool: "bool", Int: "int", Uint: "uint", Float: "float", String: "string",
	Bytes: "bytes", Time: "time", Duration: "duration", OwnBinary: "binary form", OwnText: "text form",
}

var (
	errPointers  = errors.New("a pointer to a pointer cannot be part of a key")
	errPtrBytes  = errors.New("a pointer to bytes cannot be part of a key: bytes may be nil by themselves")
	errRecursive = errors.New("a type that contains itself cannot be part of a key")
	errNoFields  = errors.New("a struct without stored fields cannot be part of a key")
)

// KeyTypeFor returns how a value of the stored type t, whose nested structs
// are in layout, is encoded as part of a key, ascending and exact. The error
// says why a type has no order.
func KeyTypeFor(t Type, layout *Layout) (KeyType, error) {
	return keyTypeFor(t, layout, nil)
}

// keyTypeFor is KeyTypeFor inside the structs with the given numbers.
func keyTypeFor(t Type, layout *Layout, inside []int) (KeyType, error) {
	if _, ok := forms.Load(t.Name); ok && t.Name != "" {
		return KeyType{Kind: Own, Name: t.Name}, nil
	}
	switch t.Kind {
	case Bool, Int, Uint, Float, String, Bytes, Time, Duration:
		return KeyType{Kind: t.Kind}, nil
	case ByteArray:
		return KeyType{Kind: ByteArray, Len: t.Len}, nil
	case Pointer:
		if t.Elem == nil || t.Elem.Kind == Pointer {
			return KeyType{}, errPointers
		}
		return pointerKey(keyTypeFor(*t.Elem, layout, inside))
	case Struct:
		return keyTypeForStruct(t.Struct, layout, inside)
	}
	return KeyType{}, noOrder(t.Kind)
}

// pointerKey returns the type of pointers to k, unless k came with an error.
func pointerKey(k KeyType, err error) (KeyType, error) {
	if err == nil && k.Kind == Bytes {
		// A record does not tell a nil pointer from one to nil bytes.
		err = errPtrBytes
	}
	k.Ptr = true
	return k, err
}

func keyTypeForStruct(number int, layout *Layout, inside []int) (KeyType, error) {
	if slices.Contains(inside, number) {
		return KeyType{}, errRecursive
	}
	if layout == nil || number < 0 || number >= len(layout.Structs) {
		return KeyType{}, fmt.Errorf("no struct %d in the layout", number)
	}
	fields := layout.Structs[number]
	if len(fields) == 0 {
		return KeyType{}, errNoFields
	}
	inside = append(inside, number)
	k := KeyType{Kind: Struct, Parts: make([]KeyType, len(fields))}
	for i, f := range fields {
		part, err := keyTypeFor(f.Type, layout, inside)
		if err != nil {
			return KeyType{}, at(f.Name, err)
		}
		k.Parts[i] = part
	}
	return k, nil
}

// KeyTypeOf returns how a value of the Go type t is encoded as part of a key,
// ascending and exact. The error says why the type has no order.
func KeyTypeOf(t reflect.Type, fields FieldsOf) (KeyType, error) {
	return keyTypeOf(t, fields, nil)
}

// keyTypeOf is KeyTypeOf inside the struct types given.
func keyTypeOf(t reflect.Type, fields FieldsOf, inside []reflect.Type) (KeyType, error) {
	kind := kindOf(t)
	f, err := formOf(t, fields)
	if err != nil {
		return KeyType{}, err
	}
	if f != nil && kind != Invalid {
		return KeyType{Kind: Own, Name: f.name}, nil
	}
	switch kind {
	case Bool, Int, Uint, Float, String, Bytes, Time, Duration:
		return KeyType{Kind: kind}, nil
	case ByteArray:
		return KeyType{Kind: ByteArray, Len: t.Len()}, nil
	case Pointer:
		elem := elemOf(t)
		if kindOf(elem) == Pointer {
			return KeyType{}, errPointers
		}
		return pointerKey(keyTypeOf(elem, fields, inside))
	case Struct:
		return keyTypeOfStruct(t, fields, inside)
	}
	if err := reflectx.Loss(t); err != nil {
		return KeyType{}, err
	}
	return KeyType{}, fmt.Errorf("%s cannot be part of a key: %w", reflectx.TypeName(t), noOrder(kind))
}

func keyTypeOfStruct(t reflect.Type, fields FieldsOf, inside []reflect.Type) (KeyType, error) {
	if slices.Contains(inside, t) {
		return KeyType{}, errRecursive
	}
	list, err := fields(t)
	if err != nil {
		return KeyType{}, err
	}
	if len(list) == 0 {
		return KeyType{}, errNoFields
	}
	inside = append(inside, t)
	k := KeyType{Kind: Struct, Parts: make([]KeyType, len(list))}
	for i, f := range list {
		part, err := keyTypeOf(f.Type, fields, inside)
		if err != nil {
			return KeyType{}, at(f.Name, err)
		}
		k.Parts[i] = part
	}
	return k, nil
}

// noOrder says why values of kind k have no order.
func noOrder(k Kind) error {
	switch k {
	case Slice, Array, Map:
		return errors.New("slices, arrays and maps have no order, bytes apart")
	case Binary, Text, Custom, JSON:
		return errors.New("the order of a type that marshals itself is not known, unless it has the methods AppendKey and ParseKey")
	case Any:
		return errors.New("an interface has no type to order by")
	}
	return errors.New("it cannot be stored")
}
