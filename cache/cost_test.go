package cache_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
)

var zipf = flag.Bool("zipf", false, "run TestZipf, which prints hit rates")

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

// BenchmarkCommitThrough is what layers add to a commit on an embedded origin.
func BenchmarkCommitThrough(b *testing.B) {
	open := func(b *testing.B, sync bool) store.Store {
		st, err := badgerstore.Open(b.TempDir(), &badgerstore.Options{NoSync: !sync})
		if err != nil {
			b.Fatal(err)
		}
		return st
	}
	for _, sync := range []bool{false, true} {
		for _, layers := range []int{0, 1, 2} {
			b.Run(fmt.Sprintf("sync=%v/layers=%d", sync, layers), func(b *testing.B) {
				s := open(b, sync)
				if layers > 0 {
					list := []cache.Layer{cache.Memory(64 << 20), cache.Archive(open(b, false))}[:layers]
					var err error
					if s, err = cache.Stack(s, list...); err != nil {
						b.Fatal(err)
					}
				}
				defer s.Close()
				var key []byte
				for i := 0; b.Loop(); i++ {
					key = benchKey(key, i)
					tx := begin(b, s, true)
					tx.Set(key, make([]byte, 100))
					commit(b, tx)
				}
			})
		}
	}
}
