package kivis

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
)

// EachOf returns the handle of a field of a slice's elements, or of a map's
// values: structs, or pointers to them, whose field sel selects as in [FieldOf].
//
//	sku := kivis.EachOf(lines, func(l *Line) *string { return &l.SKU })
//
// Like an [Each] it matches where the field of any element does; a condition is
// met by one element, and two conditions perhaps by two. An index on the path with
// `each` serves it, as in index=skus(Lines.SKU:each); in text it is
// any(Lines.SKU). Ne is a [QueryError] on it, and so is a list in the elements of
// another.
func EachOf[R, S, E, V any](f Field[R, S], sel func(*E) *V) Field[R, V] {
	inner, err := placeOf("EachOf", sel)
	at := elementsOf(&f.operand, reflect.TypeFor[S](), inner, err)
	h := Field[R, V]{operand: query.Operand{Field: at, Each: true, Deref: at.Ref.MayLack()}}
	if at.Err == nil {
		h.elems = func(rec *R) (all []V) {
			list := f.Get(rec)
			forElements(reflect.ValueOf(&list).Elem(), func(elem reflectx.Pointer) {
				if v, ok := valueAt[V](inner, elem); ok {
					all = append(all, v)
				}
			})
			return all
		}
		h.get = firstOf(h.elems)
		h.literal = literalPlanOf(inner.Type)
	}
	return h
}

// elementsOf returns a field of the elements of a list: that at inner, unless err
// says that there is none.
func elementsOf(list *query.Operand, typ reflect.Type, inner schema.FieldRef, err error) *query.Field {
	if to, ok := reflectx.Pointed(typ); ok {
		typ = to
	}
	switch {
	case list.Field == nil:
		return &query.Field{Err: errors.New("a zero Field is no field: make one with FieldOf")}
	case list.Err != nil:
		return &query.Field{Err: list.Err}
	case list.Each:
		return &query.Field{Err: errors.New("EachOf of a field of elements: a handle goes through one list")}
	case list.Ref.IsZero():
		return &query.Field{Err: errors.New("EachOf of what FieldOf has not made: there is no list")}
	case err != nil:
		return &query.Field{Err: err}
	case typ.Kind() != reflect.Slice && typ.Kind() != reflect.Array && typ.Kind() != reflect.Map:
		return &query.Field{Err: fmt.Errorf("EachOf is for slices and maps: it is %s", typ)}
	case typ.Elem() != inner.Record && typ.Elem() != reflect.PointerTo(inner.Record):
		return &query.Field{Err: fmt.Errorf("the selector given to EachOf takes a *%s, and the elements are of type %s", inner.Record, typ.Elem())}
	}
	ref := list.Ref
	ref.Elem = &inner
	return &query.Field{Ref: ref}
}

// forElements calls fn for each element of the slice or array v, or each value of
// the map, that is no nil pointer. v may be a pointer to one.
func forElements(v reflect.Value, fn func(elem reflectx.Pointer)) {
	switch v.Kind() {
	case reflect.Pointer:
		forElements(v.Elem(), fn)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			forElement(v.Index(i), fn)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			elem := reflect.New(v.Type().Elem()).Elem() // those of a map have no address
			elem.Set(v.MapIndex(key))
			forElement(elem, fn)
		}
	}
}

func forElement(v reflect.Value, fn func(elem reflectx.Pointer)) {
	switch {
	case v.Kind() != reflect.Pointer:
		fn(reflectx.Of(v.Addr()))
	case !v.IsNil():
		fn(reflectx.Of(v))
	}
}

// placeOf returns where in an R the field lies that sel, given to the function
// named, selects.
func placeOf[R, V any](function string, sel func(*R) *V) (schema.FieldRef, error) {
	if sel == nil {
		return schema.FieldRef{}, fmt.Errorf("the selector given to %s is nil", function)
	}
	ref, err := schema.Locate(reflect.TypeFor[R](), reflect.TypeFor[V](), func(rec reflectx.Pointer) reflectx.Pointer {
		return reflectx.To(sel(reflectx.Ref[R](rec)))
	})
	if err != nil {
		err = fmt.Errorf("the selector given to %s %w", function, err)
	}
	return ref, err
}

// valueAt returns the field of the struct at p, or false where a pointer on the
// way is nil.
func valueAt[V any](ref schema.FieldRef, p reflectx.Pointer) (v V, ok bool) {
	if p = ref.At(p); p.IsNil() {
		return v, false
	}
	return *reflectx.Ref[V](p), true
}
