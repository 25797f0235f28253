package sqlitestore_test

import (
	"fmt"
	"testing"

	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// lasting is a store that outlives who closes it.
type lasting struct{ *memstore.Store }

func (lasting) Close() error { return nil }

// Self implements store.Getter.
func (l lasting) Self() store.Store { return l }

// TestLayer: a persistent layer lives in a store of SQLite's, and knows after a
// restart what it knew, but for what has changed since.
func TestLayer(t *testing.T) {
	origin, path := lasting{memstore.New()}, fileIn(t.TempDir())
	set := func(key, value string) {
		check(t, update(origin, func(tx store.Tx) error { return tx.Set([]byte(key), []byte(value)) }))
	}
	want := content{}
	for i := range 500 {
		key := fmt.Sprintf("key/%05d", i)
		want[key] = "value of " + key
		set(key, want[key])
	}
	for round := range 3 {
		stack, err := cache.New(origin, nil, cache.Persistent(open(t, path, nil), 1<<20))
		check(t, err)
		check(t, want.read(t, stack))
		stats := stack.Stats().Layers[0]
		if round == 0 && stats.Misses == 0 || round > 0 && stats.Hits < int64(len(want)) {
			t.Errorf("round %d: %d hits and %d misses of %d", round, stats.Hits, stats.Misses, len(want))
		}
		if stats.Err != nil {
			t.Errorf("round %d: %v", round, stats.Err)
		}
		check(t, stack.Close())
		want["key/00100"] = fmt.Sprint("of round ", round)
		set("key/00100", want["key/00100"])
	}
}
