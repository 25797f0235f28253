package codec

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kivisdb/kivis/reflectx"
)

// Describe returns what a record of the struct type t stores. Ids are 0. Each
// nested struct type is one of the layout's structs, however often it is used,
// in the order in which they are met.
//
// What cannot be stored, or not as a whole, is an [*Error] with its path; all
// such errors are joined. [reflectx.Loss] says of which structs that is so.
func Describe(t reflect.Type, fields FieldsOf) (*Layout, error) {
	d := describer{record: t, fields: fields, layout: &Layout{}, numbers: map[reflect.Type]int{}}
	if t == nil || t.Kind() != reflect.Struct {
		d.fail("", errors.New("not a struct"))
	} else {
		d.layout.Fields = d.structFields(t, "")
	}
	if d.errs != nil {
		return nil, errors.Join(d.errs...)
	}
	if err := d.layout.check(); err != nil {
		return nil, errorOf(opDescribe, t, 0, err)
	}
	return d.layout, nil
}

type describer struct {
	record  reflect.Type
	fields  FieldsOf
	layout  *Layout
	numbers map[reflect.Type]int // of nested structs
	inside  []reflect.Type       // the types, other than structs, around the one at hand
	errs    []error
}

func (d *describer) fail(path string, err error) {
	d.errs = append(d.errs, &Error{Op: opDescribe, Type: d.record, Path: path, Err: err})
}

func (d *describer) structFields(t reflect.Type, path string) []Field {
	list, err := d.fields(t)
	if err != nil {
		d.fail(path, err)
		return nil
	}
	inside := d.inside
	d.inside = nil // a type may recur through a struct
	fields := make([]Field, len(list))
	for i, f := range list {
		fields[i] = Field{Name: f.Name, Was: f.Was, New: f.New, Type: d.describe(f.Type, joinPath(path, f.Name))}
	}
	d.inside = inside
	return fields
}

// describe returns the stored type of t. Where there is none it fails, and what
// it returns does not matter.
func (d *describer) describe(t reflect.Type, path string) Type {
	kind := kindOf(t)
	switch kind {
	case Struct:
		return Type{Kind: Struct, Struct: d.number(t, path)}
	case Pointer, Slice, Array, Map:
		return d.composite(kind, t, path)
	case Invalid:
		d.fail(path, refusal(t))
	}
	return scalarType(kind, t)
}

// number returns the number of the nested struct t.
func (d *describer) number(t reflect.Type, path string) int {
	n, ok := d.numbers[t]
	if !ok {
		n = len(d.layout.Structs)
		d.numbers[t] = n
		d.layout.Structs = append(d.layout.Structs, nil)
		d.layout.Structs[n] = d.structFields(t, path)
	}
	return n
}

func (d *describer) composite(kind Kind, t reflect.Type, path string) Type {
	if slices.Contains(d.inside, t) {
		d.fail(path, fmt.Errorf("%s contains itself with no struct between", reflectx.TypeName(t)))
		return Type{}
	}
	d.inside = append(d.inside, t)
	defer func() { d.inside = d.inside[:len(d.inside)-1] }()
	elem := d.describe(elemOf(t), path)
	ty := Type{Kind: kind, Elem: &elem}
	switch kind {
	case Pointer:
		if elem.Kind == Pointer || elem.Kind == Any {
			d.fail(path, fmt.Errorf("%s could not be told from a nil pointer when it points to nil", reflectx.TypeName(t)))
		}
	case Array:
		ty.Len = t.Len()
	case Map:
		key := d.describe(t.Key(), path)
		ty.Key = &key
		if !key.isMapKey() {
			d.fail(path, fmt.Errorf("%v cannot be the key of a stored map: scalars, strings, arrays of bytes and times can", reflectx.TypeName(t.Key())))
		}
	}
	return ty
}

// elemOf returns the type of what a pointer, nullable, list or map holds.
func elemOf(t reflect.Type) reflect.Type {
	if elem, ok := reflectx.Pointed(t); ok {
		return elem
	}
	return t.Elem()
}

// isMapKey reports whether a map may have keys of type t.
func (t *Type) isMapKey() bool {
	switch t.Kind {
	case Bool, Int, Uint, Float, String, ByteArray, Time, Duration, Binary, Text:
		return true
	}
	return t.Kind == Invalid // reported already
}

// scalarType returns the type of kind k for the values of t.
func scalarType(k Kind, t reflect.Type) Type {
	switch k {
	case Int, Uint, Float:
		return Type{Kind: k, Bits: bitsOf(t)}
	case ByteArray:
		return Type{Kind: k, Len: t.Len()}
	case Binary, Text, Custom, JSON:
		if t.Name() != "" {
			return Type{Kind: k, Name: t.PkgPath() + "." + t.Name()}
		}
	}
	return Type{Kind: k}
}

// bitsOf returns how wide numbers of type t are stored. An int has 64 bits on
// every machine, so that databases can be moved.
func bitsOf(t reflect.Type) uint8 {
	switch t.Kind() {
	case reflect.Int, reflect.Uint, reflect.Uintptr:
		return 64
	}
	return uint8(t.Bits())
}

// refusal says why values of t cannot be stored, and what to do about it.
func refusal(t reflect.Type) error {
	if err := reflectx.Loss(t); err != nil {
		return err
	}
	name := reflectx.TypeName(t)
	if t.Kind() == reflect.Interface {
		return fmt.Errorf("%s cannot be stored: of interfaces only any can, so skip the field with the tag \"-\"", name)
	}
	return fmt.Errorf("%s cannot be stored, so skip the field with the tag \"-\"", name)
}
