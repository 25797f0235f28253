package codec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Equal reports whether t and u are the same stored type, given that both
// refer to the same structs by the same numbers. A Name may differ.
func (t Type) Equal(u Type) bool {
	return t.Kind == u.Kind && t.Bits == u.Bits && t.Len == u.Len && t.Struct == u.Struct &&
		equalTypes(t.Elem, u.Elem) && equalTypes(t.Key, u.Key)
}

func equalTypes(t, u *Type) bool {
	if t == nil || u == nil {
		return t == u
	}
	return t.Equal(*u)
}

// WidensTo reports whether t and u are different types of numbers and each value
// of t is one of u. Its encoding is then one of u too, but for floats. Durations
// are integers of 64 bits.
func (t *Type) WidensTo(u *Type) bool {
	switch {
	case t.Kind == Int && u.Kind == Int, t.Kind == Uint && u.Kind == Uint, t.Kind == Float && u.Kind == Float, t.Kind == Uint && u.Kind == Int:
		return t.Bits < u.Bits
	case t.Kind == Int && u.Kind == Duration:
		return true
	case t.Kind == Duration && u.Kind == Int:
		return u.Bits == 64
	}
	return false
}

// BecomesPointer reports whether u is a pointer to what t is or widens to, and
// the encoding of a t is never nil, so that each stored t is a u as it is.
func (t *Type) BecomesPointer(u *Type) bool {
	if u.Kind != Pointer || !t.neverNil() {
		return false
	}
	return t.Kind == u.Elem.Kind && t.Bits == u.Elem.Bits && t.Len == u.Elem.Len || t.WidensTo(u.Elem)
}

// neverNil reports whether no value of t is stored as nil.
func (t *Type) neverNil() bool {
	switch t.Kind {
	case Bool, Int, Uint, Float, String, ByteArray, Time, Duration, Array, Struct:
		return true
	}
	return false
}

// Equal reports whether l and m store the same: the same fields with the same
// ids and types in the same order, nested ones too. Bodies of the one are then
// bodies of the other.
func (l *Layout) Equal(m *Layout) bool {
	return equalFields(l.Fields, m.Fields) && slices.EqualFunc(l.Structs, m.Structs, equalFields)
}

// HasNames reports whether a type in the layout has a Name.
func (l *Layout) HasNames() bool {
	for _, fields := range append([][]Field{l.Fields}, l.Structs...) {
		if slices.ContainsFunc(fields, func(f Field) bool { return f.Type.hasName() }) {
			return true
		}
	}
	return false
}

func (t *Type) hasName() bool {
	return t != nil && (t.Name != "" || t.Elem.hasName() || t.Key.hasName())
}

func equalFields(a, b []Field) bool {
	return slices.EqualFunc(a, b, func(f, g Field) bool {
		return f.ID == g.ID && f.Name == g.Name && f.Type.Equal(g.Type)
	})
}

var kindNames = [...]string{
	Invalid: "invalid", Bool: "bool", Int: "int", Uint: "uint", Float: "float", String: "string", Bytes: "[]byte",
	ByteArray: "byte array", Time: "time", Duration: "duration", Pointer: "pointer", Slice: "slice", Array: "array",
	Map: "map", Struct: "struct", Binary: "binary", Text: "text", Custom: "msgpack", Any: "any", JSON: "json",
}

// String returns the kind's name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// String returns t much as Go writes types: "int64", "[]string",
// "map[string]*time", "[16]byte", "struct 0" for the first nested struct.
func (t Type) String() string {
	switch t.Kind {
	case Int, Uint, Float:
		return t.Kind.String() + strconv.Itoa(int(t.Bits))
	case ByteArray:
		return "[" + strconv.Itoa(t.Len) + "]byte"
	case Pointer:
		return "*" + t.Elem.text()
	case Slice:
		return "[]" + t.Elem.text()
	case Array:
		return "[" + strconv.Itoa(t.Len) + "]" + t.Elem.text()
	case Map:
		return "map[" + t.Key.text() + "]" + t.Elem.text()
	case Struct:
		return "struct " + strconv.Itoa(t.Struct)
	}
	return t.Kind.String()
}

func (t *Type) text() string {
	if t == nil {
		return "?"
	}
	return t.String()
}

// String returns one line for each field, "Name type", or "Name type #id" where
// it has an id, and after those of the record the same for each nested struct.
func (l *Layout) String() string {
	var b strings.Builder
	writeFields(&b, "", l.Fields)
	for i, fields := range l.Structs {
		fmt.Fprintf(&b, "struct %d\n", i)
		writeFields(&b, "\t", fields)
	}
	return b.String()
}

func writeFields(b *strings.Builder, indent string, fields []Field) {
	for i := range fields {
		f := &fields[i]
		fmt.Fprintf(b, "%s%s %v", indent, f.Name, f.Type)
		if f.ID != 0 {
			fmt.Fprintf(b, " #%d", f.ID)
		}
		b.WriteByte('\n')
	}
}
