package memstore_test

import (
	"context"
	"testing"

	"github.com/kivisdb/kivis/store"
)

// TestAllocs bounds the allocations of what happens most, on a store of
// 100,000 entries. With the race detector, pools drop what they are given.
func TestAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("pools do not work under the race detector")
	}
	s := benchStore(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	key, value, i := []byte(nil), make([]byte, 100), 0
	next := func() []byte {
		key, i = benchKey(key, i), i+1
		return key
	}
	tests := []struct {
		name string
		max  float64
		run  func()
	}{
		// The transaction.
		{"begin, get, discard", 1, func() { getOne(t, ctx, s, next()) }},
		// The transaction and the entry: the tree is written in place.
		{"begin, set, commit", 2, func() { setOne(t, s, next(), value) }},
		{"begin, get, set, commit", 2, func() { getSet(t, s, next(), value) }},
		// The transaction, the cursor, its bounds, its place.
		{"begin, scan 100, discard", 4, func() { scanSome(t, context.Background(), s, next(), nil) }},
		// And the watch on the context.
		{"begin, scan 100, discard, with a context", 7, func() { scanSome(t, ctx, s, next(), nil) }},
	}
	for _, test := range tests {
		if got := testing.AllocsPerRun(2000, test.run); got > test.max {
			t.Errorf("%s: %v allocations, want at most %v", test.name, got, test.max)
		}
	}
}

// getSet reads a key and writes it, in a transaction.
func getSet(tb testing.TB, s store.Store, key, value []byte) {
	tx, err := s.Begin(context.Background(), true)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := tx.Get(key); err != nil {
		tb.Fatal(err)
	}
	if err := tx.Set(key, value); err != nil {
		tb.Fatal(err)
	}
	if _, err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
}
