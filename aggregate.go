package kivis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"

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
	op1 := f.operand
	if q.q.Limit < 0 && q.q.Offset == 0 && q.after == "" && !op1.Each {
		q.q.Order = []query.Order{{Field: op1, Desc: greatest}}
		q.q.Limit = 1
	}
	var best []byte
	err = eachPart(ctx, q.call(op), op1, func(part []byte) error {
		if best == nil || (bytes.Compare(part, best) > 0) == greatest {
			best = append(best[:0], part...)
		}
		return nil
	})
	if err == nil && best == nil {
		a := q.call(op)
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
		a.q.Order, a.q.ByKey = nil, false // it makes no difference
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
