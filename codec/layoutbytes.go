package codec

import (
	"fmt"
	"math"

	"github.com/kivisdb/kivis/internal/msgpack"
)

// AppendLayout appends l as one msgpack value, for the catalog: a map of
// "fields", a list, and of "structs", a list of such lists. A field is a map of
// "id", "name" and "type"; a type is a map of "kind", the number of its [Kind],
// and of "bits", "len", "struct", "name", "elem" and "key" where they are not
// zero.
func AppendLayout(dst []byte, l *Layout) []byte {
	dst = msgpack.AppendMapLen(dst, 2)
	dst = appendFieldList(msgpack.AppendString(dst, "fields"), l.Fields)
	dst = msgpack.AppendArrayLen(msgpack.AppendString(dst, "structs"), len(l.Structs))
	for _, fields := range l.Structs {
		dst = appendFieldList(dst, fields)
	}
	return dst
}

func appendFieldList(dst []byte, fields []Field) []byte {
	dst = msgpack.AppendArrayLen(dst, len(fields))
	for i := range fields {
		f := &fields[i]
		dst = msgpack.AppendMapLen(dst, 3)
		dst = appendNumber(dst, "id", int(f.ID))
		dst = msgpack.AppendString(msgpack.AppendString(dst, "name"), f.Name)
		dst = appendType(msgpack.AppendString(dst, "type"), &f.Type)
	}
	return dst
}

func appendType(dst []byte, t *Type) []byte {
	start, n := len(dst), 1
	dst = appendNumber(append(dst, 0), "kind", int(t.Kind))
	for _, x := range [...]struct {
		name  string
		value int
	}{{"bits", int(t.Bits)}, {"len", t.Len}, {"struct", t.Struct}} {
		if x.value != 0 {
			dst, n = appendNumber(dst, x.name, x.value), n+1
		}
	}
	if t.Name != "" {
		dst, n = msgpack.AppendString(msgpack.AppendString(dst, "name"), t.Name), n+1
	}
	if t.Elem != nil {
		dst, n = appendType(msgpack.AppendString(dst, "elem"), t.Elem), n+1
	}
	if t.Key != nil {
		dst, n = appendType(msgpack.AppendString(dst, "key"), t.Key), n+1
	}
	msgpack.AppendMapLen(dst[:start], n)
	return dst
}

func appendNumber(dst []byte, name string, v int) []byte {
	return msgpack.AppendInt(msgpack.AppendString(dst, name), int64(v))
}

// ConsumeLayout takes what [AppendLayout] wrote. The layout is complete: every
// type has its parts, structs that are referred to exist, none contains itself
// other than through a pointer, slice or map. Errors match [ErrCorrupt].
func ConsumeLayout(b []byte) (l *Layout, rest []byte, err error) {
	r := reader{b: b}
	l = &Layout{}
	r.each(func(name string) bool {
		switch name {
		case "fields":
			l.Fields = r.fieldList()
		case "structs":
			r.list(func() { l.Structs = append(l.Structs, r.fieldList()) })
		default:
			return false
		}
		return true
	})
	if r.err == nil {
		r.err = l.check()
	}
	if r.err != nil {
		return nil, b, fmt.Errorf("codec: layout: %w", r.err)
	}
	return l, r.b, nil
}

// A reader takes values one after the other, and keeps the first error.
type reader struct {
	b   []byte
	err error
}

// each takes a map and calls value for each of its keys, to take what follows
// it; value reports whether it knows the key.
func (r *reader) each(value func(name string) bool) {
	n := take(r, msgpack.ConsumeMapLen)
	for ; n > 0 && r.err == nil; n-- {
		name := string(take(r, msgpack.ConsumeString))
		if r.err == nil && !value(name) {
			r.err = fmt.Errorf("%w: unknown key %q", ErrCorrupt, name)
		}
	}
}

// list takes an array and calls value for each of its values, to take it.
func (r *reader) list(value func()) {
	n := take(r, msgpack.ConsumeArrayLen)
	for ; n > 0 && r.err == nil; n-- {
		value()
	}
}

// take takes one value.
func take[T any](r *reader, consume func([]byte) (T, []byte, error)) (v T) {
	if r.err == nil {
		v, r.b, r.err = consume(r.b)
	}
	return v
}

// number takes an integer from 0 to limit.
func (r *reader) number(limit uint64) int {
	v := take(r, msgpack.ConsumeUint)
	if r.err == nil && v > limit {
		r.err = msgpack.ErrRange
	}
	return int(v)
}

func (r *reader) fieldList() (fields []Field) {
	r.list(func() {
		var f Field
		r.each(func(name string) bool {
			switch name {
			case "id":
				f.ID = uint32(r.number(math.MaxUint32))
			case "name":
				f.Name = string(take(r, msgpack.ConsumeString))
			case "type":
				f.Type = r.typ(0)
			default:
				return false
			}
			return true
		})
		fields = append(fields, f)
	})
	return fields
}

func (r *reader) typ(depth int) (t Type) {
	if depth > maxTypeDepth {
		r.err = errDeep
		return t
	}
	r.each(func(name string) bool {
		switch name {
		case "kind":
			t.Kind = Kind(r.number(uint64(JSON)))
		case "bits":
			t.Bits = uint8(r.number(64))
		case "len":
			t.Len = r.number(maxZeroSize)
		case "struct":
			t.Struct = r.number(math.MaxInt32)
		case "name":
			t.Name = string(take(r, msgpack.ConsumeString))
		case "elem":
			elem := r.typ(depth + 1)
			t.Elem = &elem
		case "key":
			key := r.typ(depth + 1)
			t.Key = &key
		default:
			return false
		}
		return true
	})
	return t
}

// AppendKeyType appends k as one msgpack value, for the catalog: a map of
// "kind" and, where they are not zero, of "len", "name", "ptr", "desc", "fold" and
// "parts".
func AppendKeyType(dst []byte, k KeyType) []byte {
	start, n := len(dst), 1
	dst = appendNumber(append(dst, 0), "kind", int(k.Kind))
	if k.Len != 0 {
		dst, n = appendNumber(dst, "len", k.Len), n+1
	}
	if k.Name != "" {
		dst, n = msgpack.AppendString(msgpack.AppendString(dst, "name"), k.Name), n+1
	}
	for _, x := range [...]struct {
		name string
		set  bool
	}{{"ptr", k.Ptr}, {"desc", k.Desc}, {"fold", k.Fold}} {
		if x.set {
			dst, n = msgpack.AppendBool(msgpack.AppendString(dst, x.name), true), n+1
		}
	}
	if k.Parts != nil {
		dst, n = msgpack.AppendArrayLen(msgpack.AppendString(dst, "parts"), len(k.Parts)), n+1
		for _, part := range k.Parts {
			dst = AppendKeyType(dst, part)
		}
	}
	msgpack.AppendMapLen(dst[:start], n)
	return dst
}

// ConsumeKeyType takes what [AppendKeyType] wrote. Errors match [ErrCorrupt].
func ConsumeKeyType(b []byte) (k KeyType, rest []byte, err error) {
	r := reader{b: b}
	k = r.keyType(0)
	if r.err != nil {
		return KeyType{}, b, fmt.Errorf("codec: key type: %w", r.err)
	}
	return k, r.b, nil
}

func (r *reader) keyType(depth int) (k KeyType) {
	if depth > maxTypeDepth {
		r.err = errDeep
		return k
	}
	r.each(func(name string) bool {
		switch name {
		case "kind":
			k.Kind = Kind(r.number(uint64(OwnText)))
		case "name":
			k.Name = string(take(r, msgpack.ConsumeString))
		case "len":
			k.Len = r.number(maxZeroSize)
		case "ptr":
			k.Ptr = take(r, msgpack.ConsumeBool)
		case "desc":
			k.Desc = take(r, msgpack.ConsumeBool)
		case "fold":
			k.Fold = take(r, msgpack.ConsumeBool)
		case "parts":
			k.Parts = []KeyType{}
			r.list(func() { k.Parts = append(k.Parts, r.keyType(depth+1)) })
		default:
			return false
		}
		return true
	})
	if r.err == nil && !k.wellFormed() {
		r.err = fmt.Errorf("%w: not the type of a key: %s", ErrCorrupt, k)
	}
	return k
}

// wellFormed reports whether k has what its kind needs and nothing else,
// leaving aside its parts.
func (k *KeyType) wellFormed() bool {
	ok := (k.Len == 0 || k.Kind == ByteArray) && (!k.Fold || k.Kind == String) && (k.Parts != nil) == (k.Kind == Struct) && (k.Name != "") == (k.Kind == Own)
	switch k.Kind {
	case Bool, Int, Uint, Float, String, Bytes, ByteArray, Time, Duration, Struct, Own, OwnBinary, OwnText:
		return ok
	}
	return false
}
