package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"
)

// result is what has come of a run.
type result struct {
	c         config
	commits   int // transactions
	attempts  int
	versions  uint64
	proposals int
	latencies []time.Duration
	each      []int // commits by process

	violations int // transactions that must not have been committed; there are none
}

// run simulates c. What comes in the first tenth of the time is not counted.
func run(c config) *result {
	s := &sim{rng: rand.New(rand.NewPCG(c.seed, 0))}
	r := &result{c: c, each: make([]int, c.processes)}
	o := &origin{sim: s, c: &c, head: 1, versions: map[int][]uint64{}}
	keys := newChooser(&c)
	counting := false
	for i := range c.processes {
		p := &process{origin: o, known: 1}
		var begin func()
		begin = func() {
			t := &txn{p: p, reads: keys.several(c.reads, s.rng), began: s.now}
			t.over = func(t *txn) {
				if counting {
					r.commits++
					r.each[i]++
					r.attempts += t.attempts
					r.latencies = append(r.latencies, s.now-t.began)
				}
				s.after(thought(c.think, s.rng), begin)
			}
			t.attempt()
		}
		for range c.writers {
			s.after(time.Duration(s.rng.Int64N(int64(c.roundTrip))), begin)
		}
	}
	s.run(c.last / 10)
	counting = true
	head, proposals := o.head, o.proposals
	s.run(c.last)
	r.versions, r.proposals, r.violations = o.head-head, o.proposals-proposals, o.violations
	slices.Sort(r.latencies)
	return r
}

// thought draws a pause between transactions.
func thought(mean time.Duration, rng *rand.Rand) time.Duration {
	return time.Duration(rng.ExpFloat64() * float64(mean))
}

// at returns the latency that a part of all are below.
func (r *result) at(part float64) time.Duration {
	if len(r.latencies) == 0 {
		return 0
	}
	return r.latencies[min(int(part*float64(len(r.latencies))), len(r.latencies)-1)]
}

// rate returns how many of something there were in a second.
func (r *result) rate(n int) float64 { return float64(n) / (r.c.last * 9 / 10).Seconds() }

// fairness returns what the process with the fewest commits has made, as a part of what
// the one with the most has.
func (r *result) fairness() float64 {
	return float64(slices.Min(r.each)) / float64(max(1, slices.Max(r.each)))
}

// print writes a line.
func (r *result) print(w io.Writer) {
	keys := "uniform"
	if r.c.skewed {
		keys = "zipfian"
	}
	fmt.Fprintf(w, "%s\t%s\t%.0f\t%.0f\t%.2f\t%.2f\t%v\t%v\t%.2f\n", keys, r.c.pauses, r.rate(r.commits), r.rate(int(r.versions)),
		float64(r.attempts)/float64(max(1, r.commits)), float64(r.proposals)/float64(max(1, r.versions)),
		r.at(.5).Round(10*time.Microsecond), r.at(.99).Round(10*time.Microsecond), r.fairness())
}
