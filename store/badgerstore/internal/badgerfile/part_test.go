package badgerfile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
)

// claim is what a check of a table says about it, with the blocks it has read.
type claim struct {
	blocks   []int
	verified []KeyRange
}

// has says whether the check is taken to be one of [lo, hi] too.
func (c claim) has(lo, hi []byte) bool {
	return slices.ContainsFunc(c.verified, func(x KeyRange) bool { return x.Has(lo, hi) })
}

func checkPart(t Table, lo, hi []byte) (c claim, err error) {
	var r TableReader
	if c.verified, err = r.Part(t, lo, hi); err != nil {
		return c, err
	}
	err = r.check(t, func(i, _ int, index *fb.TableIndex) bool {
		if mayHold(index, i, lo, hi) {
			c.blocks = append(c.blocks, i)
		}
		return false
	})
	return c, err
}

func checkEdges(t Table) (c claim, err error) {
	var r TableReader
	if c.verified, _, err = r.Edges(t); err != nil {
		return c, err
	}
	err = r.check(t, func(i, n int, _ *fb.TableIndex) bool {
		if i == 0 || i == n-1 {
			c.blocks = append(c.blocks, i)
		}
		return false
	})
	return c, err
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What a check of some keys makes known as sound is in blocks that it has read,
// and the keys themselves are.
func TestCheckedParts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for _, keys := range []int{1, 8, 30, 1000} {
		table := writeTable(t, keys)
		var r TableReader
		first, err := r.FirstKeys(table)
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
		edges, err := checkEdges(table)
		check(t, err)
		hits := 0
		for range 100 {
			lo, hi := span()
			part, err := checkPart(table, lo, hi)
			check(t, err)
			if len(part.blocks) > 0 && !part.has(lo, hi) {
				t.Errorf("%d blocks: a check of [%s, %s] is not taken for one", len(first), lo, hi)
			}
			for range 30 {
				lo2, hi2 := span()
				needs, err := checkPart(table, lo2, hi2)
				check(t, err)
				for _, c := range []claim{part, edges} {
					if !c.has(lo2, hi2) {
						continue
					}
					hits++
					if !subset(needs.blocks, c.blocks) {
						t.Fatalf("keys [%s, %s] are in blocks %v, and are taken to be sound with %v checked", lo2, hi2, needs.blocks, c.blocks)
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

// writeTable writes a table of keys, each with several versions, and returns
// it.
func writeTable(t *testing.T, keys int) Table {
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
	return Table{Path: path, Compression: options.Snappy}
}

// subset says whether all of a are in b.
func subset(a, b []int) bool {
	return !slices.ContainsFunc(a, func(x int) bool { return !slices.Contains(b, x) })
}
