package cache_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
)

var (
	zipf   = flag.Bool("zipf", false, "run TestZipf, which prints hit rates")
	ratios = flag.Bool("ratios", false, "run TestRatios, which prints what layers cost beside the bare store")
)

// held is an origin that goes on when a stack over it is closed.
type held struct{ *memstore.Store }

// Close implements [store.Store].
func (held) Close() error { return nil }

// TestZipf reads keys under a zipfian load through a layer that holds a tenth of what
// there is, and prints how many of the reads it answers; with scans of everything in
// between, too.
func TestZipf(t *testing.T) {
	if !*zipf {
		t.Skip("run it with -zipf")
	}
	origin := memstore.New()
	fillBench(t, origin)
	size := int64(benchKeys * (15 + 100 + 64))
	for _, scans := range []bool{false, true} {
		for _, s := range []float64{1.1, 1.01} {
			layered, err := cache.Stack(held{origin}, cache.Memory(size/10))
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(1, 2))
			z := rand.NewZipf(r, s, 1, benchKeys-1)
			const n = 1_000_000
			var key []byte
			for i := range n {
				if scans && i%200_000 == 100_000 {
					tx := begin(t, layered, false)
					scan(t, tx, store.Range{})
					tx.Discard()
				}
				key = benchKey(key, int(z.Uint64()))
				if _, err := store.Get(t.Context(), layered, key); err != nil {
					t.Fatal(err)
				}
			}
			l := layered.Stats().Layers[0]
			t.Logf("s=%.2f, scans %v: %.1f%% of %d reads, %d MB of %d", s, scans, 100*float64(n-min(l.Misses, n))/n, n, l.Bytes>>20, size>>20)
			layered.Close()
		}
	}
}

// TestRatios prints how often as long as in the bare store calls take through layers:
// medians of ratios, each of two turns that follow each other, so that it says something
// on a machine that others use, too.
func TestRatios(t *testing.T) {
	if !*ratios {
		t.Skip("run it with -ratios")
	}
	bare, layered := knowing(t)
	for _, q := range questions {
		inTurns(t, q.name, 500, func(i int) { q.ask(t, bare, i) }, func(i int) { q.ask(t, layered, i) })
	}
	set := questions[len(questions)-1].ask
	for _, sync := range []bool{false, true} {
		badger := through(t, sync, 0)
		for layers := 1; layers <= 2; layers++ {
			s, n := through(t, sync, layers), 300
			if sync {
				n = 20
			}
			inTurns(t, fmt.Sprintf("a commit to Badger, sync=%v, layers=%d", sync, layers), n,
				func(i int) { set(t, badger, i) }, func(i int) { set(t, s, i) })
		}
	}
}

// inTurns prints how often as long as bare layered takes for n calls.
func inTurns(t *testing.T, name string, n int, bare, layered func(i int)) {
	var list []float64
	took := func(turn int, f func(i int)) float64 {
		began := time.Now()
		for i := range n {
			f(turn*n + i)
		}
		return float64(time.Since(began))
	}
	for turn := range 101 {
		b := took(turn, bare)
		list = append(list, took(turn, layered)/b)
	}
	slices.Sort(list)
	k := len(list)
	t.Logf("%s: %.2f (%.2f to %.2f)", name, list[k/2], list[k/4], list[3*k/4])
}

// through returns a Badger in a directory behind so many layers.
func through(tb testing.TB, sync bool, layers int) store.Store {
	open := func(sync bool) store.Store {
		st, err := badgerstore.Open(tb.TempDir(), &badgerstore.Options{NoSync: !sync})
		if err != nil {
			tb.Fatal(err)
		}
		return st
	}
	s := open(sync)
	if layers > 0 {
		list := []cache.Layer{cache.Memory(64 << 20), cache.Archive(open(false))}[:layers]
		var err error
		if s, err = cache.Stack(s, list...); err != nil {
			tb.Fatal(err)
		}
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

// BenchmarkCommitThrough is what layers add to a commit on an embedded origin.
func BenchmarkCommitThrough(b *testing.B) {
	set := questions[len(questions)-1].ask
	for _, sync := range []bool{false, true} {
		for _, layers := range []int{0, 1, 2} {
			b.Run(fmt.Sprintf("sync=%v/layers=%d", sync, layers), func(b *testing.B) {
				s := through(b, sync, layers)
				for i := 0; b.Loop(); i++ {
					set(b, s, i)
				}
			})
		}
	}
}
