package main

import (
	"errors"
	"math"
	"math/rand/v2"
	"time"
)

// config is what is simulated.
type config struct {
	processes, writers  int
	keys, reads, writes int
	skewed              bool // some keys are used much more often than others
	roundTrip, flush    time.Duration
	think               time.Duration
	spread              float64
	bucket              bool
	pauses              pauses
	last                time.Duration
	seed                uint64

	careless bool // nothing is validated: for a test
}

// check returns what is wrong with c.
func (c *config) check() error {
	switch {
	case c.processes < 1 || c.writers < 1:
		return errors.New("want at least one process, and one writer in each")
	case c.writes < 1 || c.reads < c.writes || c.keys < c.reads:
		return errors.New("want at least one write, as many reads, and as many keys")
	case c.roundTrip < 2 || c.last <= 0 || c.flush < 0 || c.think < 0 || c.spread < 0:
		return errors.New("want times above 0")
	}
	return nil
}

// pauses is how long a transaction that has conflicted waits before it runs again.
type pauses string

const (
	noPauses     pauses = "none"
	kivisPauses  pauses = "50µs-5ms" // what kivis does: see internal/retry
	longPauses   pauses = "by trips" // from a round trip up to 64
	aloneAfter          = 8          // attempts, as in internal/retry
	maxProposals        = 8          // as in store/remote
	exponent            = 0.99       // of the skew; YCSB's
)

// after returns the pause before attempt n+1. They double, and are drawn from their
// upper half.
func (p pauses) after(n int, c *config, rng *rand.Rand) time.Duration {
	var d time.Duration
	switch p {
	case kivisPauses:
		d = min(50*time.Microsecond<<min(n, 10), 5*time.Millisecond)
	case longPauses:
		d = c.roundTrip << min(n, 6)
	default:
		return 0
	}
	return d/2 + time.Duration(rng.Int64N(int64(d/2)))
}

// chooser draws keys.
type chooser struct {
	c    *config
	upTo []float64 // the sum of the weights up to each key, where they differ
}

func newChooser(c *config) *chooser {
	ch := &chooser{c: c}
	if !c.skewed {
		return ch
	}
	sum := 0.0
	for i := range c.keys {
		sum += 1 / math.Pow(float64(i+1), exponent)
		ch.upTo = append(ch.upTo, sum)
	}
	return ch
}

// draw returns one key.
func (ch *chooser) draw(rng *rand.Rand) int {
	if ch.upTo == nil {
		return rng.IntN(ch.c.keys)
	}
	x := rng.Float64() * ch.upTo[len(ch.upTo)-1]
	lo, hi := 0, len(ch.upTo)-1
	for lo < hi {
		if mid := (lo + hi) / 2; ch.upTo[mid] > x {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// several returns n different keys.
func (ch *chooser) several(n int, rng *rand.Rand) []int {
	keys := make([]int, 0, n)
draw:
	for len(keys) < n {
		key := ch.draw(rng)
		for _, k := range keys {
			if k == key {
				continue draw
			}
		}
		keys = append(keys, key)
	}
	return keys
}
