package codec

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/kivisdb/kivis/internal/msgpack"
)

// Digest returns the content key of a record: the SHA-256 of the canonical form
// of its body, whose layout is l and whose fields start at offs, without the
// field at position skip, the key itself.
//
// The canonical form is a msgpack map from stored names to values, in the order
// of the names' bytes. Fields that are zero are not in it: false, 0, "", nil,
// the time zero, and arrays and structs of such. Nested structs, wherever they
// are, are such maps too, and floats have 64 bits; all else is as in the body.
// So the key stays the same when fields are reordered or widened, and when ones
// that are zero come or go; it changes when a field is renamed.
//
// A body that is damaged, which no encoder or converter gives, is hashed as it
// is.
func Digest(body []byte, offs []uint32, l *Layout, skip int) [sha256.Size]byte {
	form, err := contentForm{l}.appendStruct(nil, body, offs, l.Fields, skip, 0)
	if err != nil {
		form = body
	}
	return sha256.Sum256(form)
}

// A contentForm makes the canonical form of values of a layout.
type contentForm struct{ layout *Layout }

// appendStruct appends the map of the fields but the one at position skip. They
// start at offs in b.
func (c contentForm) appendStruct(dst, b []byte, offs []uint32, fields []Field, skip, depth int) ([]byte, error) {
	var few [32]int
	order := few[:0]
	for i := range fields {
		if i != skip && !c.isZero(b[offs[i]:offs[i+1]], &fields[i].Type) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(fields[i].Name, fields[j].Name) })
	dst = msgpack.AppendMapLen(dst, len(order))
	for _, i := range order {
		dst = msgpack.AppendString(dst, fields[i].Name)
		var err error
		if dst, _, err = c.appendValue(dst, b[offs[i]:offs[i+1]], &fields[i].Type, depth); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// isZero reports whether b, one value of type t, is that of a zero.
func (c contentForm) isZero(b []byte, t *Type) bool {
	switch t.Kind {
	case Bool, Int, Uint, Duration, String:
		return bytes.Equal(b, AppendZero(nil, *t, c.layout))
	case Float:
		return allZero(b[1:])
	case ByteArray:
		v, _, err := msgpack.ConsumeBytes(b)
		return err == nil && allZero(v)
	case Time:
		return bytes.Equal(b, msgpack.AppendTime(nil, time.Time{}))
	case Binary, Text, JSON:
		return msgpack.IsNil(b) || len(b) == 1 || len(b) == 2 && b[1] == 0
	case Array, Struct:
		return c.allZero(b, t)
	}
	return msgpack.IsNil(b)
}

func allZero(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }

// allZero is isZero for arrays and structs.
func (c contentForm) allZero(b []byte, t *Type) bool {
	n, rest, err := msgpack.ConsumeArrayLen(b)
	for i := 0; i < n && err == nil; i++ {
		elem := t.Elem
		if t.Kind == Struct {
			if i == len(c.layout.Structs[t.Struct]) {
				return false
			}
			elem = &c.layout.Structs[t.Struct][i].Type
		}
		var v []byte
		if v, err = first(rest); err != nil || !c.isZero(v, elem) {
			return false
		}
		rest = rest[len(v):]
	}
	return err == nil
}

// appendValue appends the canonical form of the value of type t that starts b.
func (c contentForm) appendValue(dst, b []byte, t *Type, depth int) (out, rest []byte, err error) {
	if msgpack.IsNil(b) {
		return msgpack.AppendNil(dst), b[1:], nil
	}
	switch t.Kind {
	case Float:
		return convertFloat(dst, b, scope{depth: depth})
	case Pointer:
		return c.appendValue(dst, b, t.Elem, depth)
	case Slice, Array:
		list := compositeConverter{elem: c.converter(t.Elem)}
		return list.convertList(dst, b, scope{depth: depth})
	case Map:
		m := compositeConverter{c.converter(t.Key), c.converter(t.Elem)}
		return m.convertMap(dst, b, scope{depth: depth})
	case Struct:
		return c.appendNested(dst, b, c.layout.Structs[t.Struct], depth)
	}
	return convertCopy(dst, b, scope{depth: depth})
}

// converter returns appendValue for values of type t, as a part of a list or
// map.
func (c contentForm) converter(t *Type) convertFunc {
	return func(dst, b []byte, in scope) (out, rest []byte, err error) {
		return c.appendValue(dst, b, t, in.depth)
	}
}

// appendNested appends the form of the nested struct that starts b.
func (c contentForm) appendNested(dst, b []byte, fields []Field, depth int) (out, rest []byte, err error) {
	if depth >= maxDepth {
		return dst, b, errDeep
	}
	rest, err = consumeCount(b, len(fields), "fields")
	if err != nil {
		return dst, b, err
	}
	var few [32]uint32
	offs, err := SplitFirst(rest, len(fields), few[:0])
	if err != nil {
		return dst, b, err
	}
	dst, err = c.appendStruct(dst, rest, offs, fields, -1, depth+1)
	return dst, rest[offs[len(fields)]:], err
}
