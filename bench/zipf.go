package main

import (
	"math"
	"math/rand/v2"
)

// zipf draws ids as YCSB does: some are asked for much more often than others,
// and the popular ones are spread over the table. (The method is that of Gray
// et al., "Quickly generating billion-record synthetic databases"; the one of
// math/rand wants an exponent above 1.)
type zipf struct {
	n                       uint64
	alpha, zetaN, eta, half float64
}

// zipfExponent is YCSB's.
const zipfExponent = 0.99

// newZipf returns a zipf for the ids from 1 to n.
func newZipf(n int) *zipf {
	zeta := func(n int) (sum float64) {
		for i := 1; i <= n; i++ {
			sum += 1 / math.Pow(float64(i), zipfExponent)
		}
		return sum
	}
	z := &zipf{n: uint64(n), alpha: 1 / (1 - zipfExponent), zetaN: zeta(n)}
	z.half = 1 + math.Pow(0.5, zipfExponent)
	z.eta = (1 - math.Pow(2/float64(n), 1-zipfExponent)) / (1 - zeta(2)/z.zetaN)
	return z
}

// draw returns an id.
func (z *zipf) draw(rng *rand.Rand) uint64 {
	u := rng.Float64()
	rank := uint64(0)
	switch uz := u * z.zetaN; {
	case uz < 1:
	case uz < z.half:
		rank = 1
	default:
		rank = min(uint64(float64(z.n)*math.Pow(z.eta*u-z.eta+1, z.alpha)), z.n-1)
	}
	return 1 + mix(rank)%z.n
}
