package msgpack

import (
	"fmt"
	"math"
)

// AnyForms says what [ConsumeAny] makes of values for which Go has no one type.
type AnyForms struct {
	// Ext makes a value of an extension other than a time, given as a whole.
	Ext func(value []byte) (any, error)
	// Map makes a value of the keys and values of a map, which it is given in
	// turn. Where it is nil, maps are Go maps.
	Map func(list []any) any
}

// ConsumeAny takes one value of any kind. Its Go type follows from its form:
// nil, bool, int64 for an integer of any width, or uint64 where that is too
// small, float32 or float64, string, []byte, time.Time in UTC, []any,
// map[string]any, or map[any]any where keys are not all strings. What is
// returned shares no memory with b.
//
// Values inside each other more than depth deep are an error, and so are keys
// that occur twice and those that a Go map cannot have.
func ConsumeAny(b []byte, depth int, forms AnyForms) (v any, rest []byte, err error) {
	if len(b) == 0 {
		return nil, b, ErrTruncated
	}
	switch c := b[0]; {
	case c < fixMap, c >= negative, c >= uint8c && c <= int64c:
		return consumeAnyInt(b)
	case c < fixArray, c == map16, c == map32:
		return consumeAnyMap(b, depth, forms)
	case c < fixStr, c == array16, c == array32:
		return consumeAnyArray(b, depth, forms)
	case c < codeNil, c >= str8 && c <= str8+2:
		s, rest, err := ConsumeString(b)
		return string(s), rest, err
	case c == codeNil:
		return nil, b[1:], nil
	case c == codeF, c == codeT:
		return c == codeT, b[1:], nil
	case c >= bin8 && c <= bin8+2:
		s, rest, err := ConsumeBytes(b)
		return append([]byte{}, s...), rest, err
	case c == float32c:
		f, rest, err := consumeFloat32(b)
		return f, rest, err
	case c == float64c:
		f, rest, err := ConsumeFloat(b)
		return f, rest, err
	}
	return consumeAnyExt(b, forms)
}

func consumeAnyInt(b []byte) (any, []byte, error) {
	u, rest, err := consumeInteger(b)
	if err != nil {
		return nil, b, err
	}
	if u > math.MaxInt64 && !isSigned(b[0]) {
		return u, rest, nil
	}
	return int64(u), rest, nil
}

func consumeAnyExt(b []byte, forms AnyForms) (any, []byte, error) {
	typ, _, rest, err := ConsumeExt(b)
	if err != nil {
		return nil, b, err
	}
	if typ == -1 {
		t, rest, err := ConsumeTime(b)
		return t, rest, err
	}
	n := len(b) - len(rest)
	v, err := forms.Ext(b[:n:n])
	if err != nil {
		return nil, b, err
	}
	return v, rest, nil
}

var errDeep = fmt.Errorf("%w: too many arrays and maps inside each other", ErrCorrupt)

func consumeAnyArray(b []byte, depth int, forms AnyForms) (any, []byte, error) {
	n, rest, err := ConsumeArrayLen(b)
	if err != nil {
		return nil, b, err
	}
	if depth == 0 && n > 0 {
		return nil, b, errDeep
	}
	// What is not there is not allocated, however many an array says it has.
	list := make([]any, 0, min(n, 64))
	for range n {
		var v any
		if v, rest, err = ConsumeAny(rest, depth-1, forms); err != nil {
			return nil, rest, err
		}
		list = append(list, v)
	}
	return list, rest, nil
}

func consumeAnyMap(b []byte, depth int, forms AnyForms) (any, []byte, error) {
	n, rest, err := ConsumeMapLen(b)
	if err != nil {
		return nil, b, err
	}
	if depth == 0 && n > 0 {
		return nil, b, errDeep
	}
	m := anyMap{strings: make(map[string]any, min(n, 64))}
	var list []any // of keys and values, where a map is to be made of it
	for range n {
		var k, v any
		if k, rest, err = consumeAnyKey(rest); err != nil {
			return nil, rest, err
		}
		if v, rest, err = ConsumeAny(rest, depth-1, forms); err != nil {
			return nil, rest, err
		}
		if m.set(k, v); forms.Map != nil {
			list = append(list, k, v)
		}
	}
	if len(m.strings)+len(m.others) != n {
		return nil, b, fmt.Errorf("%w: a map with two equal keys", ErrCorrupt)
	}
	if forms.Map != nil {
		return forms.Map(list), rest, nil
	}
	return m.value(), rest, nil
}

// consumeAnyKey takes the key of a map, which must be one that Go can compare.
func consumeAnyKey(b []byte) (any, []byte, error) {
	if len(b) == 0 {
		return nil, b, ErrTruncated
	}
	switch c := b[0]; {
	case c >= ext8 && c <= ext32, c >= fixExt1 && c < str8:
		t, rest, err := ConsumeTime(b)
		return t, rest, err
	case c >= fixMap && c < fixStr, c >= bin8 && c <= bin8+2, c >= array16 && c <= map32:
		return nil, b, wrong(b, "the key of a map")
	}
	return ConsumeAny(b, 0, AnyForms{})
}

// An anyMap is a map whose keys are strings until another one turns up.
type anyMap struct {
	strings map[string]any
	others  map[any]any
}

func (m *anyMap) set(k, v any) {
	if s, ok := k.(string); ok {
		m.strings[s] = v
		return
	}
	if m.others == nil {
		m.others = map[any]any{}
	}
	m.others[k] = v
}

func (m *anyMap) value() any {
	if m.others == nil {
		return m.strings
	}
	for s, v := range m.strings {
		m.others[s] = v
	}
	return m.others
}
