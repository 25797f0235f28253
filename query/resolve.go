package query

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// An operand is a field found in a table: where its value is, and how that is
// encoded as a key part.
type operand struct {
	table *schema.Table
	name  string // stored names, dotted

	column  int   // -1: not a column
	path    []int // below the column
	keyPart int   // the part of the primary key that it is; -1: none
	whole   bool  // the primary key of several parts

	each   bool          // an element of it
	fold   bool          // case set aside
	key    codec.KeyType // of its parts: exact and ascending, but folded with fold
	stored codec.Type    // of the value
	order  error         // why it has no order, and key is not set but with equal
	equal  bool          // without order it is compared by its form, for equality
}

// same reports whether two operands of one table are the same.
func (o *operand) same(p *operand) bool {
	return o == p || o.column == p.column && o.whole == p.whole && o.each == p.each && o.fold == p.fold &&
		slices.Equal(o.path, p.path) && (o.column >= 0 || o.keyPart == p.keyPart)
}

// isPart reports whether the operand is what a part of a key or index holds.
func (o *operand) isPart(p *schema.Part) bool {
	return p.Column >= 0 && o.column == p.Column && o.each == p.Each && o.fold == p.Key.Fold && o.key.Name == p.Key.Name && slices.Equal(o.path, p.Path)
}

// text returns the operand as predicates have it.
func (o *operand) text() string {
	switch {
	case o.each && o.fold:
		return "fold(any(" + o.name + "))"
	case o.each:
		return "any(" + o.name + ")"
	case o.fold:
		return "fold(" + o.name + ")"
	}
	return o.name
}

// shown returns the operand's name as messages have it, without its views.
func (o *operand) shown() string {
	if o.column < 0 {
		return o.name // key()
	}
	return nameText(o.name)
}

// noun returns the operand's type behind its article; deref looks at what a
// pointer points to.
func (o *operand) noun(deref bool) string {
	t := &o.stored
	switch {
	case o.column < 0:
		return article(o.key.Base().String())
	case deref && t.Kind == codec.Pointer:
		t = t.Elem
	}
	return typeName(t)
}

// whole value spans, of fields that can be nil and that cannot.
var (
	everything = span{endpoint{partial: true}, endpoint{after: true, partial: true}}
	nilOrSome  = span{endpoint{v: []byte{0}, partial: true}, endpoint{v: []byte{1}, after: true, partial: true}}
	some       = beginning([]byte{1})
)

// domain is the span of all the operand's values.
func (o *operand) domain() span {
	if o.key.Ptr {
		return nilOrSome
	}
	return everything
}

// resolve finds a field in the table, as the views of the operand look at it.
func resolve(table *schema.Table, o Operand, fold bool) (*operand, error) {
	if o.Field == nil {
		return nil, errNoField
	}
	if o.Err != nil {
		return nil, o.Err
	}
	op, err := find(table, o.Field)
	if err != nil {
		return nil, err
	}
	if err := op.view(o.Each); err != nil {
		return nil, err
	}
	if op.fold = fold; fold {
		op.keyPart = -1 // the key holds its exact value
	}
	if err := op.encode(); err != nil {
		return nil, err
	}
	return op, nil
}

// view has the operand be its elements where each says so, unless it is a field of
// elements already, which asks for that view.
func (o *operand) view(each bool) error {
	switch {
	case each && !o.each:
		return o.enter()
	case o.each && !each:
		return &elementsError{o.shown()}
	}
	return nil
}

// An elementsError reports a field of elements that is looked at as if it were one.
type elementsError struct{ name string }

func (e *elementsError) Error() string {
	return fmt.Sprintf("%s is a field of elements, of which there may be any number: write any(%[1]s)", e.name)
}

// errNoField is the fault of a zero Operand or Field.
var errNoField = errors.New("there is no field")

// maxFound is how many fields a resolver remembers: more than most queries
// have.
const maxFound = 16

// A resolver finds fields in tables and remembers where it found the last ones,
// as programs ask for the same fields again and again. It belongs to the memory
// of a plan: so it needs no lock, and the syntax tree stays plain data.
type resolver struct {
	found []found
	next  int // the place that is used again where found is full
}

// A found is a field that has been found in a table.
type found struct {
	field      *Field
	each, fold bool
	op         *operand
}

// resolve is resolve, of a field that may have been found before.
func (r *resolver) resolve(table *schema.Table, o Operand, fold bool) (*operand, error) {
	at := -1
	for i := range r.found {
		if f := &r.found[i]; f.field == o.Field && f.each == o.Each && f.fold == fold && o.Field != nil {
			if f.op.table == table {
				return f.op, nil
			}
			at = i // the schema has changed, or the field serves several tables
		}
	}
	op, err := resolve(table, o, fold)
	if err != nil {
		return nil, err
	}
	r.keep(at, found{o.Field, o.Each, fold, op})
	return op, nil
}

// keep remembers a field: in the i-th place, or where i is -1 in place of an
// earlier one if there are many.
func (r *resolver) keep(i int, f found) {
	switch {
	case i >= 0:
		r.found[i] = f
	case len(r.found) < maxFound:
		r.found = append(r.found, f)
	default:
		r.found[r.next] = f
		r.next = (r.next + 1) % maxFound
	}
}

// find finds a field in the table, without its views.
func find(table *schema.Table, f *Field) (*operand, error) {
	op := &operand{table: table, column: -1, keyPart: -1}
	if f.Key {
		return op, op.findKey()
	}
	var err error
	switch {
	case f.Name != "":
		err = op.findName(f.Name)
	case f.Ref.IsZero():
		err = errNoField
	default:
		err = op.findRef(f.Ref)
	}
	if err != nil {
		return nil, err
	}
	for i := range table.Key.Parts {
		if p := &table.Key.Parts[i]; p.Column == op.column && slices.Equal(p.Path, op.path) {
			op.keyPart = i
		}
	}
	return op, nil
}

// findKey finds the primary key: its one part, or the tuple.
func (o *operand) findKey() error {
	k := &o.table.Key
	if len(k.Parts) != 1 {
		o.whole, o.name, o.key = true, "key()", k.Tuple
		return nil
	}
	p := &k.Parts[0]
	o.keyPart, o.column, o.path, o.name, o.key = 0, p.Column, p.Path, p.Name, p.Key.Base()
	if p.Column < 0 {
		o.name = "key()"
		return nil
	}
	return o.locate()
}

// locate sets the name and the stored type of the value at column and path, and
// whether it can be missing because a pointer on the way is nil.
func (o *operand) locate() error {
	o.stored, o.name = o.table.Columns[o.column].Type, o.table.Columns[o.column].Name
	for _, i := range o.path {
		if i == codec.Element {
			if !o.descendList() {
				return fmt.Errorf("%s is not in the stored record", o.name)
			}
			continue
		}
		fields, ok := o.nested()
		if !ok || i >= len(fields) {
			return fmt.Errorf("%s is not in the stored record", o.name)
		}
		o.name += "." + fields[i].Name
		o.descend(fields[i].Type)
	}
	return nil
}

// nested returns the fields of the struct that the operand has reached.
func (o *operand) nested() ([]codec.Field, bool) {
	t := &o.stored
	if t.Kind == codec.Pointer {
		t = t.Elem
	}
	if t.Kind != codec.Struct || t.Struct >= len(o.table.Layout.Structs) {
		return nil, false
	}
	return o.table.Layout.Structs[t.Struct], true
}

// descend goes on to a field of the struct that the operand has reached.
func (o *operand) descend(t codec.Type) {
	o.key.Ptr = o.key.Ptr || o.stored.Kind == codec.Pointer
	o.stored = t
}

// descendList goes on to the elements of the list that the operand has reached,
// and be it the values of a map. It reports whether there is one, the first.
func (o *operand) descendList() bool {
	t := &o.stored
	if t.Kind == codec.Pointer {
		t = t.Elem
	}
	switch t.Kind {
	case codec.Slice, codec.Array, codec.Map:
	default:
		return false
	}
	if o.each {
		return false
	}
	o.each, o.key.Ptr, o.stored = true, false, *t.Elem
	return true
}

// findName finds a field by its stored name, or dotted names.
func (o *operand) findName(name string) error {
	first, rest, more := strings.Cut(name, ".")
	columns := make([]codec.Field, len(o.table.Columns))
	for i, c := range o.table.Columns {
		columns[i] = codec.Field{Name: c.Name, Type: c.Type}
	}
	i, err := fieldNamed("", columns, first)
	if err != nil {
		return err
	}
	o.column, o.stored, o.name = i, columns[i].Type, columns[i].Name
	for more {
		if o.descendList() {
			o.path = append(o.path, codec.Element)
		}
		fields, ok := o.nested()
		if !ok {
			return fmt.Errorf("%s is %s, which has no fields of its own", o.shown(), typeName(&o.stored))
		}
		first, rest, more = strings.Cut(rest, ".")
		if i, err = fieldNamed(o.name+".", fields, first); err != nil {
			return err
		}
		o.path, o.name = append(o.path, i), o.name+"."+fields[i].Name
		o.descend(fields[i].Type)
	}
	return nil
}

// fieldNamed returns the place of the field with a name: exactly, or else without
// case where that is one. The path leads to the struct, for messages.
func fieldNamed(path string, fields []codec.Field, name string) (int, error) {
	found := -1
	for i := range fields {
		if fields[i].Name == name {
			return i, nil
		}
		if strings.EqualFold(fields[i].Name, name) {
			if found >= 0 {
				return 0, fmt.Errorf("%s is ambiguous: %s or %s", shorten(path+name), nameText(path+fields[found].Name), nameText(path+fields[i].Name))
			}
			found = i
		}
	}
	if found >= 0 {
		return found, nil
	}
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = path + fields[i].Name
	}
	return 0, fmt.Errorf("no field %s%s", shorten(path+name), suggest(path+name, names))
}

// findRef finds a field by its place in the record struct.
func (o *operand) findRef(ref schema.FieldRef) (err error) {
	if o.column, o.path, err = o.table.FieldAt(ref); err != nil {
		return err
	}
	return o.locate()
}

// enter makes the operand its elements: of a slice, or the keys of a map.
func (o *operand) enter() error {
	t := &o.stored
	if t.Kind == codec.Pointer {
		t = t.Elem
	}
	switch t.Kind {
	case codec.Slice, codec.Array:
		o.stored = *t.Elem
	case codec.Map:
		o.stored = *t.Key
	default:
		return fmt.Errorf("%s is %s, which has no elements", o.shown(), typeName(&o.stored))
	}
	o.each, o.key.Ptr, o.keyPart = true, false, -1
	return nil
}

// encode decides how the operand's parts are encoded. A field without order
// may still be looked into.
func (o *operand) encode() error {
	if o.column >= 0 {
		ptr := o.key.Ptr
		o.key, o.order = o.table.KeyTypeAt(o.column, o.path, o.each, o.stored)
		if o.order != nil {
			var err error
			o.key, err = codec.EqualTypeFor(o.stored, o.table.Layout)
			o.equal = err == nil
		}
		if o.key.Ptr = o.key.Ptr || ptr; o.order != nil {
			return nil
		}
	}
	if o.fold && o.key.Kind != codec.String {
		return fmt.Errorf("%s is %s, not a string", o.shown(), typeName(&o.stored))
	}
	o.key.Fold = o.fold
	return nil
}
