package query

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kivisdb/kivis/store/memstore"
)

// TestSiftModel asks random queries that bound two indexes or more, and compares
// with a naive filter.
func TestSiftModel(t *testing.T) {
	tables := 60
	if testing.Short() {
		tables = 20
	}
	clear(lookSeen[:])
	for range tables * *rounds {
		seed := rand.Uint64()
		if *theSeed != 0 {
			seed = *theSeed
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng, kv := rand.New(rand.NewPCG(seed, 0)), memstore.New()
			defer kv.Close()
			w := newWorld(t, rng, kv, 300)
			w.ranged = true
			w.checkAll(t, 100)
		})
	}
	t.Logf("looks chose %v", lookSeen)
	for choice, n := range lookSeen {
		if *theSeed == 0 && n < 10 {
			t.Errorf("%d looks chose %d: the test has lost its reach", n, choice)
		}
	}
}
