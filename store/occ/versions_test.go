package occ

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestVersions begins and ends transactions at random and compares with a plain
// list of them.
func TestVersions(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	var v versions
	var live []uint64
	for version, step := uint64(1), 0; step < 2000; step++ {
		switch n := rnd.IntN(5); {
		case n == 0:
			version++
		case n < 3:
			live = append(live, version)
			v.add(version)
		case len(live) > 0:
			i := rnd.IntN(len(live))
			v.remove(live[i])
			live = slices.Delete(live, i, i+1)
		}
		want := slices.Compact(slices.Sorted(slices.Values(live)))
		if got := v.list(nil); !slices.Equal(got, want) {
			t.Fatalf("seed %d, step %d: transactions see %v, want %v", seed, step, got, want)
		}
	}
}
