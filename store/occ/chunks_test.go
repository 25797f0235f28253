package occ

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/btree"

	"github.com/kivisdb/kivis/store"
)

// TestChunks moves cursors over a tree and over a slice at random, also to keys
// outside the range and after the end, and compares with a plain list.
func TestChunks(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	tree := btree.NewG(treeDegree, Less)
	var entries []Entry
	for i := range 1000 {
		e := NewEntry(fmt.Appendf(nil, "%04d", 2*i), nil)
		entries = append(entries, e)
		tree.ReplaceOrInsert(e)
	}
	key := func() []byte { return fmt.Appendf(nil, "%04d", rnd.IntN(2100)) }
	for round := range 300 {
		r := store.Range{Lo: key(), Hi: key(), Reverse: rnd.IntN(2) == 0}
		if rnd.IntN(3) == 0 {
			r.Lo, r.Hi = nil, nil
		}
		filled, borrowed := new(chunks), new(chunks)
		filled.init(frozen{tree}, r)
		borrowed.borrow(entries, r)
		for name, c := range map[string]*chunks{"tree": filled, "slice": borrowed} {
			left := inOrder(within(entries, r), r.Reverse)
			for move := range 12 {
				var to []byte
				ok := false
				if rnd.IntN(2) == 0 {
					ok = c.Next()
				} else {
					to = key()
					ok = c.Seek(to)
					left = ahead(left, to, r.Reverse)
				}
				if ok != (len(left) > 0) || ok && string(c.Key()) != left[0] {
					t.Fatalf("round %d, %s, range %s to %s, reverse %v, move %d to %q: %v %q, want the first of %.3q",
						round, name, r.Lo, r.Hi, r.Reverse, move, to, ok, c.Key(), left)
				}
				left = left[min(1, len(left)):]
			}
			c.Close()
			if c.Next() || c.Seek([]byte("0000")) || c.Key() != nil {
				t.Fatal("a closed cursor moves")
			}
		}
	}
}

// inOrder returns the keys of sorted entries, in a scan's direction.
func inOrder(entries []Entry, reverse bool) []string {
	keys := make([]string, len(entries))
	for i, e := range entries {
		if reverse {
			i = len(entries) - 1 - i
		}
		keys[i] = string(e.Key())
	}
	return keys
}

// ahead returns what is left of keys from to on.
func ahead(keys []string, to []byte, reverse bool) []string {
	for len(keys) > 0 && before([]byte(keys[0]), to, reverse) {
		keys = keys[1:]
	}
	return keys
}
