package schema

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

// errReported stands for a fault that has been reported elsewhere.
var errReported = errors.New("reported elsewhere")

// find returns the field that a path begins with, by Go's promotion rules, and
// what of the path is left. The first name may be a stored one too.
func (fs *fields) find(path []string) (i int, rest []string, err error) {
	within := ""
	for n, name := range path {
		i := fs.lookup(func(f *field) bool { return f.Name == name && strings.HasPrefix(f.Path, within) })
		if n == 0 {
			j := fs.lookup(func(f *field) bool { return f.name == name })
			if i >= 0 && j >= 0 && i != j {
				return 0, nil, fmt.Errorf("%s is ambiguous: the field, or that with the stored name %q", name, name)
			}
			i = max(i, j)
		}
		if i >= 0 {
			return i, path[n+1:], nil
		}
		e := fs.embed1(name, within)
		if e == nil {
			return 0, nil, fs.unknown(name, within)
		}
		within = e.Path + "."
	}
	return 0, nil, fmt.Errorf("%s is an embedded struct: name its fields", strings.Join(path, "."))
}

func (fs *fields) lookup(ok func(*field) bool) int {
	for i := range fs.list {
		if ok(&fs.list[i]) {
			return i
		}
	}
	return -1
}

// embed1 returns the outermost embedded struct with a name, or nil.
func (fs *fields) embed1(name, within string) (found *reflectx.Embed) {
	for i := range fs.embeds {
		e := &fs.embeds[i]
		if e.Name == name && strings.HasPrefix(e.Path, within) && (found == nil || len(e.Index) < len(found.Index)) {
			found = e
		}
	}
	return found
}

// unknown says that there is no field with a name, and why that may be.
func (fs *fields) unknown(name, within string) error {
	if f, ok := fs.typ.FieldByName(name); ok {
		if !f.IsExported() {
			return fmt.Errorf("%s is not exported, so it is not stored", name)
		}
		return fmt.Errorf("%s is not stored", name)
	}
	var names []string
	for i := range fs.list {
		if f := &fs.list[i]; strings.HasPrefix(f.Path, within) {
			names = append(names, f.Name)
		}
	}
	return unknown("field", name, names)
}

// A part is a Part together with its Go side.
type part struct {
	Part
	typ     reflect.Type // of the field it reaches
	goPath  string       // to that field
	nilable bool         // the field is a pointer, or behind one, if only in the element
	list    string       // the Go path, and type, of the list whose elements the field is in
}

// sameAs reports whether two parts are of the same field.
func (p part) sameAs(q part) bool { return p.sameField(q.Part) }

// part returns the part at a path. How it is encoded is for [part.encode].
func (fs *fields) part(path string) (part, error) {
	i, rest, err := fs.find(strings.Split(path, "."))
	if err != nil {
		return part{}, err
	}
	f := &fs.list[i]
	p := part{Part: Part{Column: i, Name: f.name}, typ: f.Type, goPath: f.Path}
	for len(rest) > 0 {
		if err := p.enterList(); err != nil {
			return p, err
		}
		nested, err := p.enter()
		if err != nil {
			return p, err
		}
		if i, rest, err = nested.find(rest); err != nil {
			return p, fmt.Errorf("%s: %w", p.goPath, err)
		}
		f := &nested.list[i]
		p.Path, p.typ = append(p.Path, i), f.Type
		p.Name, p.goPath = p.Name+"."+f.name, p.goPath+"."+f.Path
	}
	p.nilable = p.nilable || canBeNil(p.typ)
	return p, nil
}

// enter returns the fields of the nested struct that the part has reached.
func (p *part) enter() (*fields, error) {
	t := p.typ
	if to, ok := reflectx.Pointed(t); ok {
		p.nilable, t = true, to
	}
	if !isNested(t) {
		return nil, fmt.Errorf("%s is of type %v, which has no fields of its own", p.goPath, typeName(t))
	}
	fs := fieldsOf(t)
	if len(fs.faults) > 0 {
		return nil, errReported
	}
	return fs, nil
}

// enterList goes on to the elements of the list that the part has reached, if it
// is one: of a slice, or the values of a map.
func (p *part) enterList() error {
	t := through(p.typ)
	switch {
	case reflectx.MarshalOf(t) != reflectx.MarshalNone:
		return nil
	case t.Kind() == reflect.Array:
		return fmt.Errorf("%s is of type %v: a path reaches into the elements of slices, and into the values of maps", p.goPath, typeName(t))
	case t.Kind() != reflect.Slice && t.Kind() != reflect.Map:
		return nil
	case p.list != "":
		return p.twice()
	}
	p.list, p.nilable = fmt.Sprintf("%s is of type %v", p.goPath, typeName(t)), false // a nil list has no elements
	p.Path, p.typ = append(p.Path, codec.Element), t.Elem()
	return nil
}

// twice reports a list within the elements of another.
func (p *part) twice() error {
	return fmt.Errorf("%s, and %s of type %v: an index goes through one list", p.list, p.goPath, typeName(p.typ))
}

// isNested reports whether values of type t are stored field by field.
func isNested(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !reflectx.IsTime(t) && !canBeNil(t) && reflectx.MarshalOf(t) == reflectx.MarshalNone
}

// canBeNil reports whether a t is a pointer, or a struct that holds a value or
// nothing.
func canBeNil(t reflect.Type) bool {
	_, ok := reflectx.Pointed(t)
	return ok
}

// encode decides how the part is encoded in an index or key.
func (p *part) encode(has optionSet) error {
	t, err := p.eachType(has&optEach != 0)
	if err != nil {
		return err
	}
	if has&optUnique != 0 { // which asks for equality alone
		p.Key, err = codec.EqualTypeOf(t, looseFields)
	} else {
		p.Key, err = codec.KeyTypeOf(t, looseFields)
	}
	if err != nil {
		return err
	}
	if has&optFold != 0 && p.Key.Kind != codec.String {
		return fmt.Errorf("fold on %v: it is for strings", typeName(t))
	}
	p.Key.Ptr = p.Key.Ptr || p.nilable && (has&optEach == 0 || p.list != "")
	p.Each, p.Key.Desc, p.Key.Fold = has&optEach != 0, has&optDesc != 0, has&optFold != 0
	p.NilEqual = has&optNilEqual != 0
	return nil
}

// eachType returns the type of what the part holds: the field's, or over each that
// of its elements, unless the field is one of elements itself.
func (p *part) eachType(each bool) (reflect.Type, error) {
	switch {
	case p.list == "" && each:
		return elementOf(p.typ)
	case p.list != "" && !each:
		return nil, fmt.Errorf("%s: a path does not reach into elements without each: write %s:each", p.list, p.goPath)
	case p.list != "":
		if _, err := elementOf(p.typ); err == nil {
			return nil, p.twice()
		}
	}
	return p.typ, nil
}

// elementOf returns the type of what an index over each element of a t holds.
func elementOf(t reflect.Type) (reflect.Type, error) {
	switch {
	case reflectx.MarshalOf(t) != reflectx.MarshalNone:
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		return t.Elem(), nil
	case t.Kind() == reflect.Map:
		return t.Key(), nil
	}
	return nil, fmt.Errorf("each on %v: it is for slices, and for the keys of maps", typeName(t))
}

// ordered returns an error that shows the way for a type whose elements have
// an order, though it has none.
func ordered(t reflect.Type) error {
	if _, err := elementOf(t); err == nil {
		return fmt.Errorf("%v has no order: index its elements with each", typeName(t))
	}
	return nil
}
