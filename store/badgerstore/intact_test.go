package badgerstore_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// What a check of some keys makes known as sound is in blocks that it has read,
// and the keys themselves are.
func TestCheckedParts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for _, keys := range []int{1, 8, 30, 1000} {
		path := writeTable(t, keys)
		first, err := badgerstore.FirstKeys(path)
		check(t, err)
		// Bounds are keys of the table, those at which blocks begin among
		// them, and others around them.
		bound := func() []byte {
			if rng.IntN(2) == 0 {
				return first[rng.IntN(len(first))]
			}
			return fmt.Appendf(nil, "key%04d%s", rng.IntN(keys+2)-1, []string{"", "x"}[rng.IntN(2)])
		}
		span := func() (lo, hi []byte) {
			if lo, hi = bound(), bound(); rng.IntN(3) == 0 {
				hi = lo
			}
			if bytes.Compare(lo, hi) > 0 {
				lo, hi = hi, lo
			}
			return lo, hi
		}
		edges, err := badgerstore.CheckEdges(path)
		check(t, err)
		hits := 0
		for range 100 {
			lo, hi := span()
			part, err := badgerstore.CheckPart(path, lo, hi)
			check(t, err)
			if len(part.Blocks) > 0 && !part.Has(lo, hi) {
				t.Errorf("%d blocks: a check of [%s, %s] is not taken for one", len(first), lo, hi)
			}
			for range 30 {
				lo2, hi2 := span()
				needs, err := badgerstore.CheckPart(path, lo2, hi2)
				check(t, err)
				for _, claim := range []badgerstore.Claim{part, edges} {
					if !claim.Has(lo2, hi2) {
						continue
					}
					hits++
					if !subset(needs.Blocks, claim.Blocks) {
						t.Fatalf("keys [%s, %s] are in blocks %v, and are taken to be sound with %v checked", lo2, hi2, needs.Blocks, claim.Blocks)
					}
				}
			}
		}
		t.Logf("%d keys in %d blocks: %d hits", keys, len(first), hits)
		if hits == 0 {
			t.Errorf("a table of %d keys: nothing is known to be sound", keys)
		}
	}
}

// A part of a table that was checked is not checked again, which after a few
// times would be the whole table.
func TestCheckedOnce(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 30_000)
	s := open(t, dir, &badgerstore.Options{ReadOnly: true}) // so that nothing checks them in the background
	check(t, view(s, func(tx store.Tx) error {
		for range 50 {
			for _, i := range []int{0, 15_000, 29_999} {
				if _, err := tx.Get(benchKey(i)); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	if n := badgerstore.Peeks(s); n < 1 || n > 3 {
		t.Errorf("a table had parts checked %d times for gets of 3 keys", n)
	}
}

// writeTable writes a table of keys, each with several versions, and returns
// its path.
func writeTable(t *testing.T, keys int) string {
	t.Helper()
	opts := table.Options{BlockSize: 1 << 10, BloomFalsePositive: 0.01, TableSize: 1 << 20, Compression: options.Snappy}
	b := table.NewTableBuilder(opts)
	defer b.Close()
	for i := range keys {
		for version := uint64(5); version > 0; version-- {
			b.Add(y.KeyWithTs(fmt.Appendf(nil, "key%04d", i), version), y.ValueStruct{Value: make([]byte, 20)}, 0)
		}
	}
	path := t.TempDir() + "/000001.sst"
	tb, err := table.CreateTable(path, b)
	check(t, err)
	check(t, tb.Close(-1))
	return path
}

// subset says whether all of a are in b.
func subset(a, b []int) bool {
	return !slices.ContainsFunc(a, func(x int) bool { return !slices.Contains(b, x) })
}
