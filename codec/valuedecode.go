package codec

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// A valueDecoder takes values that have no Go type. Each method takes one value
// of a type from b, which is inside depth structs. Where it fails, rest starts
// with what is wrong.
type valueDecoder struct{ layout *Layout }

func (d valueDecoder) value(b []byte, t *Type, depth int) (v any, rest []byte, err error) {
	switch t.Kind {
	case Pointer, Slice, Map, Bytes, Binary, Text, Custom:
		if msgpack.IsNil(b) {
			return nil, b[1:], nil
		}
	}
	switch t.Kind {
	case Pointer:
		return d.value(b, t.Elem, depth)
	case Slice, Array:
		return boxed(d.list(b, t, depth))
	case Map:
		return boxed(d.pairs(b, t, depth))
	case Struct:
		return d.nested(b, d.layout.Structs[t.Struct], depth)
	case Any:
		return d.any(b)
	case Custom:
		rest, err := msgpack.SkipDepth(b, maxDepth)
		return Raw(bytes.Clone(b[:len(b)-len(rest)])), rest, err
	}
	return d.scalar(b, t)
}

// boxed returns v as an interface.
func boxed[T any](v T, rest []byte, err error) (any, []byte, error) {
	if err != nil {
		return nil, rest, err
	}
	return v, rest, nil
}

// scalar takes a value that has no others inside it.
func (d valueDecoder) scalar(b []byte, t *Type) (v any, rest []byte, err error) {
	switch t.Kind {
	case Bool:
		return boxed(msgpack.ConsumeBool(b))
	case Int:
		return boxed(consumeIntBits(b, t.Bits))
	case Uint:
		return boxed(consumeUintBits(b, t.Bits))
	case Duration:
		n, rest, err := msgpack.ConsumeInt(b)
		return boxed(time.Duration(n), rest, err)
	case Float:
		return boxed(consumeFloatBits(b, t.Bits))
	case String, Text:
		s, rest, err := msgpack.ConsumeString(b)
		return boxed(reflectx.String(s), rest, err)
	case Bytes, Binary:
		s, rest, err := msgpack.ConsumeBytes(b)
		return boxed(bytes.Clone(s), rest, err)
	case ByteArray:
		s, rest, err := msgpack.ConsumeBytes(b)
		if err == nil && len(s) != t.Len {
			return nil, b, fmt.Errorf("%w: found %d bytes, want %d", ErrCorrupt, len(s), t.Len)
		}
		return boxed(bytes.Clone(s), rest, err)
	case Time:
		return boxed(msgpack.ConsumeTime(b))
	}
	return nil, b, fmt.Errorf("%w: a value of the kind %v", ErrCorrupt, t.Kind)
}

func consumeIntBits(b []byte, bits uint8) (int64, []byte, error) {
	v, rest, err := msgpack.ConsumeInt(b)
	if shift := 64 - bits; err == nil && v<<shift>>shift != v {
		return 0, b, fmt.Errorf("%w: %d has more than %d bits", msgpack.ErrRange, v, bits)
	}
	return v, rest, err
}

func consumeUintBits(b []byte, bits uint8) (uint64, []byte, error) {
	v, rest, err := msgpack.ConsumeUint(b)
	if shift := 64 - bits; err == nil && v<<shift>>shift != v {
		return 0, b, fmt.Errorf("%w: %d has more than %d bits", msgpack.ErrRange, v, bits)
	}
	return v, rest, err
}

func consumeFloatBits(b []byte, bits uint8) (float64, []byte, error) {
	if bits == 64 {
		f, rest, err := msgpack.ConsumeFloat(b)
		return f, rest, err
	}
	f, rest, err := msgpack.ConsumeFloat32(b)
	return widened(f), rest, err
}

// widened returns f with 64 bits. A NaN keeps its own bits, which the
// processor's way would change.
func widened(f float32) float64 {
	if f == f {
		return float64(f)
	}
	b := math.Float32bits(f)
	return math.Float64frombits(uint64(b>>31)<<63 | 0x7FF<<52 | uint64(b&(1<<23-1))<<29)
}

// narrowed is the reverse of [widened], and the nearest number for others.
func narrowed(f float64) float32 {
	b := math.Float64bits(f)
	low := uint32(b>>29) & (1<<23 - 1)
	if f == f || low == 0 {
		return float32(f)
	}
	return math.Float32frombits(uint32(b>>63)<<31 | 0xFF<<23 | low)
}

func (d valueDecoder) list(b []byte, t *Type, depth int) (list []any, rest []byte, err error) {
	n, rest, err := msgpack.ConsumeArrayLen(b)
	if err == nil && t.Kind == Array && n != t.Len {
		err = fmt.Errorf("%w: found %d elements, want %d", ErrCorrupt, n, t.Len)
	}
	if err != nil {
		return nil, b, err
	}
	// What is not there is not allocated, however many the bytes claim.
	list = make([]any, 0, min(n, 64))
	for i := range n {
		var v any
		if v, rest, err = d.value(rest, t.Elem, depth); err != nil {
			return nil, rest, atIndex(i, err)
		}
		list = append(list, v)
	}
	return list, rest, nil
}

func (d valueDecoder) pairs(b []byte, t *Type, depth int) (list []Pair, rest []byte, err error) {
	n, rest, err := msgpack.ConsumeMapLen(b)
	if err != nil {
		return nil, b, err
	}
	list = make([]Pair, 0, min(n, 64))
	seen := make(map[string]bool)
	for i := range n {
		var p Pair
		if p.Key, rest, err = d.value(rest, t.Key, depth); err != nil {
			return nil, rest, at(fmt.Sprintf("[key %d]", i), err)
		}
		if p.Value, rest, err = d.value(rest, t.Elem, depth); err != nil {
			return nil, rest, at(keyStep(p.Key), err)
		}
		// A key has one canonical form, and NaN may be there several times.
		if key, err := valueEncoder(d).append(nil, t.Key, p.Key, depth); err == nil && t.Key.Kind != Float {
			seen[string(key)] = true
		}
		list = append(list, p)
	}
	if t.Key.Kind != Float && len(seen) != n {
		return nil, b, errRepeated
	}
	return list, rest, nil
}

// keyStep returns the step of a path that leads to the value of a key.
func keyStep(key any) string { return cutText(fmt.Sprintf("[%v]", key), maxShown) }

func (d valueDecoder) nested(b []byte, fields []Field, depth int) (v any, rest []byte, err error) {
	if depth >= maxDepth {
		return nil, b, errDeep
	}
	rest, err = consumeCount(b, len(fields), "fields")
	if err != nil {
		return nil, b, err
	}
	return boxed(d.fields(rest, fields, depth+1))
}

func (d valueDecoder) fields(b []byte, fields []Field, depth int) (s Members, rest []byte, err error) {
	s, rest = make(Members, len(fields)), b
	for i := range fields {
		s[i].Name = fields[i].Name
		if s[i].Value, rest, err = d.value(rest, &fields[i].Type, depth); err != nil {
			return nil, rest, at(fields[i].Name, err)
		}
	}
	return s, rest, nil
}

// any takes a value of no known type.
func (d valueDecoder) any(b []byte) (v any, rest []byte, err error) {
	return msgpack.ConsumeAny(b, maxDepth, msgpack.AnyForms{Ext: rawExt, Map: pairsOf})
}

// rawExt returns an extension as it is stored.
func rawExt(value []byte) (any, error) { return Raw(bytes.Clone(value)), nil }

// pairsOf returns the keys and values of a map, in turn, as pairs.
func pairsOf(list []any) any {
	pairs := make([]Pair, len(list)/2)
	for i := range pairs {
		pairs[i] = Pair{list[2*i], list[2*i+1]}
	}
	return pairs
}

// Value returns value, which is one encoded value of type t, without a Go type.
// Nested structs are those of l. What it returns depends on the kind alone:
//
//	bool, string               bool, string
//	int, uint, float           int64, uint64, float64, of all widths
//	time, duration             time.Time in UTC, time.Duration
//	bytes, byte array, binary  []byte
//	text                       string
//	msgpack                    [Raw]
//	pointer                    nil, or what it points to
//	slice, array               []any
//	map                        []Pair
//	struct                     [Members]
//	any                        nil, bool, int64 (uint64 where that is too small), float32, float64,
//	                           string, []byte, time.Time, []any, []Pair, or Raw for other extensions
//
// Nil stands for a pointer, slice, map or bytes that is nil, and for a type that
// marshals itself where nothing was stored.
//
// Strings share the memory of value, which must never change; slices of bytes
// are copies. It is safe for any bytes; an error is an [*Error] that matches
// [ErrCorrupt].
func (l *Layout) Value(t *Type, value []byte) (any, error) {
	d := valueDecoder{layout: l}
	v, rest, err := d.value(value, t, 0)
	if err == nil && len(rest) > 0 {
		err = errAfterValue
	}
	if err != nil {
		return nil, errorOf(opDecode, nil, len(value)-len(rest), err)
	}
	return v, nil
}

// Record returns the fields of body, each as [Layout.Value] has it.
func (l *Layout) Record(body []byte) (Members, error) {
	d := valueDecoder{layout: l}
	s, rest, err := d.fields(body, l.Fields, 0)
	if err == nil && len(rest) > 0 {
		err = errTrailing
	}
	if err != nil {
		return nil, errorOf(opDecode, nil, len(body)-len(rest), err)
	}
	return s, nil
}

var errAfterValue = fmt.Errorf("%w: bytes after a value", ErrCorrupt)
