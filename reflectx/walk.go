package reflectx

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
)

// A Struct is what [Walk] found in a struct type: its fields, with those of
// embedded structs in their place. It is shared and must not be changed.
type Struct struct {
	Type   reflect.Type
	Fields []Field // in order of declaration
	Blanks []Blank // fields named _ with a kivis tag
	Embeds []Embed // embedded structs whose fields are in Fields
}

// A Field is one field of a struct, or of a struct embedded in it.
type Field struct {
	Name     string
	Path     string // through embedded structs: "Base.ID"
	Index    []int  // for [reflect.Type.FieldByIndex]
	Offset   uintptr
	Type     reflect.Type
	Tag      string // what stands after kivis:, without the quotes
	Tagged   bool   // there is a kivis tag, if only an empty one
	Exported bool
	Embedded []Embed // the embedded structs it is in, outermost first
}

// Ignored reports whether the field's tag is "-": it is not stored.
func (f *Field) Ignored() bool { return ignored(f.Tag) }

// An Embed is a struct embedded by value whose fields were taken as those of
// the struct around it.
type Embed struct {
	Name   string
	Path   string
	Index  []int
	Offset uintptr
	Type   reflect.Type
	Tag    string
	Tagged bool
}

// A Blank is a field named _ with a kivis tag: it speaks about its struct.
type Blank struct {
	Path     string
	Type     reflect.Type
	Tag      string
	Embedded []Embed // the embedded structs it is in, outermost first
}

// An Error is one fault of a struct type.
type Error struct {
	Type reflect.Type // the struct that was walked
	Path string       // of the field at fault; empty for the struct itself
	Err  error
}

// Error says which field is at fault, and why.
func (e *Error) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("reflectx: %s: %v", TypeName(e.Type), e.Err)
	}
	return fmt.Sprintf("reflectx: %s.%s: %v", TypeName(e.Type), e.Path, e.Err)
}

// Unwrap returns what is wrong, without the place.
func (e *Error) Unwrap() error { return e.Err }

type walked struct {
	s   *Struct
	err error
}

var walks sync.Map // reflect.Type -> walked

// Walk returns the fields of the struct type t. It enters structs embedded by
// value, but not fields that are named, nor embedded structs that are stored
// as one value: times, and types that marshal themselves; nor those that have no
// exported field. Fields are found whether exported or not, and with the tag
// "-" too.
//
// An embedded pointer, a malformed struct tag, and a name that Go's promotion
// rules hide or leave ambiguous are errors. Walk reports all of them, each an
// [*Error], joined; the Struct that comes with them has what was found, so that
// a caller can look for more faults, and is nil only if t is no struct. A name counts only where its field may be stored: fields
// tagged "-" and unexported ones without a tag hide nothing.
func Walk(t reflect.Type) (*Struct, error) {
	if w, ok := walks.Load(t); ok {
		return w.(walked).s, w.(walked).err
	}
	s, err := walk(t)
	w, _ := walks.LoadOrStore(t, walked{s, err})
	return w.(walked).s, w.(walked).err
}

func walk(t reflect.Type) (*Struct, error) {
	if t == nil || t.Kind() != reflect.Struct {
		return nil, &Error{Type: t, Err: errors.New("not a struct type")}
	}
	w := walker{s: &Struct{Type: t}}
	w.enter(t, nil)
	w.checkNames()
	return w.s, errors.Join(w.errs...)
}

type walker struct {
	s    *Struct
	errs []error
}

func (w *walker) fail(path string, err error) {
	w.errs = append(w.errs, &Error{Type: w.s.Type, Path: path, Err: err})
}

// enter takes the fields of t, which is in the embedded structs around it.
func (w *walker) enter(t reflect.Type, around []Embed) {
	for i := range t.NumField() {
		f := t.Field(i)
		at := Embed{Name: f.Name, Path: f.Name, Index: []int{i}, Offset: f.Offset, Type: f.Type}
		if n := len(around); n > 0 {
			outer := around[n-1]
			at.Path = outer.Path + "." + f.Name
			at.Index = append(outer.Index[:len(outer.Index):len(outer.Index)], i)
			at.Offset += outer.Offset
		}
		var err error
		if at.Tag, at.Tagged, err = lookupTag(string(f.Tag)); err != nil {
			w.fail(at.Path, err)
			continue
		}
		w.take(f, at, around)
	}
}

// take puts the field f, found at the place at, where it belongs.
func (w *walker) take(f reflect.StructField, at Embed, around []Embed) {
	switch {
	case f.Name == "_":
		if at.Tagged {
			w.s.Blanks = append(w.s.Blanks, Blank{at.Path, at.Type, at.Tag, around})
		}
	case !f.Anonymous || ignored(at.Tag):
		w.field(f, at, around)
	case f.Type.Kind() == reflect.Pointer:
		w.fail(at.Path, fmt.Errorf(
			"embedded pointer *%s: embed %[1]s by value, give the field a name, or skip it with the tag \"-\"", TypeName(f.Type.Elem())))
	case f.Type.Kind() != reflect.Struct || IsTime(f.Type) || MarshalOf(f.Type) != MarshalNone || f.IsExported() && holdsNothing(f.Type):
		w.field(f, at, around)
	default:
		w.s.Embeds = append(w.s.Embeds, at)
		w.enter(f.Type, append(around[:len(around):len(around)], at))
	}
}

// holdsNothing reports whether the struct type t has nothing but fields that are
// not stored. It is taken as a field then, for which a caller may have words.
func holdsNothing(t reflect.Type) bool {
	hidden, shown := countFields(t)
	return hidden > 0 && shown == 0
}

func (w *walker) field(f reflect.StructField, at Embed, around []Embed) {
	w.s.Fields = append(w.s.Fields, Field{
		Name: f.Name, Path: at.Path, Index: at.Index, Offset: at.Offset, Type: f.Type,
		Tag: at.Tag, Tagged: at.Tagged, Exported: f.IsExported(), Embedded: around,
	})
}

// checkNames reports each name that stands for two fields, or for a field and
// an embedded struct.
func (w *walker) checkNames() {
	fields := make(map[string]*Field)
	for i := range w.s.Fields {
		f := &w.s.Fields[i]
		if f.Ignored() || !f.Exported && !f.Tagged {
			continue
		}
		if g, ok := fields[f.Name]; ok {
			w.clash(f.Name, g.Path, len(g.Index), f.Path, len(f.Index))
			continue
		}
		fields[f.Name] = f
	}
	for i := range w.s.Embeds {
		e := &w.s.Embeds[i]
		if f, ok := fields[e.Name]; ok {
			w.clash(e.Name, e.Path, len(e.Index), f.Path, len(f.Index))
		}
	}
}

func (w *walker) clash(name, a string, depthA int, b string, depthB int) {
	switch {
	case depthA < depthB:
		w.fail(b, fmt.Errorf("%s hides %s: rename one, or skip one with the tag \"-\"", a, b))
	case depthA > depthB:
		w.fail(a, fmt.Errorf("%s hides %s: rename one, or skip one with the tag \"-\"", b, a))
	default:
		w.fail(b, fmt.Errorf("%s is ambiguous: %s or %s; rename one, or skip one with the tag \"-\"", name, a, b))
	}
}
