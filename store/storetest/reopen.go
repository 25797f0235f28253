package storetest

import (
	"fmt"
	"testing"

	"github.com/kivisdb/kivis/store"
)

var reopenTests = []test{
	{"Data", testReopenData, reopen},
	{"Versions", testReopenVersions, reopen},
	{"Discarded", testReopenDiscarded, reopen},
}

// generations opens the store in one directory again and again, each time
// calling the next of steps.
func (h *harness) generations(t *testing.T, steps ...func(s store.Store)) {
	t.Helper()
	dir := t.TempDir()
	for _, step := range steps {
		s := h.reopen(t, dir)
		step(s)
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
}

func testReopenData(t *testing.T, h *harness) {
	pairs := numbered(2000)
	h.generations(t,
		func(s store.Store) {
			fill(t, s, pairs...)
			fill(t, s, "gone=1", "=empty")
		},
		func(s store.Store) {
			wantStore(t, s, append([]string{"=empty"}, append(pairs[:2000:2000], "gone=1")...)...)
			fill(t, s, "gone", "", "000000=new")
		},
		func(s store.Store) { wantStore(t, s, append([]string{"000000=new"}, pairs[1:]...)...) },
	)
}

// testReopenVersions also deletes everything: an engine may derive its version
// from what it holds.
func testReopenVersions(t *testing.T, h *harness) {
	last := uint64(0)
	check := func(s store.Store) {
		tx := begin(t, s, false)
		defer tx.Discard()
		if got := tx.Version(); got < last {
			t.Errorf("the store opens at version %d, it was at %d", got, last)
		}
	}
	h.generations(t,
		func(s store.Store) {
			for i := range 50 {
				last = fill(t, s, fmt.Sprint("k", i, "=1"))
			}
		},
		func(s store.Store) {
			check(s)
			for i := range 50 {
				got := fill(t, s, fmt.Sprint("k", i))
				if got <= last {
					t.Fatalf("commit is version %d after %d", got, last)
				}
				last = got
			}
			wantStore(t, s)
		},
		check, check,
		func(s store.Store) {
			check(s)
			if got := fill(t, s, "a=1"); got <= last {
				t.Errorf("commit is version %d after %d", got, last)
			}
			wantStore(t, s, "a=1")
		},
	)
}

func testReopenDiscarded(t *testing.T, h *harness) {
	h.generations(t,
		func(s store.Store) {
			fill(t, s, "a=1")
			discarded := begin(t, s, true)
			write(t, discarded, "a=2", "b=2")
			discarded.Discard()
			write(t, begin(t, s, true), "a=3", "b=3") // left open
		},
		func(s store.Store) { wantStore(t, s, "a=1") },
	)
}
