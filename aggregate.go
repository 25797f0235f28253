package kivis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"

	"github.com/kivisdb/kivis/codec"
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
	_, err = eachPart(ctx, q.call(op), op1, func(part []byte) error {
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
	var sum V
	turns := 0 // how often sum has wrapped around, which later values may undo
	a := q.call("sum")
	_, err := eachPart(ctx, a, f.operand, func(part []byte) error {
		var v V
		if err := decodePart(part, &v); err != nil {
			return err
		}
		next := sum + v
		switch {
		case v > 0 && next < sum:
			turns++
		case v < 0 && next > sum:
			turns--
		case isInf(next) && !isInf(sum) && !isInf(v):
			return ErrOverflow
		}
		sum = next
		return nil
	})
	if err == nil && turns != 0 {
		err = a.named(fmt.Errorf("%s: %w", f.operand, ErrOverflow))
	}
	if err != nil {
		return 0, err
	}
	return sum, nil
}

// isInf reports whether v is a float that is an infinity.
func isInf[V Number](v V) bool { return math.IsInf(float64(v), 0) }

// GroupCount returns how many of the records that the query finds have each
// value of the field; of an [Each] field, how many have each element. An index
// on the field is read alone. A pointer field is a [QueryError]: use [Deref],
// which leaves nils out.
func GroupCount[R any, K comparable, V comparable](ctx context.Context, q Query[R, K], f Field[R, V]) (map[V]int, error) {
	a := q.call("group count")
	if reflect.TypeFor[V]().Kind() == reflect.Pointer && a.err == nil {
		a.err = &QueryError{Clause: "group count", Err: errors.New("a pointer is compared by its address: use Deref")}
	}
	counts, _, err := countParts(ctx, a, f.operand)
	if err != nil {
		return nil, err
	}
	groups := make(map[V]int, len(counts))
	for part, n := range counts {
		var v V
		if err := decodePart([]byte(part), &v); err != nil {
			return nil, err
		}
		groups[v] += *n
	}
	return groups, nil
}

// countParts returns how many rows of the query have each key part of the field,
// and what type the parts are.
func countParts(ctx context.Context, a queryCall, op query.Operand) (map[string]*int, codec.KeyType, error) {
	counts := map[string]*int{}
	var last []byte
	var n *int
	typ, err := eachPart(ctx, a, op, func(part []byte) error {
		if n == nil || !bytes.Equal(part, last) {
			last = append(last[:0], part...)
			if n = counts[string(part)]; n == nil {
				n = new(int)
				counts[string(part)] = n
			}
		}
		*n++
		return nil
	})
	return counts, typ, err
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
// the slice until it returns. The type is that of the parts.
func eachPart(ctx context.Context, a queryCall, op query.Operand, fn func(part []byte) error) (typ codec.KeyType, err error) {
	if a.q.Limit < 0 && a.q.Offset == 0 && a.after == "" {
		a.q.Order, a.q.ByKey = nil, false // it makes no difference
	}
	var run queryRun
	if err := run.start(ctx, &a, query.Want{Kind: query.Values, Value: op}, untilReturn); err != nil {
		return typ, err
	}
	defer run.close(nil)
	typ = run.plan.ValueType()
	for run.rows.Next() {
		if err := fn(run.rows.Row().Part); err != nil {
			return typ, run.close(fmt.Errorf("%s: %w", op, err))
		}
	}
	return typ, run.close(run.rows.Err())
}
