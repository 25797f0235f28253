package kivis

import (
	"bytes"
	"context"
	"errors"
	"reflect"

	"github.com/kivisdb/kivis/query"
)

// GroupCount returns how many of the records that the query finds have each
// value of the field; of an [Each] field, how many have each element. An index
// on the field is read alone. A pointer field is a [QueryError]: use [Deref],
// which leaves nils out.
func GroupCount[R any, K comparable, V comparable](ctx context.Context, q Query[R, K], f Field[R, V]) (map[V]int, error) {
	g := groups[V, int]{a: q.call("group count")}
	err := g.each(ctx, query.Want{Kind: query.Values, Value: f.operand}, func(n *int, _ []byte) error {
		*n++
		return nil
	})
	return groupsOf(&g, err, func(n *int) (int, error) { return *n, nil })
}

// GroupSum returns the sum of f over the records of each value of by; see
// [Sum] and [GroupCount]. An index that has both fields is read alone.
func GroupSum[R any, K, G comparable, V Number](ctx context.Context, q Query[R, K], by Field[R, G], f Field[R, V]) (map[G]V, error) {
	g := groups[G, total[V]]{a: q.call("group sum")}
	err := g.each(ctx, wantGroup(by.operand, f.operand), func(t *total[V], part []byte) error {
		var v V
		err := decodePart(part, &v)
		t.add(v)
		return err
	})
	return groupsOf(&g, err, func(t *total[V]) (V, error) {
		v, err := t.value()
		return v, sumError(g.a, f.operand, err)
	})
}

// GroupAvg returns the mean of f over the records of each value of by; see
// [Avg] and [GroupSum].
func GroupAvg[R any, K, G comparable, V Number](ctx context.Context, q Query[R, K], by Field[R, G], f Field[R, V]) (map[G]float64, error) {
	g := groups[G, mean[V]]{a: q.call("group avg")}
	err := g.each(ctx, wantGroup(by.operand, f.operand), func(m *mean[V], part []byte) error {
		var v V
		err := decodePart(part, &v)
		m.add(v)
		return err
	})
	return groupsOf(&g, err, func(m *mean[V]) (float64, error) { return m.value(), nil })
}

// GroupMin returns the least value of f among the records of each value of by;
// see [Min] and [GroupSum].
func GroupMin[R any, K, G comparable, V any](ctx context.Context, q Query[R, K], by Field[R, G], f Field[R, V]) (map[G]V, error) {
	return groupExtreme(ctx, q.call("group min"), by, f, false)
}

// GroupMax returns the greatest value of f among the records of each value of
// by; see [Max] and [GroupSum].
func GroupMax[R any, K, G comparable, V any](ctx context.Context, q Query[R, K], by Field[R, G], f Field[R, V]) (map[G]V, error) {
	return groupExtreme(ctx, q.call("group max"), by, f, true)
}

func groupExtreme[R any, G comparable, V any](ctx context.Context, a queryCall, by Field[R, G], f Field[R, V], greatest bool) (map[G]V, error) {
	g := groups[G, []byte]{a: a}
	err := g.each(ctx, wantGroup(by.operand, f.operand), func(best *[]byte, part []byte) error {
		if *best == nil || (bytes.Compare(part, *best) > 0) == greatest {
			*best = append((*best)[:0], part...)
		}
		return nil
	})
	return groupsOf(&g, err, func(best *[]byte) (v V, err error) { return v, decodePart(*best, &v) })
}

// wantGroup asks for one field by groups of another.
func wantGroup(by, f query.Operand) query.Want {
	if by.Field == nil {
		by.Field = &query.Field{Err: errors.New("a zero Field is no field: make one with FieldOf")}
	}
	return query.Want{Kind: query.Values, Value: f, Group: by}
}

// groups has one accumulator for each value of a field. Its memory grows with
// the values, not with the records.
type groups[G comparable, A any] struct {
	a       queryCall
	byPart  map[string]*A
	byValue map[G]*A // values may have several parts, as NaN several values
	last    []byte
	acc     *A // of last
}

// each calls fn with each row's part and the accumulator of its group: without
// a Group, the part is the group's.
func (g *groups[G, A]) each(ctx context.Context, want query.Want, fn func(acc *A, part []byte) error) error {
	if reflect.TypeFor[G]().Kind() == reflect.Pointer && g.a.err == nil {
		g.a.err = &QueryError{Clause: g.a.op, Err: errors.New("a pointer is compared by its address: use Deref")}
	}
	g.byPart, g.byValue = map[string]*A{}, map[G]*A{}
	return eachValue(ctx, g.a, want, func(row *query.Row) error {
		group := row.Group
		if want.Group.Field == nil {
			group = row.Part
		}
		if g.acc == nil || !bytes.Equal(group, g.last) {
			if err := g.enter(group); err != nil {
				return err
			}
		}
		return fn(g.acc, row.Part)
	})
}

// enter makes a group the current one.
func (g *groups[G, A]) enter(part []byte) error {
	g.last = append(g.last[:0], part...)
	if g.acc = g.byPart[string(part)]; g.acc != nil {
		return nil
	}
	var v G
	if err := decodePart(part, &v); err != nil {
		return err
	}
	if g.acc = g.byValue[v]; g.acc == nil {
		g.acc = new(A)
		g.byValue[v] = g.acc
	}
	g.byPart[string(part)] = g.acc
	return nil
}

// groupsOf returns what final makes of each group's accumulator.
func groupsOf[G comparable, A, V any](g *groups[G, A], err error, final func(*A) (V, error)) (map[G]V, error) {
	if err != nil {
		return nil, err
	}
	out := make(map[G]V, len(g.byValue))
	for v, acc := range g.byValue {
		if out[v], err = final(acc); err != nil {
			return nil, err
		}
	}
	return out, nil
}
