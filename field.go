package kivis

import (
	"database/sql"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
)

// Field is a handle for one field of the record R, of type V: what predicates
// and orders are made from. Make it once with [FieldOf], as a package variable
// beside the struct; it serves any number of queries at a time, and belongs to
// no database.
type Field[R, V any] struct {
	operand query.Operand
	get     func(*R) V
	elems   func(*R) []V // of Each and EachOf: all of them
	literal *literalPlan // of V; nil where it has not been looked up
}

// FieldOf returns the handle of the field that sel selects, as in
//
//	var delay = kivis.FieldOf(func(f *Flight) *int { return &f.Delay })
//
// The field may lie in an embedded or nested struct, or behind pointers to
// structs, or in one that a nullable such as sql.Null holds: where one of these is
// nil there is no value, as with [Deref], and [IsNil] holds. [EachOf] has the fields of elements. A selector that panics, or
// returns anything but the address of a stored field, makes every query with
// the handle fail with a [QueryError].
func FieldOf[R, V any](sel func(*R) *V) Field[R, V] {
	ref, err := placeOf("FieldOf", sel)
	h := Field[R, V]{operand: query.Operand{Field: &query.Field{Ref: ref, Err: err}, Deref: ref.MayLack()}}
	if err == nil {
		h.get = func(rec *R) V { v, _ := valueAt[V](ref, reflectx.To(rec)); return v }
		h.literal = literalPlanOf(ref.Type)
	}
	return h
}

// Get returns the field's value in rec: of a [Deref] the pointed-to value, or
// zero for nil, also of a pointer on the way, of an [Each] the first element, or
// zero where there is none.
// Without a record, or a good selector, it returns zero.
func (f Field[R, V]) Get(rec *R) (v V) {
	if rec == nil || f.get == nil {
		return v
	}
	return f.get(rec)
}

// Eq holds where the field equals v.
func (f Field[R, V]) Eq(v V) Pred[R] { return f.compare(query.Eq, v) }

// Ne holds where the field does not equal v; nil does not equal any value.
func (f Field[R, V]) Ne(v V) Pred[R] { return f.compare(query.Ne, v) }

// Lt holds where the field is less than v; nil is less than any value.
func (f Field[R, V]) Lt(v V) Pred[R] { return f.compare(query.Lt, v) }

// Le holds where the field is at most v.
func (f Field[R, V]) Le(v V) Pred[R] { return f.compare(query.Le, v) }

// Gt holds where the field is greater than v.
func (f Field[R, V]) Gt(v V) Pred[R] { return f.compare(query.Gt, v) }

// Ge holds where the field is at least v.
func (f Field[R, V]) Ge(v V) Pred[R] { return f.compare(query.Ge, v) }

func (f Field[R, V]) compare(op query.Op, v V) Pred[R] {
	return Pred[R]{query.Cmp{Op: op, Field: f.operand, Value: f.literalOf(v)}}
}

// In holds where the field equals one of the values; In() holds nowhere.
func (f Field[R, V]) In(values ...V) Pred[R] {
	in := query.In{Field: f.operand, Values: make([]query.Literal, len(values))}
	for i, v := range values {
		in.Values[i] = f.literalOf(v)
	}
	return Pred[R]{in}
}

// Range holds from lo to before hi, as slices in Go have it. An inverted range
// holds nowhere.
func (f Field[R, V]) Range(lo, hi V) Pred[R] {
	return Pred[R]{query.Between{Field: f.operand, Lo: f.literalOf(lo), Hi: f.literalOf(hi), HalfOpen: true}}
}

// Between holds from lo to hi, both included, as SQL has it.
func (f Field[R, V]) Between(lo, hi V) Pred[R] {
	return Pred[R]{query.Between{Field: f.operand, Lo: f.literalOf(lo), Hi: f.literalOf(hi)}}
}

// Asc orders by the field, least first.
func (f Field[R, V]) Asc() Order[R] { return Order[R]{query.Order{Field: f.operand}} }

// Desc orders by the field, greatest first.
func (f Field[R, V]) Desc() Order[R] { return Order[R]{query.Order{Field: f.operand, Desc: true}} }

// Deref returns a view of a pointer field as the value that it points to. As a
// predicate nil matches nothing; in an order it comes first; aggregates skip
// it.
func Deref[R, V any](f Field[R, *V]) Field[R, V] {
	op := f.operand
	op.Deref = true
	of := func(p *V) (v V, ok bool) {
		if p != nil {
			v = *p
		}
		return v, p != nil
	}
	return Field[R, V]{operand: op, get: func(rec *R) V { v, _ := of(f.Get(rec)); return v }, elems: elemsOf(f, of)}
}

// Valid returns a view of a field that holds a value or nothing as the value, as
// [Deref] does of a pointer.
func Valid[R, V any](f Field[R, sql.Null[V]]) Field[R, V] {
	op := f.operand
	op.Deref = true
	of := func(n sql.Null[V]) (v V, ok bool) {
		if n.Valid {
			v = n.V
		}
		return v, n.Valid
	}
	return Field[R, V]{operand: op, get: func(rec *R) V { v, _ := of(f.Get(rec)); return v }, elems: elemsOf(f, of)}
}

// elemsOf returns what the elements of a field hold, of those that hold anything, or
// nil where the field is not one of elements.
func elemsOf[R, P, V any](f Field[R, P], of func(P) (V, bool)) func(*R) []V {
	if f.elems == nil {
		return nil
	}
	return func(rec *R) (all []V) {
		for _, p := range f.elems(rec) {
			if v, ok := of(p); ok {
				all = append(all, v)
			}
		}
		return all
	}
}

// Each returns a view of a slice field that matches where any element does. An
// index with `each` serves it. Ne is a [QueryError] on it.
func Each[R any, S ~[]E, E any](f Field[R, S]) Field[R, E] {
	op := f.operand
	op.Each = true
	elems := func(rec *R) []E { return f.Get(rec) }
	return Field[R, E]{operand: op, get: firstOf(elems), elems: elems}
}

// firstOf returns the first of a record's elements, or zero.
func firstOf[R, E any](elems func(*R) []E) func(*R) E {
	return func(rec *R) (v E) {
		if s := elems(rec); len(s) > 0 {
			v = s[0]
		}
		return v
	}
}

// Fold returns a view of a string field without regard to case, in predicates,
// ranges and orders, as [strings.EqualFold] has it. An index with `fold` serves it.
// Get returns the string as it is; what [Values], [Distinct] and groups give is
// folded.
func Fold[R any, V ~string](f Field[R, V]) Field[R, V] {
	f.operand.Fold = true
	return f
}

// Key returns the primary key as a field handle, a composite or computed one
// too. Its Get needs a bound table.
func (t Table[R, K]) Key() Field[R, K] {
	return Field[R, K]{
		operand: query.Operand{Field: keyOf(reflect.TypeFor[R]())},
		get: func(rec *R) (key K) {
			r := sourceOf(rec)
			keyOfRecord(t.conn, reflect.TypeFor[R](), &r, slot(&key))
			return key
		},
	}
}

// keyFields has the primary keys as fields of queries, by record type: a query
// remembers by a field's pointer where it was found.
var keyFields sync.Map // reflect.Type -> *query.Field

// keyOf returns the primary key of a record type as a field.
func keyOf(typ reflect.Type) *query.Field {
	if f, ok := keyFields.Load(typ); ok {
		return f.(*query.Field)
	}
	f, _ := keyFields.LoadOrStore(typ, &query.Field{Key: true})
	return f.(*query.Field)
}

// keyOfRecord sets key to the primary key of rec, or leaves it zero where the
// table is not known.
func keyOfRecord(conn Conn, typ reflect.Type, rec *source, key keySlot) {
	if !bound(conn) {
		return
	}
	tb := conn.base().core.Schema().ByType(typ)
	if tb == nil {
		return
	}
	if tuple, err := rec.appendKey(nil, tb); err == nil {
		_ = key.decode(tb, tuple) // a wrong K is reported by every call
	}
}

// literals caches how values of a type are encoded, failures too.
var literals sync.Map // reflect.Type -> *literalPlan

type literalPlan struct {
	of   reflect.Type
	typ  codec.KeyType
	plan *codec.KeyPlan
	err  error
}

// literalOf returns v as a query compares it.
func (f Field[R, V]) literalOf(v V) query.Literal {
	l := f.literal
	if l == nil {
		l = literalPlanOf(reflect.TypeFor[V]())
	}
	return l.at(reflectx.To(&v))
}

// at returns the value at p as a query compares it.
func (l *literalPlan) at(p reflectx.Pointer) query.Literal {
	if l.err != nil {
		return query.Literal{Err: l.err}
	}
	b, err := l.plan.Append(nil, p)
	if err != nil && l.typ.Kind == codec.Time { // no record can hold it
		return query.TimeLiteral(&l.typ, *reflectx.Ref[time.Time](l.pointed(p)))
	}
	return query.Literal{Type: &l.typ, Exact: b, Err: err}
}

// pointed returns where the value lies that p, a pointer or nullable, holds, or p
// where it is neither.
func (l *literalPlan) pointed(p reflectx.Pointer) reflectx.Pointer {
	if null, ok := reflectx.NullableOf(l.of); ok {
		return null.At(p)
	}
	if l.of.Kind() == reflect.Pointer {
		return p.Elem()
	}
	return p
}

func literalPlanOf(t reflect.Type) *literalPlan {
	if l, ok := literals.Load(t); ok {
		return l.(*literalPlan)
	}
	l := &literalPlan{of: t}
	if l.typ, l.err = codec.EqualTypeOf(t, schema.StoredFields); l.err == nil {
		l.plan, l.err = codec.CompileKey(t, schema.StoredFields, l.typ)
	}
	if l.err != nil {
		l.err = fmt.Errorf("a %v has no order: %w", t, l.err)
	}
	have, _ := literals.LoadOrStore(t, l)
	return have.(*literalPlan)
}
