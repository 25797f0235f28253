package kivis

import (
	"math"
	"math/big"
)

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
