package codec

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	vmsgpack "github.com/vmihailenco/msgpack/v5"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// encodeAny appends the value of type any at p as the msgpack library would,
// but for what the library does not do: it puts the keys of every map in
// order, and notices values that lead back to themselves.
func encodeAny(dst []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	start := len(dst)
	var e anyEncoder
	dst, err := e.append(dst, *reflectx.Ref[any](p), 0)
	if err != nil || !e.exotic {
		return dst, err
	}
	if _, _, err := consumeAny(dst[start:]); err != nil {
		return dst, unreadable(err)
	}
	return dst, nil
}

// unreadable returns the error of a value that has been written and could not
// be read again, for the reason err.
func unreadable(err error) error {
	return fmt.Errorf("it could not be read again: %s", strings.TrimPrefix(err.Error(), ErrCorrupt.Error()+": "))
}

// An anyEncoder encodes one value of type any.
type anyEncoder struct {
	exotic bool // it may not be readable: that is to be seen
	values bool // Pair, Members and json.Number stand for maps and numbers: see [Layout.AppendValue]
}

func (e *anyEncoder) append(dst []byte, v any, depth int) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return msgpack.AppendNil(dst), nil
	case bool:
		return msgpack.AppendBool(dst, v), nil
	case int:
		return msgpack.AppendInt(dst, int64(v)), nil
	case int64:
		return msgpack.AppendIntBits(dst, v, 64), nil
	case uint64:
		return msgpack.AppendUintBits(dst, v, 64), nil
	case float32:
		return msgpack.AppendFloat32(dst, v), nil
	case float64:
		return msgpack.AppendFloat64(dst, v), nil
	case string:
		return msgpack.AppendString(dst, v), nil
	case time.Time:
		return appendTime(dst, v)
	case []any:
		return e.appendList(dst, v, depth)
	case map[string]any:
		return e.appendMap(dst, v, depth)
	case Raw:
		return e.appendRaw(dst, v, depth)
	case []Pair, Members, json.Number:
		if e.values {
			return e.appendModel(dst, v, depth)
		}
	}
	return e.appendValue(dst, reflect.ValueOf(v), depth)
}

func (e *anyEncoder) appendList(dst []byte, v []any, depth int) (_ []byte, err error) {
	if v == nil {
		return msgpack.AppendNil(dst), nil
	}
	if depth >= maxDepth {
		return dst, errCycle
	}
	dst = msgpack.AppendArrayLen(dst, len(v))
	for _, x := range v {
		if dst, err = e.append(dst, x, depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func (e *anyEncoder) appendMap(dst []byte, v map[string]any, depth int) (_ []byte, err error) {
	if v == nil {
		return msgpack.AppendNil(dst), nil
	}
	if depth >= maxDepth {
		return dst, errCycle
	}
	dst = msgpack.AppendMapLen(dst, len(v))
	entries := make([]mapEntry, 0, len(v))
	for k, x := range v {
		entry := mapEntry{start: len(dst)}
		dst = msgpack.AppendString(dst, k)
		entry.key = len(dst)
		if dst, err = e.append(dst, x, depth+1); err != nil {
			return dst, err
		}
		entry.end = len(dst)
		entries = append(entries, entry)
	}
	return sortEntries(dst, entries, false)
}

// appendValue appends a value that is not of the most common types.
func (e *anyEncoder) appendValue(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if depth >= maxDepth {
		return dst, errCycle
	}
	t := v.Type()
	if _, ok := reflectx.NullableOf(t); ok && reflectx.MarshalOf(t) != reflectx.MarshalMsgpack {
		return e.appendNullable(dst, v, depth)
	}
	if t.Kind() == reflect.Struct || marshalsItself(t) && !storedByKind(t) {
		return e.appendLibrary(dst, v, depth)
	}
	switch t.Kind() {
	case reflect.Bool:
		return msgpack.AppendBool(dst, v.Bool()), nil
	case reflect.Int:
		return msgpack.AppendInt(dst, v.Int()), nil
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return msgpack.AppendIntBits(dst, v.Int(), t.Bits()), nil
	case reflect.Uint, reflect.Uintptr:
		return msgpack.AppendUint(dst, v.Uint()), nil
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return msgpack.AppendUintBits(dst, v.Uint(), t.Bits()), nil
	case reflect.Float32:
		return msgpack.AppendFloat32(dst, float32(v.Float())), nil
	case reflect.Float64:
		return msgpack.AppendFloat64(dst, v.Float()), nil
	case reflect.String:
		return msgpack.AppendString(dst, v.String()), nil
	case reflect.Array:
		return e.appendElements(dst, v, depth)
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
		return e.appendNilable(dst, v, depth)
	}
	return dst, fmt.Errorf("a %v cannot be stored", t)
}

// storedByKind reports whether values of t are stored by kind whatever methods
// they have, as they are in a field of their own type.
func storedByKind(t reflect.Type) bool {
	return scalarKind(t) != Invalid && reflectx.MarshalOf(t) != reflectx.MarshalMsgpack
}

// marshalsItself reports whether values of t have methods that the library
// would call.
func marshalsItself(t reflect.Type) bool {
	p := t
	if t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface {
		p = reflect.PointerTo(t)
	}
	for _, m := range marshalers {
		if p.Implements(m) {
			return true
		}
	}
	return false
}

var marshalers = []reflect.Type{
	reflect.TypeFor[vmsgpack.CustomEncoder](), reflect.TypeFor[vmsgpack.Marshaler](),
	reflect.TypeFor[encoding.BinaryMarshaler](), reflect.TypeFor[encoding.TextMarshaler](),
}

// appendLibrary lets the library append v.
func (e *anyEncoder) appendLibrary(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	e.exotic = true
	if !ends(v, depth) {
		return dst, errCycle
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v) // so that it has an address, for methods of the pointer
	return library(dst, func(enc *vmsgpack.Encoder) (err error) {
		defer recovered(&err) // the library panics at some arrays in maps
		return enc.EncodeValue(p.Elem())
	})
}

// recovered makes an error of a panic inside the library.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the msgpack library panics: %v", r)
	}
}

// ends reports whether v is less than maxDepth deep. What a type's own methods
// make of it is for the type to know.
func ends(v reflect.Value, depth int) bool {
	if !v.IsValid() || depth < maxDepth && marshalsItself(v.Type()) {
		if v.IsValid() {
			registerID(v.Type())
		}
		return true
	}
	depth++
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return depth < maxDepth && ends(v.Elem(), depth)
	case reflect.Struct:
		for i := range v.NumField() {
			if !ends(v.Field(i), depth) {
				return false
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if !ends(v.Index(i), depth) {
				return false
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if !ends(it.Key(), depth) || !ends(it.Value(), depth) {
				return false
			}
		}
	}
	return depth < maxDepth
}

func (e *anyEncoder) appendNilable(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if v.IsNil() {
		return msgpack.AppendNil(dst), nil
	}
	switch {
	case v.Kind() == reflect.Map:
		return e.appendOtherMap(dst, v, depth)
	case v.Kind() == reflect.Slice && isByte(v.Type().Elem()):
		return msgpack.AppendBytes(dst, v.Bytes()), nil
	case v.Kind() == reflect.Slice:
		return e.appendElements(dst, v, depth)
	}
	return e.appendValue(dst, v.Elem(), depth+1)
}

// appendNullable appends what v holds, or nil.
func (e *anyEncoder) appendNullable(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	held, _ := heldBy(v)
	return e.append(dst, held, depth+1)
}

func (e *anyEncoder) appendElements(dst []byte, v reflect.Value, depth int) (_ []byte, err error) {
	if isByte(v.Type().Elem()) {
		bytes := reflect.New(v.Type()).Elem() // which has an address, as Bytes asks
		bytes.Set(v)
		return msgpack.AppendBytes(dst, bytes.Bytes()), nil
	}
	dst = msgpack.AppendArrayLen(dst, v.Len())
	for i := range v.Len() {
		if dst, err = e.append(dst, v.Index(i).Interface(), depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func (e *anyEncoder) appendOtherMap(dst []byte, v reflect.Value, depth int) (_ []byte, err error) {
	e.exotic = true
	dst = msgpack.AppendMapLen(dst, v.Len())
	entries := make([]mapEntry, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		entry := mapEntry{start: len(dst)}
		if dst, err = e.append(dst, it.Key().Interface(), depth+1); err != nil {
			return dst, err
		}
		entry.key = len(dst)
		if dst, err = e.append(dst, it.Value().Interface(), depth+1); err != nil {
			return dst, err
		}
		entry.end = len(dst)
		entries = append(entries, entry)
	}
	return sortEntries(dst, entries, true)
}

func decodeAny(b []byte, p reflectx.Pointer, _ int) ([]byte, error) {
	v, rest, err := consumeAny(b)
	*reflectx.Ref[any](p) = v
	return rest, err
}

func consumeAny(b []byte) (v any, rest []byte, err error) {
	return msgpack.ConsumeAny(b, maxDepth, msgpack.AnyForms{Ext: consumeExt})
}

// consumeExt lets the library decode an extension: only it knows those that a
// program has registered. One that is not registered is not damaged: it comes
// back as it is stored.
func consumeExt(b []byte) (any, error) {
	v, err := libraryExt(b)
	switch {
	case err == nil:
		return v, nil
	case strings.HasPrefix(err.Error(), "msgpack: unknown ext id"):
		return rawExt(b)
	}
	return nil, fmt.Errorf("%w: an extension: %w", ErrCorrupt, err)
}

func libraryExt(b []byte) (v any, err error) {
	defer recovered(&err)
	dec := vmsgpack.GetDecoder()
	dec.Reset(bytes.NewReader(b))
	v, err = dec.DecodeInterface()
	vmsgpack.PutDecoder(dec)
	return v, err
}
