package query

import (
	"strings"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// Field is a field of a record, by its name or by its place in the record
// struct, before it is looked up in a table. Only one of Name, Key and Ref is
// set. It is plain data: one Field may serve any number of queries at a time.
//
// Queries remember by the pointer where they found a field, so a program that
// asks often should keep its Fields.
type Field struct {
	Name string          // of stored names, dotted
	Key  bool            // the whole primary key
	Ref  schema.FieldRef // the place in the record struct
	Err  error           // what was wrong when the field was made
}

// Operand is a field as a predicate or an order looks at it.
type Operand struct {
	*Field
	Deref bool // the pointed-to value: nil matches nothing
	Each  bool // any element of a slice, or key of a map
	Fold  bool // a string with its case set aside
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
	if o.Fold {
		s = "fold(" + s + ")"
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
	if name, ok := o.Ref.Name(); ok {
		return nameText(name)
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

// isNil reports whether the literal is nil, as a text has it.
func (l Literal) isNil() bool {
	return l.Type == nil && !l.Quoted && l.Tuple == nil && (strings.EqualFold(l.Text, "nil") || strings.EqualFold(l.Text, "null"))
}

// short is String for a message, where a long value is only hinted at.
func (l Literal) short() string {
	if l.Type == nil && l.Quoted && l.Tuple == nil {
		return quote(shorten(l.Text))
	}
	if s := l.String(); shorten(s) == s {
		return s
	}
	return "'…'"
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
