package codec

import (
	"fmt"
	"reflect"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// A stringMap encodes or decodes maps from strings to values with the memory
// of a V, without reflection.
type stringMap[V any] struct {
	elemEncoder encodeFunc
	elemDecoder decodeFunc
}

// stringMapOf returns the codec of maps from strings to one of the most common
// types, or nil where the maps of type t, stored as ty, are others.
func stringMapOf(t reflect.Type, ty *Type, e encodeFunc, d decodeFunc) interface {
	encode(dst []byte, p reflectx.Pointer, depth int) ([]byte, error)
	decode(b []byte, p reflectx.Pointer, depth int) ([]byte, error)
} {
	if ty.Key.Kind != String {
		return nil
	}
	switch t.Elem().Kind() {
	case reflect.String:
		return &stringMap[string]{e, d}
	case reflect.Int:
		return &stringMap[int]{e, d}
	case reflect.Int64:
		return &stringMap[int64]{e, d}
	case reflect.Float64:
		return &stringMap[float64]{e, d}
	case reflect.Bool:
		return &stringMap[bool]{e, d}
	case reflect.Interface:
		return &stringMap[any]{e, d}
	}
	return nil
}

func (s *stringMap[V]) encode(dst []byte, p reflectx.Pointer, depth int) (_ []byte, err error) {
	m := *reflectx.Ref[map[string]V](p)
	if m == nil {
		return msgpack.AppendNil(dst), nil
	}
	dst = msgpack.AppendMapLen(dst, len(m))
	var few [16]mapEntry
	entries, cell := few[:0], new(V)
	for k, v := range m {
		entry := mapEntry{start: len(dst)}
		dst = msgpack.AppendString(dst, k)
		entry.key, *cell = len(dst), v
		if dst, err = s.elemEncoder(dst, reflectx.To(cell), depth); err != nil {
			return dst, at(fmt.Sprintf("[%s]", k), err)
		}
		entry.end = len(dst)
		entries = append(entries, entry)
	}
	return sortEntries(dst, entries, false)
}

func (s *stringMap[V]) decode(b []byte, p reflectx.Pointer, depth int) ([]byte, error) {
	if msgpack.IsNil(b) {
		*reflectx.Ref[map[string]V](p) = nil
		return b[1:], nil
	}
	n, rest, err := msgpack.ConsumeMapLen(b)
	if err != nil {
		return b, err
	}
	m, cell := make(map[string]V, min(n, 1<<10)), new(V)
	*reflectx.Ref[map[string]V](p) = m
	for range n {
		k, after, err := msgpack.ConsumeString(rest)
		if err != nil {
			return rest, err
		}
		if rest, err = s.elemDecoder(after, reflectx.To(cell), depth); err != nil {
			return rest, at(fmt.Sprintf("[%s]", k), err)
		}
		m[reflectx.String(k)] = *cell
	}
	if len(m) != n {
		return b, errRepeated
	}
	return rest, nil
}
