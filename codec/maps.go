package codec

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// A mapEncoder encodes maps, in the order of their encoded keys: so equal maps
// have equal bytes.
type mapEncoder struct {
	t         reflect.Type
	key, elem encodeFunc
	repeats   bool // keys may be stored alike: NaN
}

func (c *encoderCompiler) makeMap(t reflect.Type, ty *Type) (encodeFunc, error) {
	key, err := c.compile(t.Key(), ty.Key)
	if err != nil {
		return nil, err
	}
	elem, err := c.compile(t.Elem(), ty.Elem)
	if err != nil {
		return nil, err
	}
	if m := stringMapOf(t, ty, elem, nil); m != nil {
		return m.encode, nil
	}
	return (&mapEncoder{t, key, elem, ty.Key.Kind == Float}).encode, nil
}

func (m *mapEncoder) encode(dst []byte, p reflectx.Pointer, depth int) (_ []byte, err error) {
	v := p.Value(m.t)
	if v.IsNil() {
		return msgpack.AppendNil(dst), nil
	}
	dst = msgpack.AppendMapLen(dst, v.Len())
	k, e := reflect.New(m.t.Key()), reflect.New(m.t.Elem())
	entries := make([]mapEntry, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		k.Elem().SetIterKey(it)
		e.Elem().SetIterValue(it)
		entry := mapEntry{start: len(dst)}
		if dst, err = m.key(dst, reflectx.Of(k), depth); err != nil {
			return dst, at(fmt.Sprintf("[key %v]", k.Elem()), err)
		}
		entry.key = len(dst)
		if dst, err = m.elem(dst, reflectx.Of(e), depth); err != nil {
			return dst, at(fmt.Sprintf("[%v]", k.Elem()), err)
		}
		entry.end = len(dst)
		entries = append(entries, entry)
	}
	return sortEntries(dst, entries, m.repeats)
}

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

// A mapEntry is where one key and its value have been appended.
type mapEntry struct{ start, key, end int }

// sortEntries brings the entries, which are the last that was appended to dst,
// into the order of their bytes. Two equal keys are an error unless they may
// be repeated.
func sortEntries(dst []byte, entries []mapEntry, repeats bool) ([]byte, error) {
	if len(entries) < 2 {
		return dst, nil
	}
	compare := func(a, b mapEntry) int { return bytes.Compare(dst[a.start:a.end], dst[b.start:b.end]) }
	first, last := entries[0].start, len(dst)
	if !slices.IsSortedFunc(entries, compare) {
		slices.SortFunc(entries, compare)
		for _, e := range entries {
			dst = append(dst, dst[e.start:e.end]...)
		}
	}
	for i := 1; i < len(entries) && !repeats; i++ {
		a, b := entries[i-1], entries[i]
		if bytes.Equal(dst[a.start:a.key], dst[b.start:b.key]) {
			return dst, errors.New("two keys of the map are stored alike")
		}
	}
	if len(dst) > last {
		dst = dst[:first+copy(dst[first:], dst[last:])]
	}
	return dst, nil
}

// A mapDecoder decodes maps, into new ones.
type mapDecoder struct {
	t         reflect.Type
	key, elem decodeFunc
	first     int // room is made for so many entries before they are seen
	repeats   bool
}

func (c *decoderCompiler) makeMap(t reflect.Type, ty *Type) (decodeFunc, error) {
	key, err := c.compile(t.Key(), ty.Key)
	if err != nil {
		return nil, err
	}
	elem, err := c.compile(t.Elem(), ty.Elem)
	if err != nil {
		return nil, err
	}
	if m := stringMapOf(t, ty, nil, elem); m != nil {
		return m.decode, nil
	}
	return (&mapDecoder{
		t: t, key: key, elem: elem, repeats: ty.Key.Kind == Float,
		first: firstAlloc(t.Key().Size() + t.Elem().Size()),
	}).decode, nil
}

func (m *mapDecoder) decode(b []byte, p reflectx.Pointer, depth int) ([]byte, error) {
	v := p.Value(m.t)
	if msgpack.IsNil(b) {
		v.SetZero()
		return b[1:], nil
	}
	n, rest, err := msgpack.ConsumeMapLen(b)
	if err != nil {
		return b, err
	}
	v.Set(reflect.MakeMapWithSize(m.t, min(n, m.first)))
	k, e := reflect.New(m.t.Key()), reflect.New(m.t.Elem())
	for i := range n {
		k.Elem().SetZero()
		e.Elem().SetZero()
		if rest, err = m.key(rest, reflectx.Of(k), depth); err != nil {
			return rest, at(fmt.Sprintf("[key %d]", i), err)
		}
		if rest, err = m.elem(rest, reflectx.Of(e), depth); err != nil {
			return rest, at(fmt.Sprintf("[%v]", k.Elem()), err)
		}
		v.SetMapIndex(k.Elem(), e.Elem())
	}
	if v.Len() != n && !m.repeats {
		return b, errRepeated
	}
	return rest, nil
}

var errRepeated = fmt.Errorf("%w: a map with two equal keys", ErrCorrupt)

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
