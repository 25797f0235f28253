package storetest

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/kivisdb/kivis/store"
)

var savepointTests = []test{
	{"Rollback", testRollback, 0},
	{"Release", testRelease, 0},
	{"Nested", testSavepointNested, 0},
	{"Again", testRollbackAgain, 0},
	{"Forgotten", testSavepointForgotten, 0},
	{"OpenCursor", testRollbackOpenCursor, 0},
	{"ReadsCount", testRollbackReadsCount, writers},
	{"Random", testSavepointRandom, 0},
}

func rollback(t testing.TB, tx store.Tx, mark store.Savepoint) {
	t.Helper()
	if err := tx.Rollback(mark); err != nil {
		t.Fatalf("Rollback(%d): %v", mark, err)
	}
}

func testRollback(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "b=2", "c=3")
	tx := begin(t, s, true)
	write(t, tx, "a=own", "d=own")
	mark := tx.Savepoint()
	write(t, tx, "a=no", "a", "b", "d=no", "e=no", "e=no2", "x")
	rollback(t, tx, mark)
	wantScan(t, tx, store.Range{}, "a=own", "b=2", "c=3", "d=own")
	wantGet(t, tx, "e", absent)
	write(t, tx, "f=after")
	commit(t, tx)
	wantStore(t, s, "a=own", "b=2", "c=3", "d=own", "f=after")
}

func testRelease(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	tx := begin(t, s, true)
	mark := tx.Savepoint()
	write(t, tx, "a=2", "b=3")
	tx.Release(mark)
	commit(t, tx)
	wantStore(t, s, "a=2", "b=3")
}

func testSavepointNested(t *testing.T, h *harness) {
	tx := begin(t, h.filled(t, "a=1"), true)
	outer := tx.Savepoint()
	write(t, tx, "a=2")
	inner := tx.Savepoint()
	write(t, tx, "a=3", "b=3")
	rollback(t, tx, inner)
	wantScan(t, tx, store.Range{}, "a=2")
	write(t, tx, "c=4")
	released := tx.Savepoint()
	write(t, tx, "d=5")
	tx.Release(released)
	wantScan(t, tx, store.Range{}, "a=2", "c=4", "d=5")
	rollback(t, tx, outer)
	wantScan(t, tx, store.Range{}, "a=1")
	tx.Release(outer)
	write(t, tx, "e=6")
	wantScan(t, tx, store.Range{}, "a=1", "e=6")
}

func testRollbackAgain(t *testing.T, h *harness) {
	tx := begin(t, h.filled(t, "a=1"), true)
	mark := tx.Savepoint()
	for i := range 3 {
		write(t, tx, fmt.Sprint("a=", i), fmt.Sprint("b=", i))
		rollback(t, tx, mark)
		wantScan(t, tx, store.Range{}, "a=1")
	}
}

// testSavepointForgotten rolls back to marks that are no longer good.
func testSavepointForgotten(t *testing.T, h *harness) {
	tx := begin(t, h.filled(t, "a=1"), true)
	outer := tx.Savepoint()
	inner := tx.Savepoint()
	write(t, tx, "a=2")
	rollback(t, tx, outer)
	write(t, tx, "a=3")
	if err := tx.Rollback(inner); err == nil {
		t.Error("Rollback to a mark set after one that was rolled back to: no error")
	}
	tx.Release(inner)
	tx.Release(outer)
	if err := tx.Rollback(outer); err == nil {
		t.Error("Rollback to a released mark: no error")
	}
	wantScan(t, tx, store.Range{}, "a=3")
}

func testRollbackOpenCursor(t *testing.T, h *harness) {
	tx := begin(t, h.filled(t, "a=1"), true)
	mark := tx.Savepoint()
	write(t, tx, "b=2", "c=3")
	c := open(t, tx, store.Range{})
	c.Next()
	rollback(t, tx, mark)
	if got := rest(t, c); !slices.Equal(got, []string{"b=2", "c=3"}) {
		t.Errorf("a cursor opened before Rollback shows %q", got)
	}
	wantScan(t, tx, store.Range{}, "a=1")
}

func testRollbackReadsCount(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "b=2")
	for _, read := range []func(tx store.Tx){
		func(tx store.Tx) { get(t, tx, "a") },
		func(tx store.Tx) { tx.Guard([]byte("a"), []byte("b")) },
	} {
		tx := begin(t, s, true)
		mark := tx.Savepoint()
		read(tx)
		rollback(t, tx, mark)
		write(t, tx, "c=3")
		fill(t, s, "a=2")
		conflict(t, tx)
	}
}

// testSavepointRandom compares random writes, marks and rollbacks with copies
// of a map.
func testSavepointRandom(t *testing.T, h *harness) {
	rnd, seed := random(t)
	s := h.filled(t, numbered(100)...)
	state := map[string]string{}
	for _, pair := range numbered(100) {
		state[keyOf(pair)] = pair[7:]
	}
	type level struct {
		mark  store.Savepoint
		state map[string]string
	}
	var levels []level
	tx := begin(t, s, true)
	for step := range 3000 {
		key := fmt.Sprintf("%06d", rnd.IntN(200))
		switch n := rnd.IntN(40); {
		case n == 0 && len(levels) < 6:
			levels = append(levels, level{tx.Savepoint(), maps.Clone(state)})
		case n == 1 && len(levels) > 0:
			i := rnd.IntN(len(levels))
			rollback(t, tx, levels[i].mark)
			state, levels = maps.Clone(levels[i].state), levels[:i+1]
		case n == 2 && len(levels) > 0:
			i := rnd.IntN(len(levels))
			tx.Release(levels[i].mark)
			levels = levels[:i]
		case n < 12:
			write(t, tx, key)
			delete(state, key)
		default:
			state[key] = fmt.Sprint("s", step)
			write(t, tx, key+"="+state[key])
		}
		if step%100 == 99 && !slices.Equal(scan(t, tx, store.Range{}), pairsOf(state)) {
			t.Fatalf("seed %d: after step %d the transaction differs from the model", seed, step)
		}
	}
	commit(t, tx)
	wantStore(t, s, pairsOf(state)...)
}

// pairsOf returns what m holds as sorted pairs.
func pairsOf(m map[string]string) []string {
	pairs := make([]string, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, key+"="+m[key])
	}
	return pairs
}
