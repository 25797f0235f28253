package cache

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestIntervals compares random additions and cuts with a set of keys.
func TestIntervals(t *testing.T) {
	const n = 40
	key := func(i int) []byte { return fmt.Appendf(nil, "%02d", i) }
	bound := func(i int) []byte {
		if i >= n {
			return nil
		}
		return key(i)
	}
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		s := newIntervals()
		var want [n]bool
		for range 60 {
			lo, hi := rnd.IntN(n), 0
			hi = lo + 1 + rnd.IntN(n/4)
			d, add := s.draft(), rnd.IntN(2) == 0
			if add {
				d.add(key(lo), bound(hi))
			} else {
				d.cut(key(lo), bound(hi))
			}
			for i := lo; i < min(hi, n); i++ {
				want[i] = add
			}
			checkTouched(t, s, d)
			s = &d.intervals
			checkIntervals(t, seed, s, want[:], key)
		}
	}
}

// checkTouched checks that a draft knows what is new in it and what is gone.
func checkTouched(t *testing.T, old *intervals, d *draft) {
	t.Helper()
	list := func(s *intervals) map[string]string {
		m := map[string]string{}
		s.all(func(lo, hi []byte) bool { m[string(lo)] = fmt.Sprintf("%q", hi); return true })
		return m
	}
	before, after := list(old), list(&d.intervals)
	for lo, hi := range before {
		if _, touched := d.touched[lo]; after[lo] != hi && !touched {
			t.Errorf("interval [%s, %s) has become %s and was not touched", lo, hi, after[lo])
		}
	}
	for lo := range after {
		if _, touched := d.touched[lo]; before[lo] == "" && !touched {
			t.Errorf("the interval at %s is new and was not touched", lo)
		}
	}
}

func checkIntervals(t *testing.T, seed uint64, s *intervals, want []bool, key func(int) []byte) {
	t.Helper()
	runs := 0
	for i, in := range want {
		if got := s.has(key(i)); got != in {
			t.Fatalf("seed %d: %s in the set: %v, want %v", seed, key(i), got, in)
		}
		if iv, ok := s.below(append(key(i), '!')); ok != in || ok && !iv.hiAbove(key(i)) {
			t.Fatalf("seed %d: below %s!: %v, want %v", seed, key(i), ok, in)
		}
		if in && (i == 0 || !want[i-1]) {
			runs++
		}
	}
	if s.len() != runs {
		t.Fatalf("seed %d: %d intervals, want %d", seed, s.len(), runs)
	}
	for lo := range want {
		r, ok := s.gap(key(lo))
		at := lo
		for at < len(want) && want[at] {
			at++
		}
		if at == len(want) {
			if ok && under(key(len(want)-1), r.Lo) == false {
				t.Fatalf("seed %d: a gap at %s where there is none", seed, r.Lo)
			}
			continue
		}
		if !ok || string(r.Lo) > string(key(at)) || r.Hi != nil && string(r.Hi) <= string(key(at)) {
			t.Fatalf("seed %d: the gap from %s on is %q to %q, %v; want one that begins at %s", seed, key(lo), r.Lo, r.Hi, ok, key(at))
		}
	}
}

func (iv interval) hiAbove(key []byte) bool { return under(key, iv.hi) }
