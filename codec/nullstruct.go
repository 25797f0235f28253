package codec

import (
	"slices"

	"github.com/kivisdb/kivis/internal/msgpack"
)

// Releases before nullables were values of their own stored sql.NullString and its
// like as the structs that they are: a value, and a bool Valid.

// IsNullable reports whether t, a type of l, is a struct as a nullable was stored once,
// and u, of another layout, a pointer to the value that it holds. It returns the field
// of the value.
func (l *Layout) IsNullable(t, u *Type, other *Layout) (value *Field, ok bool) {
	at := l.nullable(t)
	if at < 0 || u.Kind != Pointer {
		return nil, false
	}
	f := &l.Structs[t.Struct][at]
	if u.Elem.Kind == Struct && slices.ContainsFunc(other.Structs[u.Elem.Struct], func(g Field) bool { return g.Name == f.Name }) {
		return nil, false // a pointer to the struct itself
	}
	return f, f.Type.Kind == u.Elem.Kind && f.Type.Bits == u.Elem.Bits && f.Type.Len == u.Elem.Len || f.Type.WidensTo(u.Elem)
}

// nullable returns which of the two fields of a struct is the value that the other,
// Valid, says to be there, or -1 for other types.
func (l *Layout) nullable(t *Type) int {
	if t.Kind != Struct || len(l.Structs[t.Struct]) != 2 {
		return -1
	}
	for i, f := range l.Structs[t.Struct] {
		if f.Name == "Valid" && f.Type.Kind == Bool {
			return 1 - i
		}
	}
	return -1
}

// nullableConverter makes nil, or the value, of a struct of a value and Valid.
type nullableConverter struct {
	value int // the field of the value, of two
	elem  convertFunc
}

func (c *nullableConverter) convert(dst, b []byte, in scope) (out, rest []byte, err error) {
	fields, err := consumeCount(b, 2, "fields")
	if err != nil {
		return dst, b, err
	}
	var two [3]uint32
	offs, err := SplitFirst(fields, 2, two[:0])
	if err != nil {
		return dst, b, err
	}
	rest = fields[offs[2]:]
	valid, _, err := msgpack.ConsumeBool(fields[offs[1-c.value]:])
	if err != nil {
		return dst, b, err
	}
	if !valid {
		return msgpack.AppendNil(dst), rest, nil
	}
	dst, _, err = c.elem(dst, fields[offs[c.value]:], in)
	return dst, rest, err
}
