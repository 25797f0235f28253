package codec

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kivisdb/kivis/internal/msgpack"
)

// appendAnyJSON appends the value of no known type that starts b.
func appendAnyJSON(dst, b []byte) (out, rest []byte, err error) {
	if _, rest, err = (valueDecoder{}).any(b); err != nil {
		return dst, rest, err
	}
	return appendReadJSON(dst, b[:len(b)-len(rest)]), rest, nil
}

// appendReadJSON appends b, one value that can be read as one of no known type.
func appendReadJSON(dst, b []byte) []byte {
	if n, rest, err := msgpack.ConsumeArrayLen(b); err == nil && hasHead(b, msgpack.AppendArrayLen(nil, n)) {
		return appendListJSON(dst, rest, n)
	}
	if n, rest, err := msgpack.ConsumeMapLen(b); err == nil && hasHead(b, msgpack.AppendMapLen(nil, n)) && inOrder(rest, n) {
		return appendMapJSON(dst, rest, n)
	}
	v, _, err := (valueDecoder{}).any(b)
	if err != nil {
		return dst // unreachable: b can be read
	}
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return appendIntJSON(dst, b, integer{uint64(v), v < 0})
	case uint64:
		return appendIntJSON(dst, b, integer{v, false})
	case float64:
		if f := math.Trunc(v); f != v && v == v { // a number with a point or an exponent
			return appendFloatJSON(dst, v, 64)
		}
		return append(appendFloatJSON(append(dst, `{"$float":`...), v, 64), '}')
	case float32:
		return append(appendFloatJSON(append(dst, `{"$float32":`...), widened(v), 32), '}')
	case string:
		if bytes.Equal(b, msgpack.AppendString(nil, v)) {
			return appendTextJSON(dst, v)
		}
	case []byte:
		if bytes.Equal(b, msgpack.AppendBytes(nil, v)) {
			return append(appendBase64(append(dst, `{"$bytes":`...), v), '}')
		}
	case time.Time:
		if bytes.Equal(b, msgpack.AppendTime(nil, v)) {
			return append(appendTimeJSON(append(dst, `{"$time":`...), v), '}')
		}
	}
	return append(appendBase64(append(dst, `{"$msgpack":`...), b), '}')
}

// hasHead reports whether b starts with head, the shortest form of its length.
func hasHead(b, head []byte) bool { return bytes.HasPrefix(b, head) }

// appendIntJSON appends n, which b encodes: a number, or the form that says how
// wide it was written.
func appendIntJSON(dst, b []byte, n integer) []byte {
	text, shortest := strconv.FormatUint(n.bits, 10), msgpack.AppendUint(nil, n.bits)
	if n.negative {
		text, shortest = strconv.FormatInt(int64(n.bits), 10), msgpack.AppendInt(nil, int64(n.bits))
	}
	if bytes.Equal(b, shortest) {
		return append(dst, text...)
	}
	dst = append(append(dst, `{"$`...), msgpack.IntTypeOf(b)...)
	return append(append(append(dst, `":`...), text...), '}')
}

func appendListJSON(dst, b []byte, n int) []byte {
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		var elem []byte
		elem, b = cutValue(b)
		dst = appendReadJSON(dst, elem)
	}
	return append(dst, ']')
}

// cutValue returns the first value of b, which is there, and the rest.
func cutValue(b []byte) (value, rest []byte) {
	rest, _ = msgpack.Skip(b)
	return b[:len(b)-len(rest)], rest
}

// inOrder reports whether the n entries of a map whose first starts b are in the
// order of their bytes, and none is there twice.
func inOrder(b []byte, n int) bool {
	var last []byte
	for range n {
		start := b
		_, b = cutValue(b)
		_, b = cutValue(b)
		entry := start[:len(start)-len(b)]
		if last != nil && bytes.Compare(last, entry) >= 0 {
			return false
		}
		last = entry
	}
	return true
}

// appendMapJSON appends a map of n entries: as an object where its keys are
// strings that stand for themselves, in the marked form otherwise.
func appendMapJSON(dst, b []byte, n int) []byte {
	asObject := plainNames(b, n)
	form := mapForms[asObject]
	if !asObject {
		dst = append(dst, `{"$map":`...)
	}
	dst = append(dst, form.open)
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		var key, value []byte
		key, b = cutValue(b)
		value, b = cutValue(b)
		dst = appendReadJSON(append(dst, form.before...), key)
		dst = appendReadJSON(append(dst, form.between), value)
		dst = append(dst, form.after...)
	}
	dst = append(dst, form.close)
	if !asObject {
		dst = append(dst, '}')
	}
	return dst
}

// plainNames reports whether the n keys of a map whose first starts b are
// strings of UTF-8 in their shortest form that do not begin with $.
func plainNames(b []byte, n int) bool {
	for range n {
		var key []byte
		key, b = cutValue(b)
		s, _, err := msgpack.ConsumeString(key)
		if err != nil || !utf8.Valid(s) || strings.HasPrefix(string(s), "$") || !bytes.Equal(key, msgpack.AppendStringBytes(nil, s)) {
			return false
		}
		_, b = cutValue(b)
	}
	return true
}
