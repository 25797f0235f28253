package codec

import (
	"fmt"
	"reflect"
	"time"
)

// Value returns the value of the part of type k at the start of src, without a
// Go type, and what follows the part: nil, bool, int64, uint64, float64, string,
// []byte, time.Time in UTC, time.Duration, or a []any of the parts of a tuple.
// What it returns shares no memory with src. The error matches [ErrCorrupt].
func (k *KeyType) Value(src []byte) (v any, rest []byte, err error) {
	v, n := k.value(src, 0)
	if n < 0 {
		return nil, nil, errBadKey
	}
	return v, src[n:], nil
}

// Values returns the values of the parts of tuple, which is a tuple of type k
// and nothing more, or of k itself where it is no tuple.
func (k *KeyType) Values(tuple []byte) ([]any, error) {
	v, rest, err := k.Value(tuple)
	if err == nil && len(rest) > 0 {
		err = errBadKey
	}
	if err != nil {
		return nil, err
	}
	if list, ok := v.([]any); ok {
		return list, nil
	}
	return []any{v}, nil
}

// value returns the value of the part at the start of src, whose bytes are xor
// mask before k itself descends, and the part's length, or -1.
func (k *KeyType) value(src []byte, mask byte) (v any, n int) {
	mask ^= k.mask()
	if !k.Ptr {
		return k.valueInside(src, mask)
	}
	set, ok := readPtr(src, mask)
	switch {
	case !ok:
		return nil, -1
	case !set:
		return nil, 1
	}
	if v, n = k.valueInside(src[1:], mask); n >= 0 {
		n++
	}
	return v, n
}

// valueInside is value without pointer and direction.
func (k *KeyType) valueInside(src []byte, mask byte) (v any, n int) {
	if k.Kind == Struct {
		return k.valueParts(src, mask)
	}
	if n = k.measureValue(src, mask); n < 0 {
		return nil, -1
	}
	switch k.Kind {
	case Bool:
		return src[0]^mask != intZero, n
	case Int, Uint, Duration:
		x, neg, _ := readInt(src, mask)
		return k.integerValue(integer{x, neg}), n
	case Float:
		f, _ := readFloat(src, mask)
		return f, n
	case String, Bytes:
		end, escapes, _ := readString(src, mask)
		text := appendText([]byte{}, src[:end], escapes, mask)
		if k.Kind == String {
			return string(text), n
		}
		return text, n
	case Own, OwnBinary, OwnText:
		end, escapes, _ := readString(src, mask)
		return ownBytes(appendText([]byte{}, src[:end], escapes, mask)), n
	case ByteArray:
		array := append([]byte{}, src[:n]...)
		if mask != 0 {
			complement(array, 0)
		}
		return array, n
	case Time:
		t, _ := readTime(src, mask)
		return t, n
	}
	return nil, -1
}

// integerValue returns n as what k is, or as what it fits: integers of all kinds
// share one form.
func (k *KeyType) integerValue(n integer) any {
	i, signed := n.int(64)
	switch {
	case signed && k.Kind == Duration:
		return time.Duration(i)
	case signed && (k.Kind == Int || n.negative):
		return i
	}
	return n.bits
}

func (k *KeyType) valueParts(src []byte, mask byte) (v any, sum int) {
	list := make([]any, len(k.Parts))
	for i := range k.Parts {
		var n int
		if list[i], n = k.Parts[i].value(src[sum:], mask); n < 0 {
			return nil, -1
		}
		sum += n
	}
	return list, sum
}

// AppendValue appends the part of type k for v: a value as [Layout.AppendValue]
// takes it for the kind, or for a tuple a []any of its parts. t is the stored
// type of the value, whose nested structs are in l, so that numbers are held to
// its width; where it is nil, numbers have 64 bits.
//
// The error is an [*Error] that says what is wanted; then dst is returned as it
// was. NaN is not refused: see [KeyType.RefuseNaN].
func (k *KeyType) AppendValue(dst []byte, t *Type, l *Layout, v any) ([]byte, error) {
	out, err := keyValueEncoder{l}.append(dst, k, t, v)
	if err != nil {
		return dst, errorOf(opEncode, nil, 0, err)
	}
	return out, nil
}

// A keyValueEncoder appends parts for values that have no Go type.
type keyValueEncoder struct{ layout *Layout }

// append appends the part for v, whose stored type is t, nil where it is not
// known.
func (e keyValueEncoder) append(dst []byte, k *KeyType, t *Type, v any) (_ []byte, err error) {
	start := len(dst)
	v = pointedAt(v)
	if k.Ptr {
		if t != nil {
			t = t.Elem
		}
		if v == nil {
			return append(dst, ptrNil^k.mask()), nil
		}
		dst = append(dst, ptrValue)
	}
	if k.Kind == Struct {
		dst, err = e.parts(dst, k, t, v)
	} else {
		dst, err = e.scalar(dst, k, t, v)
	}
	if k.Desc {
		complement(dst, start)
	}
	return dst, err
}

// scalar appends a part that is no tuple, ascending.
func (e keyValueEncoder) scalar(dst []byte, k *KeyType, t *Type, v any) ([]byte, error) {
	if own, ok := v.(ownBytes); ok && k.Kind.isOwn() {
		return AppendString(dst, []byte(own)), nil
	}
	if k.Kind.isOwn() {
		return k.appendOwnValue(dst, t, e.layout, v)
	}
	if t == nil {
		t = &Type{Kind: k.Kind, Len: k.Len}
		switch k.Kind {
		case Int, Uint, Float:
			t.Bits = 64
		}
	}
	var few [64]byte
	var value []byte
	var err error
	if v == nil {
		value, err = appendNilOf(few[:0], t)
	} else {
		value, err = appendScalar(few[:0], t, v)
	}
	if err == nil {
		dst, _, err = k.transcodeValue(dst, value)
	}
	return dst, err
}

// parts appends the parts of a tuple.
func (e keyValueEncoder) parts(dst []byte, k *KeyType, t *Type, v any) (_ []byte, err error) {
	list, err := partsOf(k, v)
	if err != nil {
		return dst, err
	}
	for i := range k.Parts {
		var part *Type
		step := fmt.Sprintf("[%d]", i)
		if t != nil {
			f := &e.layout.Structs[t.Struct][i]
			part, step = &f.Type, f.Name
		}
		if dst, err = e.append(dst, &k.Parts[i], part, list[i]); err != nil {
			return dst, at(step, err)
		}
	}
	return dst, nil
}

// partsOf returns v, any slice or the fields of a struct, as the parts of a
// tuple.
func partsOf(k *KeyType, v any) ([]any, error) {
	var list []any
	if s, ok := v.(Members); ok {
		for _, m := range s {
			list = append(list, m.Value)
		}
	} else {
		r := reflect.ValueOf(v)
		if r.Kind() != reflect.Slice && r.Kind() != reflect.Array {
			return nil, fmt.Errorf("it wants a list of the %d parts of %s, not %s", len(k.Parts), *k, showValue(v))
		}
		for i := range r.Len() {
			list = append(list, r.Index(i).Interface())
		}
	}
	if len(list) != len(k.Parts) {
		return nil, fmt.Errorf("it wants %d values for %s, not %d", len(k.Parts), *k, len(list))
	}
	return list, nil
}
