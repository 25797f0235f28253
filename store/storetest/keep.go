package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
)

var keepTests = []test{
	{"Bounds", testKeepBounds, 0},
	{"Size", testKeepSize, 0},
	{"Age", testKeepAge, 0},
	{"Boundary", testKeepBoundary, 0},
	{"Middle", testKeepMiddle, 0},
	{"TooLarge", testKeepTooLarge, 0},
	{"OffAndOn", testKeepOffAndOn, 0},
	{"Reopen", testKeepReopen, reopen},
	{"ReopenOff", testKeepReopenOff, reopen},
}

// kept returns an empty store that keeps its feed within bounds.
func kept(t testing.TB, h *harness, bounds store.Feed) (store.Store, store.Feeder, uint64) {
	t.Helper()
	s := h.new(t)
	if _, ok := s.(store.FeedKeeper); !ok {
		t.Skip("not a store.FeedKeeper")
	}
	f := keepFeed(t, s, &bounds)
	return s, f, head(t, f)
}

// boundary returns the version of the gap after version, or that itself if
// there is none.
func boundary(t testing.TB, f store.Feeder, version uint64) uint64 {
	t.Helper()
	_, err := changes(f, version)
	var gap *store.GapError
	switch {
	case err == nil:
		return version
	case !errors.As(err, &gap) || !errors.Is(err, store.ErrGap):
		t.Fatalf("Changes after %d: %v, want a GapError", version, err)
	case gap.Boundary <= version:
		t.Fatalf("Changes after %d has a gap up to %d", version, gap.Boundary)
	}
	return gap.Boundary
}

func testKeepBounds(t *testing.T, h *harness) {
	s, _, _ := kept(t, h, store.Feed{})
	for _, bad := range []store.Feed{{Keep: -1}, {MaxBytes: -1}} {
		if err := s.(store.FeedKeeper).KeepFeed(context.Background(), &bad); err == nil {
			t.Errorf("KeepFeed(%+v): no error", bad)
		}
	}
}

// testKeepSize commits more than is kept: the oldest goes, and what is after the
// boundary is all there.
func testKeepSize(t *testing.T, h *harness) {
	s, f, first := kept(t, h, store.Feed{MaxBytes: 8 << 10})
	var want []recorded
	last := first
	for i := range 2000 {
		want = append(want, logged(t, s, fmt.Sprintf("key%05d=1", i), fmt.Sprintf("key%05d", i/2)))
		if i%97 > 0 {
			continue
		}
		b := boundary(t, f, first)
		if b < last {
			t.Fatalf("the boundary goes from %d to %d", last, b)
		}
		last = b
		for len(want) > 0 && want[0].version <= b {
			want = want[1:]
		}
		wantChanges(t, f, b, want...)
		if len(want) > 500 {
			t.Fatalf("%d commits are kept within 8 KiB", len(want))
		}
	}
	if len(want) < 20 {
		t.Errorf("only %d commits are kept within 8 KiB", len(want))
	}
}

func testKeepAge(t *testing.T, h *harness) {
	s, f, first := kept(t, h, store.Feed{Keep: 100 * time.Millisecond})
	old := fill(t, s, "a=1")
	time.Sleep(150 * time.Millisecond)
	var want recorded
	for i := range 200 { // what is old may go by and by
		want = logged(t, s, fmt.Sprint("b=", i))
	}
	if b := boundary(t, f, first); b < old {
		t.Errorf("a commit is told that is older than it is to become: the boundary is %d", b)
	}
	wantChanges(t, f, want.version-1, want)
}

// testKeepBoundary asks for each version of a history while its boundary moves:
// the answer is a gap, or all that came after it, deletions at the boundary
// included.
func testKeepBoundary(t *testing.T, h *harness) {
	s, f, first := kept(t, h, store.Feed{MaxBytes: 2 << 10})
	var all []recorded
	for i := range 150 {
		all = append(all, logged(t, s, fmt.Sprint("key", i)))
		if i%10 > 0 {
			continue
		}
		rest := all
		for after := first; after <= head(t, f); after++ {
			for len(rest) > 0 && rest[0].version <= after {
				rest = rest[1:]
			}
			got, err := changes(f, after)
			if errors.Is(err, store.ErrGap) && len(got) == 0 {
				continue
			}
			if err != nil || !sameCommits(got, rest) {
				t.Fatalf("changes after %d are %v, error %v; want %v", after, got, err, rest)
			}
		}
	}
	if boundary(t, f, first) == first {
		t.Error("the boundary has not moved, which tests nothing")
	}
}

// testKeepMiddle has the boundary pass a reader by: it is told all, or all up to
// a gap.
func testKeepMiddle(t *testing.T, h *harness) {
	s, f, first := kept(t, h, store.Feed{MaxBytes: 64 << 10})
	var want []recorded
	for i := range 500 {
		want = append(want, logged(t, s, fmt.Sprintf("key%05d=1", i)))
	}
	first = boundary(t, f, first)
	for want[0].version <= first {
		want = want[1:]
	}
	n := 0
	err := f.Changes(context.Background(), first, func(c store.Commit) bool {
		if n == len(want) || !sameCommits([]recorded{recordedOf(c)}, want[n:n+1]) {
			t.Fatalf("commit %d of the history is told as %v", n, recordedOf(c))
		}
		if n++; n == 3 {
			for i := range 5000 {
				fill(t, s, fmt.Sprintf("later%05d=1", i))
			}
		}
		return true
	})
	switch {
	case err == nil && n < len(want):
		t.Errorf("told of %d commits of %d, without an error", n, len(want))
	case err != nil && !errors.Is(err, store.ErrGap):
		t.Errorf("Changes: %v, want all or ErrGap", err)
	}
	if boundary(t, f, want[2].version) == want[2].version {
		t.Error("the boundary has not passed the reader by, which tests nothing")
	}
}

// testKeepTooLarge has one commit that is more than is kept.
func testKeepTooLarge(t *testing.T, h *harness) {
	s, f, first := kept(t, h, store.Feed{MaxBytes: 4 << 10})
	fill(t, s, "a=1")
	big := fill(t, s, numbered(5000)...)
	if b := boundary(t, f, first); b < big {
		t.Errorf("the boundary is %d after commit %d, which is more than is kept", b, big)
	}
	want := logged(t, s, "b=1")
	wantChanges(t, f, big, want)
}

func testKeepOffAndOn(t *testing.T, h *harness) {
	s, f, first := kept(t, h, store.Feed{})
	var all []recorded
	for i := range 300 {
		all = append(all, logged(t, s, fmt.Sprintf("k%03d=1", i)))
	}
	keepFeed(t, s, nil)
	all = append(all, logged(t, s, "off=1"))
	keepFeed(t, s, &store.Feed{})
	on := head(t, f)
	all = append(all, logged(t, s, "on=1"))
	wantChanges(t, f, on, all[301])
	for i, after := range []uint64{first, all[0].version, all[1].version} {
		if got, err := changes(f, after); !errors.Is(err, store.ErrGap) && (err != nil || !sameCommits(got, all[i:])) {
			t.Errorf("changes after %d, before the feed was off: %d commits, error %v; want ErrGap or all", after, len(got), err)
		}
	}
	tx := begin(t, s, false)
	if n, err := store.Count(tx, store.Range{}); n != 302 || err != nil {
		t.Errorf("the store has %d keys, error %v; want 302", n, err)
	}
}

// testKeepReopen has the feed outlive the store, without being asked for again.
func testKeepReopen(t *testing.T, h *harness) {
	var first uint64
	var want []recorded
	later := func(s store.Store) {
		f := s.(store.Feeder)
		wantChanges(t, f, first, want...)
		for _, pairs := range [][]string{{"c=1", "a"}, {"d"}} {
			want = append(want, logged(t, s, pairs...))
		}
		wantChanges(t, f, first, want...)
		for i, r := range want {
			wantChanges(t, f, r.version, want[i+1:]...)
		}
	}
	h.generations(t, func(s store.Store) {
		if _, ok := s.(store.FeedKeeper); !ok {
			t.Skip("not a store.FeedKeeper")
		}
		first = head(t, keepFeed(t, s, &store.Feed{}))
		for _, pairs := range [][]string{{"a=1", "b=1"}, {"b"}} {
			want = append(want, logged(t, s, pairs...))
		}
	}, later, later, func(s store.Store) {
		wantChanges(t, s.(store.Feeder), first, want...)
		keepFeed(t, s, &store.Feed{MaxBytes: 1 << 10}) // other bounds leave what there is
		last := want[len(want)-1]
		wantChanges(t, s.(store.Feeder), last.version-1, last)
	})
}

// testKeepReopenOff commits while nothing is kept: what comes later must not be
// taken for all.
func testKeepReopenOff(t *testing.T, h *harness) {
	var first, off uint64
	h.generations(t,
		func(s store.Store) {
			if _, ok := s.(store.FeedKeeper); !ok {
				t.Skip("not a store.FeedKeeper")
			}
			first = head(t, keepFeed(t, s, &store.Feed{}))
			fill(t, s, "a=1")
			keepFeed(t, s, nil)
		},
		func(s store.Store) { off = fill(t, s, "b=1") },
		func(s store.Store) {
			f := keepFeed(t, s, &store.Feed{})
			on := head(t, f)
			want := logged(t, s, "c=1")
			if b := boundary(t, f, first); b < off {
				t.Errorf("the boundary is %d, and commit %d was not kept", b, off)
			}
			wantChanges(t, f, on, want)
		},
	)
}
