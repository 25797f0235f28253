package query

import (
	"reflect"
	"strings"
	"sync/atomic"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// Field is a field of a record, by name or by its place in the record struct,
// before it is looked up in a table. One Field may serve any number of queries.
type Field struct {
	Name string // of stored names, dotted; empty where Offset and Type are set
	Key  bool   // the whole primary key; the rest is then not set

	Record reflect.Type // the record struct
	Offset uintptr      // of the field in it
	Type   reflect.Type // of the field
	Err    error        // what was wrong when the field was made

	found [4]atomic.Pointer[operand] // what it last was, by view
}

// Operand is a field as a predicate or an order looks at it.
type Operand struct {
	*Field
	Deref bool // the pointed-to value: nil matches nothing
	Each  bool // any element of a slice, or key of a map
	Pos   int  // in the text it comes from
}

// String returns the operand as text has it.
func (o Operand) String() string {
	s := o.name()
	if o.Each {
		s = "any(" + s + ")"
	}
	if o.Deref {
		s = "deref(" + s + ")"
	}
	return s
}

func (o Operand) name() string {
	switch {
	case o.Field == nil:
		return "?"
	case o.Key:
		return "key()"
	case o.Name != "":
		return nameText(o.Name)
	}
	fields, err := schema.StoredFields(o.Record)
	if err == nil {
		if f, ok := fieldAt(fields, o.Offset, o.Type, ""); ok {
			return nameText(f)
		}
	}
	return "?"
}

// nameText returns a field's name as a text has it.
func nameText(name string) string {
	if t := lex(name, 0, false); t.kind == tokenName && t.end == len(name) && name[0] != '`' {
		return name
	}
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// fieldAt returns the dotted name of the field of type t at an offset.
func fieldAt(fields []codec.StructField, off uintptr, t reflect.Type, prefix string) (string, bool) {
	for _, f := range fields {
		if off < f.Offset || off >= f.Offset+max(f.Type.Size(), 1) {
			continue
		}
		if off == f.Offset && f.Type == t {
			return prefix + f.Name, true
		}
		if f.Type.Kind() != reflect.Struct {
			continue
		}
		inner, err := schema.StoredFields(f.Type)
		if err != nil {
			continue
		}
		if name, ok := fieldAt(inner, off-f.Offset, t, prefix+f.Name+"."); ok {
			return name, true
		}
	}
	return "", false
}

// Literal is a value that a field is compared with: either encoded as a key
// part, or as it stands in a text, which the field then gives a type.
type Literal struct {
	Type  *codec.KeyType // of Exact: ascending and exact
	Exact []byte

	Text   string    // as written, without quotes; Type is nil
	Quoted bool      // it stood in quotes
	Tuple  []Literal // the values of a tuple
	Pos    int       // in the text

	Err error // what was wrong with the value
}

// String returns the literal as text has it.
func (l Literal) String() string {
	switch {
	case l.Err != nil:
		return "?"
	case l.Type != nil:
		s, _, err := l.Type.Format(l.Exact)
		if err != nil {
			return "?"
		}
		return s
	case l.Tuple != nil:
		s := "("
		for i, v := range l.Tuple {
			if i > 0 {
				s += ", "
			}
			s += v.String()
		}
		return s + ")"
	case l.Quoted:
		return quote(l.Text)
	}
	return l.Text
}
