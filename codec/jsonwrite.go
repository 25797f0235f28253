package codec

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kivisdb/kivis/internal/msgpack"
)

// AppendJSON appends value, one encoded value of type t, as JSON that
// [Layout.AppendFromJSON] reads back to the same bytes. Nested structs are those
// of l.
//
//	bool                          true or false
//	int, uint                     a number, all its digits
//	float                         a number, or "NaN", "Infinity", "-Infinity"
//	string, text                  a string; {"$text": base64} where it is not UTF-8
//	bytes, byte array, binary     a string of base64
//	addresses of net/netip        a string, as their String has it; base64 where they are none
//	msgpack                       a string of base64, of the value as msgpack
//	time                          a string of RFC 3339 in UTC, with up to nine digits of the second
//	duration                      a string such as "1h30m0s"
//	pointer, slice, map, bytes    null where nil, which empty is not
//	slice, array                  an array
//	map with keys of text         an object, or as the next where a key is not UTF-8
//	map with other keys           an array of arrays of key and value
//	struct                        an object of its fields in order
//
// A NaN whose bits are not those of [math.NaN] is "NaN:" and its bits.
//
// In a field of type any null, true, false, strings, arrays, integers, floats with
// a fraction, and maps whose keys are strings are as in JSON. Whatever else there
// is has a form of its own, an object of one member:
//
//	{"$float": 5}                 a float without a fraction, or "NaN" and so on
//	{"$float32": 1.5}             a float of 32 bits
//	{"$int16": 5}                 an integer written as wider than it needs: int8 to int64, uint8 to uint64
//	{"$bytes": base64}, {"$text": base64}, {"$time": "..."}
//	{"$map": [[key, value], ...]} a map with keys that are no strings, or that begin with $
//	{"$msgpack": base64}          any other value: extensions, forms that no encoder writes
//
// An object in an any with a name that begins with $ is never a map, so no map is
// taken for one of these.
//
// It is safe for any bytes; an error is an [*Error] that matches [ErrCorrupt],
// and then dst is returned as it was.
func (l *Layout) AppendJSON(dst []byte, t *Type, value []byte) ([]byte, error) {
	out, rest, err := jsonWriter{l}.value(dst, value, t, 0)
	if err == nil && len(rest) > 0 {
		err = errAfterValue
	}
	if err != nil {
		return dst, errorOf(opDecode, nil, len(value)-len(rest), err)
	}
	return out, nil
}

// AppendRecordJSON appends body as a JSON object of its fields in order.
func (l *Layout) AppendRecordJSON(dst, body []byte) ([]byte, error) {
	out, rest, err := jsonWriter{l}.fields(dst, body, l.Fields, 0)
	if err == nil && len(rest) > 0 {
		err = errTrailing
	}
	if err != nil {
		return dst, errorOf(opDecode, nil, len(body)-len(rest), err)
	}
	return out, nil
}

// A jsonWriter appends encoded values as JSON. Each method takes one value from
// b, which is inside depth structs. Where it fails, rest starts with what is
// wrong.
type jsonWriter struct{ layout *Layout }

func (w jsonWriter) value(dst, b []byte, t *Type, depth int) (out, rest []byte, err error) {
	if msgpack.IsNil(b) && (t.Nullable() || t.Kind == Binary || t.Kind == Text || t.Kind == Custom) {
		return append(dst, "null"...), b[1:], nil
	}
	switch t.Kind {
	case Pointer:
		return w.value(dst, b, t.Elem, depth)
	case Slice, Array:
		return w.list(dst, b, t, depth)
	case Map:
		return w.pairs(dst, b, t, depth)
	case Struct:
		return w.nested(dst, b, w.layout.Structs[t.Struct], depth)
	case Any:
		return appendAnyJSON(dst, b)
	}
	return w.scalar(dst, b, t)
}

// scalar appends a value that has no others inside it.
func (w jsonWriter) scalar(dst, b []byte, t *Type) (out, rest []byte, err error) {
	v, rest, err := valueDecoder(w).value(b, t, 0)
	if err != nil {
		return dst, rest, err
	}
	switch v := v.(type) {
	case bool:
		dst = strconv.AppendBool(dst, v)
	case int64:
		dst = strconv.AppendInt(dst, v, 10)
	case uint64:
		dst = strconv.AppendUint(dst, v, 10)
	case float64:
		dst = appendFloatJSON(dst, v, int(t.Bits))
	case string:
		dst = appendTextJSON(dst, v)
	case []byte:
		if text, ok := t.addressText(v); ok {
			return appendTextJSON(dst, text), rest, nil
		}
		dst = appendBase64(dst, v)
	case Raw:
		dst = appendBase64(dst, v)
	case time.Time:
		dst = appendTimeJSON(dst, v)
	case time.Duration:
		dst = appendQuoted(dst, v.String())
	}
	return dst, rest, nil
}

// appendFloatJSON appends f, a float of so many bits, in its shortest form.
func appendFloatJSON(dst []byte, f float64, bits int) []byte {
	switch {
	case f != f:
		return append(append(append(dst, '"'), nanText(f, bits)...), '"')
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, bits)
}

// The bits of math.NaN, and of it with 32 bits.
var (
	plainNaN   = math.Float64bits(math.NaN())
	plainNaN32 = math.Float32bits(float32(math.NaN()))
)

// nanText returns the text of a NaN of so many bits.
func nanText(f float64, bits int) string {
	b := math.Float64bits(f)
	if bits == 32 {
		if b = uint64(math.Float32bits(narrowed(f))); b == uint64(plainNaN32) {
			return "NaN"
		}
		return fmt.Sprintf("NaN:%08x", b)
	}
	if b == plainNaN {
		return "NaN"
	}
	return fmt.Sprintf("NaN:%016x", b)
}

func appendTimeJSON(dst []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(dst, '"'), time.RFC3339Nano), '"')
}

func appendBase64(dst, b []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"')
}

// appendTextJSON appends a string, in the marked form where it is not UTF-8.
func appendTextJSON(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		return append(appendBase64(append(dst, `{"$text":`...), []byte(s)), '}')
	}
	return appendQuoted(dst, s)
}

// appendQuoted appends s, which is UTF-8, as a JSON string.
func appendQuoted(dst []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ':
			dst = append(dst, c)
		case strings.IndexByte("\b\f\n\r\t", c) >= 0:
			dst = append(dst, '\\', "btn\x00fr"[c-'\b'])
		default:
			dst = append(dst, `\u00`...)
			dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(dst, '"')
}

func (w jsonWriter) list(dst, b []byte, t *Type, depth int) (out, rest []byte, err error) {
	n, rest, err := msgpack.ConsumeArrayLen(b)
	if err == nil && t.Kind == Array && n != t.Len {
		err = fmt.Errorf("%w: found %d elements, want %d", ErrCorrupt, n, t.Len)
	}
	if err != nil {
		return dst, b, err
	}
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, rest, err = w.value(dst, rest, t.Elem, depth); err != nil {
			return dst, rest, atIndex(i, err)
		}
	}
	return append(dst, ']'), rest, nil
}

func (w jsonWriter) nested(dst, b []byte, fields []Field, depth int) (out, rest []byte, err error) {
	if depth >= maxDepth {
		return dst, b, errDeep
	}
	rest, err = consumeCount(b, len(fields), "fields")
	if err != nil {
		return dst, b, err
	}
	return w.fields(dst, rest, fields, depth+1)
}

func (w jsonWriter) fields(dst, b []byte, fields []Field, depth int) (out, rest []byte, err error) {
	rest, dst = b, append(dst, '{')
	for i := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, fields[i].Name), ':')
		if dst, rest, err = w.value(dst, rest, &fields[i].Type, depth); err != nil {
			return dst, rest, at(fields[i].Name, err)
		}
	}
	return append(dst, '}'), rest, nil
}

// pairs appends a map: as an object where its keys are texts of UTF-8, and as an
// array of pairs otherwise.
func (w jsonWriter) pairs(dst, b []byte, t *Type, depth int) (out, rest []byte, err error) {
	n, rest, err := msgpack.ConsumeMapLen(b)
	if err != nil {
		return dst, b, err
	}
	form := mapForms[textKeys(rest, n, t.Key)]
	dst = append(dst, form.open)
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, form.before...)
		if dst, rest, err = w.value(dst, rest, t.Key, depth); err != nil {
			return dst, rest, at(fmt.Sprintf("[key %d]", i), err)
		}
		dst = append(dst, form.between)
		if dst, rest, err = w.value(dst, rest, t.Elem, depth); err != nil {
			return dst, rest, at(fmt.Sprintf("[%d]", i), err)
		}
		dst = append(dst, form.after...)
	}
	return append(dst, form.close), rest, nil
}

// A mapForm is how a map stands in JSON.
type mapForm struct {
	open, between, close byte
	before, after        string
}

// mapForms has the form of objects under true, that of pairs under false.
var mapForms = map[bool]mapForm{true: {open: '{', between: ':', close: '}'}, false: {open: '[', between: ',', close: ']', before: "[", after: "]"}}

// textKeys reports whether the n keys of a map whose first starts b are strings
// of UTF-8, none of them nil. What is damaged is for others to find.
func textKeys(b []byte, n int, t *Type) bool {
	if t.Kind != String && t.Kind != Text {
		return false
	}
	for range n {
		s, rest, err := msgpack.ConsumeString(b)
		if err != nil || !utf8.Valid(s) {
			return false
		}
		if b, err = msgpack.Skip(rest); err != nil {
			return false
		}
	}
	return true
}
