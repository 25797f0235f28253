package kivis

import (
	"encoding/json"
	"errors"
	"reflect"

	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/reflectx"
)

// Pred is a predicate on the record R, made by the methods of a [Field] and the
// functions below. The zero Pred makes a query fail with a [QueryError].
type Pred[R any] struct{ expr query.Expr }

// String returns the predicate as text, in the grammar of WhereText.
func (p Pred[R]) String() string {
	if p.expr == nil {
		return "no predicate"
	}
	return p.expr.String()
}

// Order is one term of an order of the record R, made by a field's Asc or Desc.
type Order[R any] struct{ term query.Order }

// And holds where all of the predicates do; And() is true.
func And[R any](preds ...Pred[R]) Pred[R] { return Pred[R]{query.And(exprs(preds))} }

// Or holds where at least one of the predicates does; Or() is false.
func Or[R any](preds ...Pred[R]) Pred[R] { return Pred[R]{query.Or(exprs(preds))} }

// Not holds where p does not.
func Not[R any](p Pred[R]) Pred[R] {
	return Pred[R]{query.Not{Expr: p.orFault()}}
}

// conjunction returns what holds where e does, if it is not nil, and all of the
// predicates.
func conjunction[R any](e query.Expr, preds []Pred[R]) query.Expr {
	if e == nil && len(preds) == 1 {
		return preds[0].orFault()
	}
	list := exprs(preds)
	switch {
	case len(list) == 0:
		return e
	case e != nil:
		return query.And(append([]query.Expr{e}, list...))
	case len(list) == 1:
		return list[0]
	}
	return query.And(list)
}

// fault returns an expression that makes a query with it fail with err.
func fault(err error) query.Expr {
	return query.IsNil{Field: query.Operand{Field: &query.Field{Err: err}}}
}

var errZeroPred = errors.New("a Pred that nothing has made: the zero Pred is not a predicate; And() holds always")

// orFault returns the predicate's expression.
func (p Pred[R]) orFault() query.Expr {
	if p.expr == nil {
		return fault(errZeroPred)
	}
	return p.expr
}

// exprs returns the expressions of predicates.
func exprs[R any](preds []Pred[R]) []query.Expr {
	list := make([]query.Expr, 0, len(preds))
	for _, p := range preds {
		list = append(list, p.orFault())
	}
	return list
}

// Prefix holds where the string or bytes begin with v.
func Prefix[R any, V ~string | ~[]byte](f Field[R, V], v V) Pred[R] {
	return Pred[R]{query.Prefix{Field: f.operand, Value: f.literalOf(v)}}
}

// Substring holds where the string or bytes have v in them.
func Substring[R any, V ~string | ~[]byte](f Field[R, V], v V) Pred[R] {
	return Pred[R]{query.Substring{Field: f.operand, Value: f.literalOf(v)}}
}

// SubstringFold holds where the string has v in it, case set aside.
func SubstringFold[R any, V ~string](f Field[R, V], v V) Pred[R] {
	return Substring(Fold(f), v)
}

// EqualFold holds where the string equals v with case set aside, as
// [strings.EqualFold] has it. An index with `fold` serves it.
func EqualFold[R any, V ~string](f Field[R, V], v V) Pred[R] {
	return Pred[R]{query.EqualFold{Field: f.operand, Value: f.literalOf(v)}}
}

// PrefixFold holds where the string begins with v, case set aside. An index
// with `fold` serves it.
func PrefixFold[R any, V ~string](f Field[R, V], v V) Pred[R] {
	return Pred[R]{query.Prefix{Field: f.operand, Value: f.literalOf(v), Fold: true}}
}

// Contains holds where the slice has an element that equals elem. An index
// with `each` serves it.
func Contains[R any, S ~[]E, E any](f Field[R, S], elem E) Pred[R] {
	return Pred[R]{query.Contains{Field: f.operand, Value: literalPlanOf(reflect.TypeFor[E]()).at(reflectx.To(&elem))}}
}

// HasKey holds where the map has the key. An index with `each` serves it.
func HasKey[R any, M ~map[K]V, K comparable, V any](f Field[R, M], key K) Pred[R] {
	return Pred[R]{query.Contains{Field: f.operand, Value: literalPlanOf(reflect.TypeFor[K]()).at(reflectx.To(&key))}}
}

// IsNil holds where the pointer, slice, map, bytes or interface is nil, or a pointer
// on the way to the field; on a field that never is, it is a [QueryError].
func IsNil[R, V any](f Field[R, V]) Pred[R] {
	if f.operand.Field != nil && f.operand.Ref.MayLack() {
		f.operand.Deref = false
	}
	return Pred[R]{query.IsNil{Field: f.operand}}
}

// IsNull is IsNil, for a field that holds a value or nothing, such as sql.Null,
// sql.NullString and uuid.NullUUID.
func IsNull[R, V any](f Field[R, V]) Pred[R] { return IsNil(f) }

// Func holds where fn returns true. No index serves it, and a plan cannot look
// inside, so it comes after all else. It must depend on the record alone, and
// not change it.
func Func[R any](fn func(*R) bool) Pred[R] {
	if fn == nil {
		return Pred[R]{fault(errors.New("the function given to Func is nil"))}
	}
	return Pred[R]{query.Func{Match: func(row *query.Row) (bool, error) {
		rec, ok := row.Decoded.(*R)
		if !ok {
			rec = new(R)
			if err := row.Table.Decoder().Decode(row.Body, reflectx.To(rec)); err != nil {
				return false, err
			}
			row.Decoded = rec
		}
		return fn(rec), nil
	}}}
}

// WhereText starts a query from text; see [Query.WhereText].
func (t Table[R, K]) WhereText(text string, params ...any) Query[R, K] {
	return t.Query().WhereText(text, params...)
}

// WhereText narrows the query by predicates written as text: what the typed
// predicates say, for tools and callers that learn a query at run time.
//
//	origin = 'ORD' and delay >= ? and not (destination in ('LAX', 'SFO'))
//
// Package query has the grammar. Fields go by their stored names, exactly, or
// without case where that is unambiguous. Each ? stands for the next of
// params, which is compared as a field handle would compare it, so text from a
// user never becomes part of the query. A mistake is a [QueryError] with its
// position.
func (q Query[R, K]) WhereText(text string, params ...any) Query[R, K] {
	e, err := parseWhere(text, params)
	if err != nil {
		if q.err == nil {
			q.err = err
		}
		return q
	}
	return q.Where(Pred[R]{e})
}

// OrderByText orders the records by terms written as text, separated by commas:
// a field as [Query.WhereText] names it, descending with a minus before it or desc
// behind it.
//
//	-Departs, ID
//	Departs desc, fold(Name)
//
// It replaces an earlier order; the empty text takes it away. A mistake is a
// [QueryError] with its position.
func (q Query[R, K]) OrderByText(text string) Query[R, K] {
	order, err := query.ParseOrder(text)
	if err != nil {
		if q.err == nil {
			q.err = err
		}
		return q
	}
	q.q.Order = order
	return q
}

// parseWhere returns the expression that text is.
func parseWhere(text string, params []any) (query.Expr, error) {
	lits := make([]query.Literal, len(params))
	for i, p := range params {
		lits[i] = literalOfAny(p)
	}
	return query.Parse(text, lits)
}

// literalOfAny returns a parameter as a query compares it. An untyped nil is
// nil, and a json.Number what it would be in the text.
func literalOfAny(v any) query.Literal {
	if v == nil {
		return query.Literal{Text: "nil"}
	}
	if n, ok := v.(json.Number); ok {
		if _, err := n.Float64(); err == nil {
			return query.Literal{Text: n.String()}
		}
	}
	p := reflect.New(reflect.TypeOf(v))
	p.Elem().Set(reflect.ValueOf(v))
	return literalPlanOf(p.Type().Elem()).at(reflectx.Of(p))
}
