package schema

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

// KeyTypeAt returns how the value at a place of the newest layout is encoded as
// part of a key, ascending and exact: as the stored type says, but in the order of
// its Go type where that has one and is known, from the record's struct or from a
// part of an index.
func (t *Table) KeyTypeAt(column int, path []int, each bool, stored codec.Type) (codec.KeyType, error) {
	if typ := t.goTypeAt(column, path, each); typ != nil {
		if k, err := codec.KeyTypeOf(typ, looseFields); err == nil && k.HasOwn() {
			if !k.Fits(&stored, t.Layout) {
				return k, fmt.Errorf("%v has other fields than are stored, by which it cannot be ordered: this is an older program", typeName(typ))
			}
			return k, nil
		}
	}
	if k, ok := partAt(t.Key.Parts, column, path, each); ok {
		return k, nil
	}
	for _, x := range t.Indexes {
		if k, ok := partAt(x.Parts, column, path, each); ok {
			return k, nil
		}
	}
	return codec.KeyTypeFor(stored, t.Layout)
}

// EnumAt returns the enum that the Go type of the value at a place is, or nil where
// it is none, or is not known.
func (t *Table) EnumAt(column int, path []int, each bool) *codec.Enum {
	typ := through(t.goTypeAt(column, path, each))
	if typ == nil {
		return nil
	}
	return codec.EnumOf(typ)
}

// partAt returns the type of the part at a place, where that is in a Go type's
// own order.
func partAt(parts []Part, column int, path []int, each bool) (codec.KeyType, bool) {
	for i := range parts {
		p := &parts[i]
		if p.Column == column && p.Each == each && p.Key.Kind == codec.Own && slices.Equal(p.Path, path) {
			return p.Key.Base(), true
		}
	}
	return codec.KeyType{}, false
}

// goTypeAt returns the Go type of the value at a place, or nil where it is not
// known.
func (t *Table) goTypeAt(column int, path []int, each bool) reflect.Type {
	typ, stored := t.Columns[column].GoType, &t.Layout.Fields[column].Type
	for _, i := range path {
		if i == codec.Element {
			if typ = through(typ); typ == nil || listIn(stored) == nil || !isList(typ) {
				return nil
			}
			typ, stored, each = typ.Elem(), listIn(stored).Elem, false
			continue
		}
		n := structIn(stored)
		if typ = through(typ); typ == nil || n < 0 {
			return nil
		}
		f := &t.Layout.Structs[n][i]
		if typ, stored = fieldType(typ, f.Name), &f.Type; typ == nil {
			return nil
		}
	}
	if typ != nil && each {
		elem, err := elementOf(through(typ))
		if err != nil {
			return nil
		}
		return elem
	}
	return typ
}

// isList reports whether t is a slice, array or map.
func isList(t reflect.Type) bool {
	return t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map
}

// through returns what t points to or holds, or t.
func through(t reflect.Type) reflect.Type {
	if t == nil {
		return nil
	}
	if elem, ok := reflectx.Pointed(t); ok {
		return elem
	}
	return t
}

// fieldType returns the type of the field with a stored name, or nil.
func fieldType(t reflect.Type, name string) reflect.Type {
	if !isNested(t) {
		return nil
	}
	fs := fieldsOf(t)
	if i := fs.lookup(func(f *field) bool { return f.name == name }); i >= 0 {
		return fs.list[i].Type
	}
	return nil
}
