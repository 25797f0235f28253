package schema

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

// A FieldRef names a field by its place in a record struct. It is what a field
// handle knows before it is used with a table; [Locate] finds it. The zero FieldRef
// names nothing.
type FieldRef struct {
	Record  reflect.Type // the record struct
	Through []uintptr    // the offsets of the pointers on the way, each in the struct that the one before points to
	Offset  uintptr      // of the field in the last of these structs, in bytes
	Type    reflect.Type // of the field: a struct and its first field have one offset

	// Elem, where it is set, makes it a field of the elements of the field, a
	// slice or an array, or of the values of a map. Its Record is the struct that
	// they are, or point to.
	Elem *FieldRef

	valids []valid // of the structs on the way that may be there or not, as Locate has found
}

// A valid is where a struct in a nullable, such as sql.Null, says whether it is there.
type valid struct {
	level  int // how many pointers lead to it
	offset uintptr
}

// IsZero reports whether r names nothing.
func (r FieldRef) IsZero() bool { return r.Record == nil && r.Type == nil && r.Offset == 0 }

// Name returns the stored name of the field, dotted where it lies in a nested
// struct. It returns false where the field is not stored by itself.
func (r FieldRef) Name() (string, bool) {
	path, ok := r.path()
	if !ok {
		return "", false
	}
	var names []string
	t := r.Record
	for _, i := range path {
		if t = through(t); i == codec.Element {
			t = t.Elem()
			continue
		}
		fields, _ := StoredFields(t) // path has gone through them without an error
		names, t = append(names, fields[i].Name), fields[i].Type
	}
	return strings.Join(names, "."), true
}

// MayLack reports whether there may be no field in a record or an element, as a
// pointer on the way is nil, or a nullable is, though the field's own type has no nil to show it.
func (r FieldRef) MayLack() bool {
	if r.Elem != nil {
		list := through(r.Type)
		return isList(list) && r.Elem.mayLack(list.Elem().Kind() == reflect.Pointer)
	}
	return r.mayLack(false)
}

func (r FieldRef) mayLack(pointed bool) bool {
	if !pointed && len(r.Through)+len(r.valids) == 0 || r.Type == nil || canBeNil(r.Type) {
		return false
	}
	if reflectx.MarshalOf(r.Type) != reflectx.MarshalNone {
		return true // it is stored as a text or bytes, whatever its kind
	}
	switch r.Type.Kind() {
	case reflect.Map, reflect.Interface:
		return false
	case reflect.Slice:
		return r.Type.Elem().Kind() == reflect.Uint8 // the others have no order, with nil or without
	}
	return true
}

// last returns the innermost of the fields.
func (r FieldRef) last() FieldRef {
	for r.Elem != nil {
		r = *r.Elem
	}
	return r
}

// At returns where the field is in the struct at p, or nil where a pointer or a
// nullable on the way is. Elem is not looked at.
func (r FieldRef) At(p reflectx.Pointer) reflectx.Pointer {
	for level := 0; ; level++ {
		for _, v := range r.valids {
			if v.level == level && !*reflectx.Ref[bool](p.At(v.offset)) {
				return reflectx.Pointer{}
			}
		}
		if level == len(r.Through) {
			return p.At(r.Offset)
		}
		if p = p.At(r.Through[level]).Elem(); p.IsNil() {
			return p
		}
	}
}

// path returns the positions of the field among the stored fields of its
// record and of the structs nested in each other on the way to it, with a
// codec.Element where that leads into elements.
func (r FieldRef) path() (path []int, ok bool) {
	w, ok := r.route()
	return w.path, ok
}

// A route is the way to a field.
type route struct {
	path   []int
	typ    reflect.Type // that it leads to
	valids []valid
}

// route returns the way to the field.
func (r FieldRef) route() (w route, ok bool) {
	if r.Record == nil || r.Type == nil {
		return w, false
	}
	w.typ = r.Record
	for level, off := range r.Through {
		if !w.through(level, off, isPointer) || !isNested(w.typ.Elem()) {
			return w, false
		}
		w.typ = w.typ.Elem()
	}
	ok = w.through(len(r.Through), r.Offset, func(t reflect.Type) bool { return t == r.Type })
	if !ok || r.Elem == nil {
		return w, ok
	}
	if list := through(w.typ); !isList(list) || r.Elem.Record != through(list.Elem()) {
		return w, false
	}
	inner, ok := r.Elem.path()
	w.path = append(append(w.path, codec.Element), inner...)
	return w, ok
}

func isPointer(t reflect.Type) bool { return t.Kind() == reflect.Pointer }

// through goes on, through structs without a pointer between, to the field at an
// offset in the struct that the route has reached, whose type is wanted.
func (w *route) through(level int, off uintptr, want func(reflect.Type) bool) bool {
	found, ok := pathTo(w.typ, 0, off, want)
	for _, v := range found.valids {
		w.valids = append(w.valids, valid{level, v.offset})
	}
	w.path, w.typ = append(w.path, found.path...), found.typ
	return ok
}

// pathTo returns the route from the struct t, which begins at a base, to the field at
// an offset whose type is wanted.
func pathTo(t reflect.Type, base, off uintptr, want func(reflect.Type) bool) (route, bool) {
	fields, err := StoredFields(t)
	if err != nil {
		return route{}, false
	}
	for i, f := range fields {
		at := base + f.Offset
		if off < at || off >= at+max(f.Type.Size(), 1) {
			continue // a field of no size has an offset too
		}
		if off == at && want(f.Type) {
			return route{path: []int{i}, typ: f.Type}, true
		}
		typ, null := f.Type, (*reflectx.Nullable)(nil)
		if n, ok := reflectx.NullableOf(typ); ok {
			typ, at, null = n.Elem, at+n.Value, n
		}
		if !isNested(typ) {
			continue
		}
		if found, ok := pathTo(typ, at, off, want); ok {
			if found.path = append([]int{i}, found.path...); null != nil {
				found.valids = append(found.valids, valid{offset: base + f.Offset + null.Valid})
			}
			return found, true
		}
	}
	return route{}, false
}

// FieldAt returns where the table stores a field of its record struct: the
// position of the column in Columns, and of nested fields below it, as
// [Part.Path] has them.
//
// The positions are those of the newest layout, also where the struct is that
// of an older program: fields are followed by their ids.
func (t *Table) FieldAt(r FieldRef) (column int, path []int, err error) {
	switch {
	case r.Record == nil || r.Type == nil:
		return -1, nil, errors.New("there is no field")
	case t.Type == nil:
		return -1, nil, fmt.Errorf("it is a field of %s, and the table %s was opened without its struct: name the field", typeName(r.Record), t.Name)
	case t.Type != r.Record:
		return -1, nil, fmt.Errorf("it is a field of %s, the table holds %s", typeName(r.Record), typeName(t.Type))
	}
	steps, ok := r.path()
	if !ok {
		return -1, nil, fmt.Errorf("the field of type %s is not stored by itself: it is tagged -, or an embedded struct", typeName(r.last().Type))
	}
	path, ok = t.follow(steps)
	if !ok { // unreachable: a struct with a field that the table has lost does not bind
		return -1, nil, fmt.Errorf("the table %s does not store the field any more", t.Name)
	}
	return path[0], path[1:], nil
}

// follow translates positions in the layout of the table's struct into
// positions in the newest layout. It returns false where that lacks a field.
func (t *Table) follow(steps []int) ([]int, bool) {
	own, newest := t.own.Fields, t.Layout.Fields
	var ownType, newestType *codec.Type
	path := make([]int, len(steps))
	for n, i := range steps {
		if i == codec.Element {
			if path[n] = i; listIn(ownType) == nil || listIn(newestType) == nil {
				return nil, false
			}
			ownType, newestType = listIn(ownType).Elem, listIn(newestType).Elem
			continue
		}
		if n > 0 {
			a, b := structIn(ownType), structIn(newestType)
			if a < 0 || b < 0 {
				return nil, false
			}
			own, newest = t.own.Structs[a], t.Layout.Structs[b]
		}
		f := &own[i]
		j := slices.IndexFunc(newest, func(g codec.Field) bool { return g.ID == f.ID })
		if j < 0 {
			return nil, false
		}
		path[n], ownType, newestType = j, &f.Type, &newest[j].Type
	}
	return path, true
}
