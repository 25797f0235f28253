package codec

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// AppendValue appends v as a value of type t, byte for byte as the [Encoder] of
// a Go type does. Nested structs are those of l. v is what [Layout.Value]
// returns for the type, or of another Go type that holds the same:
//
//	int, uint     a number of any Go type, or [json.Number], that is an integer and in range
//	float         a number of any Go type; one of 32 bits is the nearest to it
//	duration      an integer of nanoseconds, or a text such as 1h30m, no finer than these
//	time          a text of RFC 3339
//	bytes         any slice or array of bytes; arrays of bytes also a text, hexadecimal or as of a UUID
//	slice, array  any Go slice or array
//	map           any Go map
//	struct        a map by names; fields that it lacks are zero
//	any           what a field of type any takes, [Pair], [Members] and json.Number besides
//
// Pointers are followed. Named types count as their kind.
//
// It keeps nothing of v. An error is an [*Error] that has the path from the
// value to what is at fault, and says what is wanted there; then dst is
// returned as it was.
func (l *Layout) AppendValue(dst []byte, t *Type, v any) ([]byte, error) {
	out, err := (valueEncoder{layout: l}).append(dst, t, v, 0)
	if err != nil {
		return dst, errorOf(opEncode, nil, 0, err)
	}
	return out, nil
}

// AppendRecord appends the body of a record whose fields are those of v, a
// [Members] or a map by names; fields that it lacks are zero. The offsets it
// returns, in the memory of offs, are those of [Encoder.Encode].
func (l *Layout) AppendRecord(dst []byte, v any, offs []uint32) ([]byte, []uint32, error) {
	offs = slices.Grow(offs[:0], len(l.Fields)+1)[:len(l.Fields)+1]
	out, err := (valueEncoder{layout: l}).fields(dst, l.Fields, v, 0, offs)
	if err == nil && uint64(len(out)-len(dst)) > math.MaxUint32 {
		err = errTooLong
	}
	if err != nil {
		return dst, offs[:0], errorOf(opEncode, nil, 0, err)
	}
	offs[len(l.Fields)] = uint32(len(out) - len(dst))
	return out, offs, nil
}

var errTooLong = errors.New("more than 4 GiB")

// A valueEncoder appends values that have no Go type.
type valueEncoder struct{ layout *Layout }

// append appends v, which is inside depth structs.
func (e valueEncoder) append(dst []byte, t *Type, v any, depth int) ([]byte, error) {
	if t.Kind == Any {
		return appendAny(dst, v)
	}
	v = pointedAt(v)
	if v == nil {
		return appendNilOf(dst, t)
	}
	switch t.Kind {
	case Pointer:
		return e.append(dst, t.Elem, v, depth)
	case Slice, Array:
		return e.list(dst, t, v, depth)
	case Map:
		return e.pairs(dst, t, v, depth)
	case Struct:
		return e.nested(dst, e.layout.Structs[t.Struct], v, depth)
	}
	return appendScalar(dst, t, v)
}

// pointedAt returns what v points to, and nil for what is nil.
func pointedAt(v any) any {
	for range maxDepth {
		r := reflect.ValueOf(v)
		switch r.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			if r.IsNil() {
				return nil
			}
		case reflect.Struct:
			held, ok := heldBy(r)
			if !ok {
				return v
			}
			v = held
			continue
		}
		if r.Kind() != reflect.Pointer {
			return v
		}
		v = r.Elem().Interface()
	}
	return v
}

// heldBy returns the value that r, if it is a nullable, holds, or nil.
func heldBy(r reflect.Value) (v any, ok bool) {
	null, ok := reflectx.NullableOf(r.Type())
	if !ok {
		return nil, false
	}
	p := reflect.New(r.Type())
	p.Elem().Set(r)
	if held := null.At(reflectx.Of(p)); !held.IsNil() {
		v = held.Value(null.Elem).Interface()
	}
	return v, true
}

// appendNilOf appends what nil is as a t.
func appendNilOf(dst []byte, t *Type) ([]byte, error) {
	switch t.Kind {
	case Pointer, Slice, Map, Bytes, Binary, Text, Custom:
		return msgpack.AppendNil(dst), nil
	}
	return dst, t.refuse(nil)
}

// appendScalar appends a value that has no others inside it.
func appendScalar(dst []byte, t *Type, v any) ([]byte, error) {
	switch t.Kind {
	case Bool:
		if r := reflect.ValueOf(v); r.Kind() == reflect.Bool {
			return msgpack.AppendBool(dst, r.Bool()), nil
		}
	case Int, Uint, Duration, Float:
		return appendNumeric(dst, t, v)
	case String, Text:
		_, isNumber := v.(json.Number)
		if r := reflect.ValueOf(v); r.Kind() == reflect.String && !isNumber {
			return msgpack.AppendString(dst, r.String()), nil
		}
	case Bytes, Binary:
		if b, ok := bytesOf(v); ok {
			return msgpack.AppendBytes(dst, b), nil
		}
	case ByteArray:
		if b, ok := byteArrayOf(v, t.Len); ok {
			return msgpack.AppendBytes(dst, b), nil
		}
	case Time:
		tm, err := timeOf(v)
		if err != nil {
			return dst, err
		}
		return appendTime(dst, tm)
	case Custom:
		if b, ok := bytesOf(v); ok {
			return append(dst, b...), checkRaw(b, 0)
		}
	}
	return dst, t.refuse(v)
}

func appendNumeric(dst []byte, t *Type, v any) ([]byte, error) {
	switch t.Kind {
	case Duration:
		if d, ok := durationOf(v); ok {
			return msgpack.AppendInt(dst, int64(d)), nil
		}
	case Float:
		if f, ok := floatOf(v, t.Bits); ok && t.Bits == 32 {
			return msgpack.AppendFloat32(dst, narrowed(f)), nil
		} else if ok {
			return msgpack.AppendFloat64(dst, f), nil
		}
	default:
		n, ok := integerOf(v)
		if !ok {
			return dst, t.refuse(v)
		}
		if i, ok := n.int(t.Bits); ok && t.Kind == Int {
			return msgpack.AppendInt(dst, i), nil
		}
		if u, ok := n.uint(t.Bits); ok && t.Kind == Uint {
			return msgpack.AppendUint(dst, u), nil
		}
	}
	return dst, t.refuse(v)
}

// bytesOf returns the bytes of v, a slice or array of them.
func bytesOf(v any) ([]byte, bool) {
	if b, ok := v.([]byte); ok {
		return b, true
	}
	r := reflect.ValueOf(v)
	if k := r.Kind(); k != reflect.Slice && k != reflect.Array || r.Type().Elem().Kind() != reflect.Uint8 {
		return nil, false
	}
	if r.Kind() == reflect.Array {
		p := reflect.New(r.Type()) // which has an address, as Bytes asks
		p.Elem().Set(r)
		r = p.Elem()
	}
	return r.Bytes(), true
}

// byteArrayOf returns the n bytes of v, which may also be their text.
func byteArrayOf(v any, n int) ([]byte, bool) {
	b, ok := bytesOf(v)
	if s, isText := v.(string); isText {
		b, ok = parseByteArray(s, n)
	}
	return b, ok && len(b) == n
}

// parseByteArray reads n bytes in hexadecimal, with 0x before it or without, or
// in the form of a UUID.
func parseByteArray(s string, n int) ([]byte, bool) {
	digits := strings.TrimPrefix(s, "0x")
	if n == 16 && len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		digits = strings.ReplaceAll(s, "-", "")
	}
	b, err := hex.DecodeString(digits)
	return b, err == nil && len(b) == n
}

func (e valueEncoder) list(dst []byte, t *Type, v any, depth int) (_ []byte, err error) {
	r := reflect.ValueOf(v)
	if k := r.Kind(); k != reflect.Slice && k != reflect.Array || t.Kind == Array && r.Len() != t.Len {
		if k == reflect.Slice || k == reflect.Array {
			return dst, fmt.Errorf("it wants %s, not one of %d", t.wants(), r.Len())
		}
		return dst, t.refuse(v)
	}
	dst = msgpack.AppendArrayLen(dst, r.Len())
	for i := range r.Len() {
		if dst, err = e.append(dst, t.Elem, r.Index(i).Interface(), depth); err != nil {
			return dst, atIndex(i, err)
		}
	}
	return dst, nil
}

func (e valueEncoder) pairs(dst []byte, t *Type, v any, depth int) (_ []byte, err error) {
	pairs, ok := pairsIn(v)
	if !ok {
		return dst, t.refuse(v)
	}
	dst = msgpack.AppendMapLen(dst, len(pairs))
	entries := make([]mapEntry, 0, len(pairs))
	for _, p := range pairs {
		entry := mapEntry{start: len(dst)}
		if dst, err = e.append(dst, t.Key, p.Key, depth); err != nil {
			return dst, at("[key "+keyStep(p.Key)[1:], err)
		}
		entry.key = len(dst)
		if dst, err = e.append(dst, t.Elem, p.Value, depth); err != nil {
			return dst, at(keyStep(p.Key), err)
		}
		entry.end = len(dst)
		entries = append(entries, entry)
	}
	return sortEntries(dst, entries, t.Key.Kind == Float)
}

// pairsIn returns the entries of v, a map in any of its forms.
func pairsIn(v any) ([]Pair, bool) {
	if pairs, ok := v.([]Pair); ok {
		return pairs, true
	}
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Map {
		return nil, false
	}
	pairs := make([]Pair, 0, r.Len())
	for it := r.MapRange(); it.Next(); {
		pairs = append(pairs, Pair{it.Key().Interface(), it.Value().Interface()})
	}
	return pairs, true
}

func (e valueEncoder) nested(dst []byte, fields []Field, v any, depth int) ([]byte, error) {
	if depth >= maxDepth {
		return dst, errCycle
	}
	return e.fields(msgpack.AppendArrayLen(dst, len(fields)), fields, v, depth+1, nil)
}

// fields appends the fields of v one after the other, and sets offs, unless it
// is nil, to where each starts.
func (e valueEncoder) fields(dst []byte, fields []Field, v any, depth int, offs []uint32) (_ []byte, err error) {
	start := len(dst)
	values, given, err := membersOf(v, fields)
	if err != nil {
		return dst, err
	}
	for i := range fields {
		if offs != nil {
			offs[i] = uint32(len(dst) - start)
		}
		if !given[i] {
			dst = AppendZero(dst, fields[i].Type, e.layout)
			continue
		}
		if dst, err = e.append(dst, &fields[i].Type, values[i], depth); err != nil {
			return dst, at(fields[i].Name, err)
		}
	}
	return dst, nil
}

// membersOf returns the value that v, a struct in any of its forms, has for
// each of the fields, and which of them it has.
func membersOf(v any, fields []Field) (values []any, given []bool, err error) {
	values, given = make([]any, len(fields)), make([]bool, len(fields))
	s, ok := v.(Members)
	if !ok {
		if s, ok = structOf(v); !ok {
			return nil, nil, (&Type{Kind: Struct}).refuse(v)
		}
	}
	for _, m := range s {
		i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == m.Name })
		switch {
		case i < 0:
			return nil, nil, unknownField(m.Name, fields)
		case given[i]:
			return nil, nil, at(m.Name, errTwice)
		}
		values[i], given[i] = m.Value, true
	}
	return values, given, nil
}

var errTwice = errors.New("the field is given twice")

// structOf returns v, a map by names, as a struct.
func structOf(v any) (Members, bool) {
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Map || r.Type().Key().Kind() != reflect.String {
		return nil, false
	}
	s := make(Members, 0, r.Len())
	for it := r.MapRange(); it.Next(); {
		s = append(s, Member{it.Key().String(), it.Value().Interface()})
	}
	return s, true
}

// unknownField returns the error of a name that is none of the fields.
func unknownField(name string, fields []Field) error {
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].Name
	}
	text := cutText(fmt.Sprintf("%q", name), maxShown)
	if near, ok := reflectx.Nearest(name, names); ok {
		return fmt.Errorf("there is no field %s; did you mean %q?", text, near)
	}
	return fmt.Errorf("there is no field %s; there are %s", text, cutText(strings.Join(names, ", "), maxPath))
}
