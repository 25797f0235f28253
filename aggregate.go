package kivis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"

	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/reflectx"
)

// Number is a type that can be added up.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 |
		~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// ErrOverflow: a sum does not fit its type.
var ErrOverflow = errors.New("sum overflows its type")

// Min returns the least value of the field among the records that the query
// finds, or ErrNotFound where there is none. Where an index has the field it
// reads one end of it. A [Deref] field's nils are left out.
func Min[R any, K comparable, V any](ctx context.Context, q Query[R, K], f Field[R, V]) (V, error) {
	return extreme(ctx, q, f, "min", false)
}

// Max returns the greatest value of the field; see [Min].
func Max[R any, K comparable, V any](ctx context.Context, q Query[R, K], f Field[R, V]) (V, error) {
	return extreme(ctx, q, f, "max", true)
}

func extreme[R any, K comparable, V any](ctx context.Context, q Query[R, K], f Field[R, V], op string, greatest bool) (v V, err error) {
	a, op1 := q.call(op), f.operand
	if q.q.Limit < 0 && q.q.Offset == 0 && q.after == "" && !op1.Each {
		a.order(query.Order{Field: op1, Desc: greatest})
		a.q.Limit = 1
	}
	var best []byte
	err = eachPart(ctx, a, op1, func(part []byte) error {
		if best == nil || (bytes.Compare(part, best) > 0) == greatest {
			best = append(best[:0], part...)
		}
		return nil
	})
	if err == nil && best == nil {
		return v, a.named(ErrNotFound)
	}
	if err == nil {
		err = decodePart(best, &v)
	}
	return v, err
}

// Sum returns the sum of the field over the records that the query finds, 0
// where there are none, or ErrOverflow where it does not fit: of floats, where
// finite ones add up to an infinity.
func Sum[R any, K comparable, V Number](ctx context.Context, q Query[R, K], f Field[R, V]) (V, error) {
	var sum total[V]
	a := q.call("sum")
	err := eachPart(ctx, a, f.operand, func(part []byte) error {
		var v V
		if err := decodePart(part, &v); err != nil {
			return err
		}
		sum.add(v)
		return nil
	})
	if err != nil {
		return 0, err
	}
	v, err := sum.value()
	return v, sumError(a, f.operand, err)
}

// sumError says of which field a sum has gone wrong.
func sumError(a queryCall, op query.Operand, err error) error {
	if err == nil {
		return nil
	}
	return a.named(fmt.Errorf("%s: %w", op, err))
}

// Avg returns the mean of the field over the records that the query finds, or
// ErrNotFound where there is none. However large the values are, it does not
// overflow; of integers it is the float64 nearest to the exact mean. A [Deref]
// field's nils are left out.
func Avg[R any, K comparable, V Number](ctx context.Context, q Query[R, K], f Field[R, V]) (float64, error) {
	var m mean[V]
	a := q.call("avg")
	err := eachPart(ctx, a, f.operand, func(part []byte) error {
		var v V
		if err := decodePart(part, &v); err != nil {
			return err
		}
		m.add(v)
		return nil
	})
	if err == nil && m.n == 0 {
		return 0, a.named(ErrNotFound)
	}
	if err != nil {
		return 0, err
	}
	return m.value(), nil
}

// decodePart sets v to the value of a key part.
func decodePart[V any](part []byte, v *V) error {
	l := literalPlanOf(reflect.TypeFor[V]())
	if l.err != nil {
		return l.err
	}
	_, err := l.plan.Decode(part, reflectx.To(v))
	return err
}

// eachPart calls fn with the field's key part in each row of the query: of a
// [Deref] field that of the pointed-to value, where there is one. fn may read
// the slice until it returns.
func eachPart(ctx context.Context, a queryCall, op query.Operand, fn func(part []byte) error) error {
	return eachValue(ctx, a, query.Want{Kind: query.Values, Value: op}, func(row *query.Row) error { return fn(row.Part) })
}

// eachValue calls fn with each row of the query, in no order unless that
// decides which rows there are.
func eachValue(ctx context.Context, a queryCall, want query.Want, fn func(row *query.Row) error) error {
	if a.q.Limit < 0 && a.q.Offset == 0 && a.after == "" {
		a.order() // it makes no difference
	}
	var run queryRun
	if err := run.start(ctx, &a, want, untilReturn); err != nil {
		return err
	}
	defer run.close(nil)
	for run.rows.Next() {
		if err := fn(run.rows.Row()); err != nil {
			return run.close(fmt.Errorf("%s: %w", want.Value, err))
		}
	}
	return run.close(run.rows.Err())
}

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
	a.order(query.Order{Field: f.operand})
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
