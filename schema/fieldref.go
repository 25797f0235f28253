package schema

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/codec"
)

// A FieldRef names a field by its place in a record struct. It is what a field
// handle knows before it is used with a table. The zero FieldRef names nothing.
type FieldRef struct {
	Record reflect.Type // the record struct
	Offset uintptr      // of the field in it, in bytes
	Type   reflect.Type // of the field: a struct and its first field have one offset
}

// IsZero reports whether r names nothing.
func (r FieldRef) IsZero() bool { return r == FieldRef{} }

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
		fields, _ := StoredFields(t) // path has gone through them without an error
		names, t = append(names, fields[i].Name), fields[i].Type
	}
	return strings.Join(names, "."), true
}

// path returns the positions of the field among the stored fields of its
// record and of the structs nested in each other on the way to it.
func (r FieldRef) path() ([]int, bool) {
	if r.Record == nil || r.Type == nil {
		return nil, false
	}
	return pathTo(r.Record, r.Offset, r.Type, nil)
}

// pathTo appends to path the positions that lead from the struct t to the
// field of type want at an offset in it.
func pathTo(t reflect.Type, off uintptr, want reflect.Type, path []int) ([]int, bool) {
	fields, err := StoredFields(t)
	if err != nil {
		return nil, false
	}
	for i, f := range fields {
		if off < f.Offset || off >= f.Offset+max(f.Type.Size(), 1) {
			continue // a field of no size has an offset too
		}
		here := append(slices.Clip(path), i)
		if off == f.Offset && f.Type == want {
			return here, true
		}
		if !isNested(f.Type) {
			continue
		}
		if found, ok := pathTo(f.Type, off-f.Offset, want, here); ok {
			return found, true
		}
	}
	return nil, false
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
		return -1, nil, fmt.Errorf("the field of type %s is not stored by itself: it is tagged -, or an embedded struct", typeName(r.Type))
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
	path := make([]int, len(steps))
	for n, i := range steps {
		f := &own[i]
		j := slices.IndexFunc(newest, func(g codec.Field) bool { return g.ID == f.ID })
		if j < 0 {
			return nil, false
		}
		path[n] = j
		if n == len(steps)-1 {
			break
		}
		own, newest = t.own.Structs[f.Type.Struct], t.Layout.Structs[newest[j].Type.Struct]
	}
	return path, true
}
