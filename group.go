package kivis

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/big"
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

// A total is a sum that knows whether it fits its type.
type total[V Number] struct {
	sum      V
	turns    int  // how often sum has wrapped around, which later values may undo
	overflow bool // finite floats have added up to an infinity
}

func (t *total[V]) add(v V) {
	next := t.sum + v
	switch {
	case v > 0 && next < t.sum:
		t.turns++
	case v < 0 && next > t.sum:
		t.turns--
	case isInf(next) && !isInf(t.sum) && !isInf(v):
		t.overflow = true
	}
	t.sum = next
}

// value returns the sum, or ErrOverflow.
func (t *total[V]) value() (V, error) {
	if t.turns != 0 || t.overflow {
		return 0, ErrOverflow
	}
	return t.sum, nil
}

// isInf reports whether v is a float that is an infinity.
func isInf[V Number](v V) bool { return math.IsInf(float64(v), 0) }

// isFloat reports whether V is a type of floats.
func isFloat[V Number]() bool {
	half := 0.5
	return V(half) != 0
}

// A mean is what the average of some values is made of.
type mean[V Number] struct {
	n     uint64
	ints  total[V]  // of integers, until they wrap around
	whole big.Int   // of those before
	float floatMean // of floats
}

func (m *mean[V]) add(v V) {
	m.n++
	if isFloat[V]() {
		m.float.add(float64(v))
		return
	}
	before := m.ints
	if m.ints.add(v); m.ints.turns != 0 {
		m.flush(before.sum)
		m.ints = total[V]{sum: v}
	}
}

// flush adds what has been summed so far to whole.
func (m *mean[V]) flush(sum V) {
	var x big.Int
	if sum < 0 {
		x.SetInt64(int64(sum))
	} else {
		x.SetUint64(uint64(sum))
	}
	m.whole.Add(&m.whole, &x)
}

// value returns the mean of at least one value.
func (m *mean[V]) value() float64 {
	if isFloat[V]() {
		return m.float.value(m.n)
	}
	m.flush(m.ints.sum)
	m.ints = total[V]{}
	n := new(big.Int).SetUint64(m.n)
	f, _ := new(big.Rat).SetFrac(&m.whole, n).Float64()
	return f
}

// A floatMean sums floats twice, as they are and scaled down, so that a sum
// beyond all floats has a mean all the same. Each sum carries what rounding has
// lost along (Neumaier, Rundungsfehleranalyse einiger Verfahren zur Summation
// endlicher Summen, 1974).
type floatMean struct {
	plain, scaled compensated
	special       float64 // the sum of infinities and NaN, where there are any
	isSpecial     bool
}

// scaleBits is by how much the second sum is scaled down. More values than
// that allows for do not fit into any store.
const scaleBits = 64

func (m *floatMean) add(v float64) {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		m.special += v
		m.isSpecial = true
		return
	}
	m.plain.add(v)
	m.scaled.add(math.Ldexp(v, -scaleBits))
}

func (m *floatMean) value(n uint64) float64 {
	if m.isSpecial {
		return m.special
	}
	if sum := m.plain.value(); !math.IsInf(sum, 0) && !math.IsNaN(sum) {
		return sum / float64(n)
	}
	return math.Ldexp(m.scaled.value()/float64(n), scaleBits)
}

type compensated struct{ sum, lost float64 }

func (c *compensated) add(v float64) {
	next := c.sum + v
	if math.Abs(c.sum) >= math.Abs(v) {
		c.lost += (c.sum - next) + v
	} else {
		c.lost += (v - next) + c.sum
	}
	c.sum = next
}

func (c *compensated) value() float64 { return c.sum + c.lost }
