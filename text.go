package kivis

import (
	"reflect"

	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/reflectx"
)

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
// nil.
func literalOfAny(v any) query.Literal {
	if v == nil {
		return query.Literal{Text: "nil"}
	}
	p := reflect.New(reflect.TypeOf(v))
	p.Elem().Set(reflect.ValueOf(v))
	return literalPlanOf(p.Type().Elem()).at(reflectx.Of(p))
}
