package kivis

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/kivisdb/kivis/query"
)

// Values returns one field of each record that the query finds, in the query's
// order, as they are read: from an index alone where one has all that the query
// asks for. Of an [Each] field it returns each element, of a [Deref] field what
// it points to, and nothing for nil. Errors and breaking off are as in
// [Query.All].
func Values[R any, K comparable, V any](ctx context.Context, q Query[R, K], f Field[R, V]) iter.Seq2[V, error] {
	want := query.Want{Kind: query.Values, Value: f.operand}
	return eachRow(ctx, q.call("values"), want, func(_ *queryRun, row *query.Row, v *V) error { return decodePart(row.Part, v) })
}

// Distinct returns the values of the field among the records that the query
// finds, each once, the least first. They stream where an index gives them in
// order; otherwise memory grows with the number of values, not of records. Nil
// is a value, but not of a [Deref] field. Errors and breaking off are as in
// [Query.All].
func Distinct[R any, K comparable, V any](ctx context.Context, q Query[R, K], f Field[R, V]) iter.Seq2[V, error] {
	a := q.call("distinct")
	if a.q.Limit >= 0 || a.q.Offset > 0 || a.after != "" || f.operand.Each {
		return sortedValues[V](ctx, a, f.operand)
	}
	a.q.Order, a.q.ByKey = []query.Order{{Field: f.operand}}, false
	return func(yield func(V, error) bool) {
		values := sortedValues[V]
		if plan, err := a.explain(); err == nil && !plan.Sorts() {
			values = streamedValues[V]
		}
		values(ctx, a, f.operand)(yield)
	}
}

// streamedValues yields each value once of a query that gives them in order.
func streamedValues[V any](ctx context.Context, a queryCall, op query.Operand) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var last []byte
		want := query.Want{Kind: query.Values, Value: op}
		type value struct {
			v   V
			new bool
		}
		rows := eachRow(ctx, a, want, func(_ *queryRun, row *query.Row, v *value) error {
			if last != nil && bytes.Equal(row.Part, last) {
				return nil
			}
			last, v.new = append(last[:0], row.Part...), true
			return decodePart(row.Part, &v.v)
		})
		for v, err := range rows {
			if (err != nil || v.new) && !yield(v.v, err) {
				return
			}
		}
	}
}

// sortedValues yields each value once, having read them all.
func sortedValues[V any](ctx context.Context, a queryCall, op query.Operand) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var none V
		seen := map[string]bool{}
		err := eachPart(ctx, a, op, func(part []byte) error {
			if !seen[string(part)] { // which takes no memory
				seen[string(part)] = true
			}
			return nil
		})
		if err != nil {
			yield(none, err)
			return
		}
		for _, part := range slices.Sorted(maps.Keys(seen)) {
			var v V
			if err := decodePart([]byte(part), &v); err != nil {
				yield(none, err)
				return
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}
