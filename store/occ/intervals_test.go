package occ

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kivisdb/kivis/store"
)

// depth checks a subtree's order and what its nodes know, and returns its depth.
func depth(t *testing.T, n *interval) int {
	if n == nil {
		return 0
	}
	far := n.hi
	for _, child := range []*interval{n.left, n.right} {
		if child == nil {
			continue
		}
		if child.prio > n.prio || (child == n.left) != child.precedes(n) {
			t.Fatal("a node is out of place")
		}
		if far.data != nil {
			far = further(far, child.far)
		}
	}
	if (far.data == nil) != (n.far.data == nil) || !equal(far, n.far) {
		t.Fatalf("a node takes %q for the furthest end, which is %q", n.far.data, far.data)
	}
	return 1 + max(depth(t, n.left), depth(t, n.right))
}

// TestIntervals compares random ranges that come and go with a list of them.
func TestIntervals(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	var set intervals
	var list []*interval
	keys := probes()
	for round := range 2000 {
		lo, hi := randomKey(rnd), randomKey(rnd)
		if rnd.IntN(10) == 0 {
			hi = nil
		}
		list = append(list, set.add(lo, hi, nil))
		if len(list) > 60 || rnd.IntN(3) == 0 {
			i := rnd.IntN(len(list))
			set.remove(list[i])
			set.remove(list[i]) // which does nothing
			list = slices.Delete(list, i, i+1)
		}
		key := Pivot([]byte(keys[rnd.IntN(len(keys))]))
		want := map[*interval]bool{}
		for _, n := range list {
			if !Less(key, n.lo) && under(key, n.hi) {
				want[n] = true
			}
		}
		set.stab(key, func(n *interval) {
			if !want[n] {
				t.Fatalf("round %d: [%q, %q) is found once too often for %q", round, n.lo.data, n.hi.data, key.data)
			}
			delete(want, n)
		})
		if len(want) > 0 {
			t.Fatalf("round %d: %d ranges that hold %q are not found", round, len(want), key.data)
		}
		depth(t, set.root)
	}
}

// TestIntervalsAreShallow adds ranges in order, which a tree without balance
// would make a list of.
func TestIntervalsAreShallow(t *testing.T) {
	var set intervals
	for i := range 10_000 {
		set.add(fmt.Appendf(nil, "%05d", i), fmt.Appendf(nil, "%05d", i+1), nil)
	}
	if d := depth(t, set.root); d > 50 {
		t.Errorf("10,000 ranges make a tree of depth %d", d)
	}
}

// TestWatchesAreFreed stops watches, marked ones too: nothing of them may stay.
func TestWatchesAreFreed(t *testing.T) {
	var ws watches
	var live []*watch
	for i := range 300 {
		var ranges []store.Range
		for k := range 100 {
			key := fmt.Appendf(nil, "%d/%d", i%7, k)
			ranges = append(ranges, store.Range{Lo: key, Hi: append(key[:len(key):len(key)], byte(k%2))})
		}
		live = append(live, ws.add(ranges, 1))
	}
	for i := range 7 {
		for k := range 10 {
			ws.hit(2, Pivot(fmt.Appendf(nil, "%d/%d", i, k)))
		}
	}
	for _, w := range live {
		if !w.marked {
			t.Fatal("a watch is not marked")
		}
		ws.remove(w)
		ws.remove(w)
	}
	if ws.n.Load() != 0 || len(ws.points) != 0 || len(ws.all) != 0 || ws.ranges.root != nil {
		t.Errorf("%d watches, %d keys, %d of all are left; ranges: %v", ws.n.Load(), len(ws.points), len(ws.all), ws.ranges.root != nil)
	}
}

// TestRecentBounded notes more than is remembered.
func TestRecentBounded(t *testing.T) {
	var r recent
	r.init(7)
	r.bound(0, 100<<10)
	version := uint64(7)
	for i := range 5000 {
		version++
		var o Overlay
		for k := range 1 + i%5 {
			o.Set(fmt.Appendf(nil, "key %d of %d", k, i), []byte("a value, which is not remembered"))
		}
		if !r.add(version, &o) {
			t.Fatal("a small transaction is too much")
		}
		r.newest = version
		r.trim(0)
		if r.bytes > 100<<10 {
			t.Fatalf("%d bytes are remembered", r.bytes)
		}
	}
	if n := len(r.blocks); n > 20 {
		t.Errorf("%d blocks are kept", n)
	}
	list, err := r.after(nil, r.floor, version, 1<<20)
	if err != nil || uint64(len(list)) != version-r.floor || len(list) < 400 {
		t.Errorf("after the floor, %d, %d of %d transactions are remembered, error %v", r.floor, len(list), version-7, err)
	}
	if _, err := r.after(nil, r.floor-1, version, 1); err == nil {
		t.Error("what came after a version below the floor is told without an error")
	}
	var huge Overlay
	for i := range 50_000 {
		huge.Set(fmt.Append(nil, i), nil)
	}
	if r.add(version+1, &huge) {
		t.Error("a transaction that is too much is remembered")
	}
}
