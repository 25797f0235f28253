package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
)

var feedTests = []test{
	{"Head", testFeedHead, 0},
	{"Commits", testFeedCommits, 0},
	{"NotCommitted", testFeedNotCommitted, writers},
	{"Created", testFeedCreated, 0},
	{"Resume", testFeedResume, 0},
	{"Large", testFeedLarge, 0},
	{"Kept", testFeedKept, 0},
	{"Times", testFeedTimes, 0},
	{"Sees", testFeedSees, 0},
	{"Stop", testFeedStop, 0},
	{"Hooks", testFeedHooks, writers},
	{"Follow", testFeedFollow, writers},
	{"Wait", testFeedWait, 0},
	{"WaitEnds", testFeedWaitEnds, 0},
	{"Closed", testFeedClosed, 0},
}

// fed returns an empty store that keeps its feed, and its version.
func fed(t testing.TB, h *harness) (store.Store, store.Feeder, uint64) {
	t.Helper()
	s := h.new(t)
	f := keepFeed(t, s, &store.Feed{})
	return s, f, head(t, f)
}

// keepFeed has s keep its feed within bounds.
func keepFeed(t testing.TB, s store.Store, bounds *store.Feed) store.Feeder {
	t.Helper()
	f, ok := s.(store.Feeder)
	if !ok {
		t.Skip("not a store.Feeder")
	}
	if k, ok := s.(store.FeedKeeper); ok {
		if err := k.KeepFeed(context.Background(), bounds); err != nil {
			t.Fatalf("KeepFeed: %v", err)
		}
	}
	return f
}

func head(t testing.TB, f store.Feeder) uint64 {
	t.Helper()
	version, err := f.Head(context.Background())
	if err != nil {
		t.Fatalf("Head: %v", err)
	}
	return version
}

// changes returns what was committed after a version: each as recorded, keys
// that were set ending in =.
func changes(f store.Feeder, after uint64) ([]recorded, error) {
	var got []recorded
	err := f.Changes(context.Background(), after, func(c store.Commit) bool {
		got = append(got, recordedOf(c))
		return true
	})
	return got, err
}

func recordedOf(c store.Commit) recorded {
	r := recorded{version: c.Version}
	for _, w := range c.Writes {
		key := string(w.Key)
		if !w.Deleted {
			key += "="
		}
		r.changes = append(r.changes, key)
	}
	return r
}

func sameCommits(a, b []recorded) bool {
	return slices.EqualFunc(a, b, func(a, b recorded) bool { return a.version == b.version && slices.Equal(a.changes, b.changes) })
}

// wantChanges checks what was committed after a version.
func wantChanges(t testing.TB, f store.Feeder, after uint64, want ...recorded) {
	t.Helper()
	got, err := changes(f, after)
	if err != nil || !sameCommits(got, want) {
		t.Errorf("changes after %d are %.20v, error %v; want %.20v", after, got, err, want)
	}
}

// logged commits pairs and returns what the feed is to say of it.
func logged(t testing.TB, s store.Store, pairs ...string) recorded {
	t.Helper()
	r := recorded{version: fill(t, s, pairs...)}
	last := map[string]string{}
	for _, pair := range pairs {
		key := keyOf(pair)
		last[key] = key + pair[len(key):min(len(key)+1, len(pair))]
	}
	for _, change := range last {
		r.changes = append(r.changes, change)
	}
	slices.SortFunc(r.changes, func(a, b string) int { return compareKeys(keyOf(a), keyOf(b)) })
	return r
}

func compareKeys(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func testFeedHead(t *testing.T, h *harness) {
	s, f, first := fed(t, h)
	if got := begin(t, s, false).Version(); got != first {
		t.Errorf("Head = %d, a transaction sees version %d", first, got)
	}
	for range 3 {
		if version := fill(t, s, "a=1"); head(t, f) != version {
			t.Errorf("Head = %d after commit %d", head(t, f), version)
		}
	}
}

func testFeedCommits(t *testing.T, h *harness) {
	s, f, first := fed(t, h)
	wantChanges(t, f, first)
	var want []recorded
	for _, pairs := range [][]string{
		{"b=1", "a="},
		{"a=1", "a=2", "b", "c=3", "c"},
		{"absent"},
		{"=empty"},
		{""},
		{"a", "a=again"},
		{"prefix/1=", "prefix/2", "prefix/22=", "prefix=", "pre", "\x00=", "\xff\xff="},
	} {
		want = append(want, logged(t, s, pairs...))
		wantChanges(t, f, first, want...)
	}
}

func testFeedNotCommitted(t *testing.T, h *harness) {
	s, f, first := fed(t, h)
	tx := begin(t, s, true)
	write(t, tx, "a=1")
	tx.Discard()
	commit(t, begin(t, s, true))
	tx = begin(t, s, true)
	mark := tx.Savepoint()
	write(t, tx, "a=1")
	rollback(t, tx, mark)
	write(t, tx, "b=1")
	get(t, tx, "c")
	want := logged(t, s, "c=1")
	conflict(t, tx)
	wantChanges(t, f, first, want)
}

// testFeedResume goes on from each version of a history.
func testFeedResume(t *testing.T, h *harness) {
	s, f, first := fed(t, h)
	rnd, seed := random(t)
	var want []recorded
	for range 60 {
		var pairs []string
		for range 1 + rnd.IntN(5) {
			pairs = append(pairs, fmt.Sprint("k", rnd.IntN(8), []string{"", "=1"}[rnd.IntN(2)]))
		}
		want = append(want, logged(t, s, pairs...))
	}
	for after := first; after <= head(t, f); after++ {
		i := slices.IndexFunc(want, func(r recorded) bool { return r.version > after })
		rest := want[len(want):]
		if i >= 0 {
			rest = want[i:]
		}
		if got, err := changes(f, after); err != nil || !sameCommits(got, rest) {
			t.Fatalf("seed %d: changes after %d are %v, error %v; want %v", seed, after, got, err, rest)
		}
	}
	_, err := changes(f, head(t, f)+1)
	wantErr(t, "Changes after a version that is not there yet", err, store.ErrGap)
}

// testFeedLarge has commits of many keys, and of long ones, come whole.
func testFeedLarge(t *testing.T, h *harness) {
	s, f, first := fed(t, h)
	long := string(make([]byte, 5000))
	var pairs []string
	for i := range 30_000 {
		pairs = append(pairs, fmt.Sprintf("%06d%s", i, []string{"", "="}[i%3/2]))
	}
	var longs []string
	for i := range 100 {
		longs = append(longs, fmt.Sprintf("%s%03d=", long, i))
	}
	want := []recorded{logged(t, s, "a=1"), logged(t, s, pairs...), logged(t, s, longs...), logged(t, s, "b=1")}
	got, err := changes(f, first)
	if err != nil || !sameCommits(got, want) {
		t.Errorf("changes after commits of 1, %d, %d and 1 keys: %d commits, error %v", len(pairs), len(longs), len(got), err)
	}
}

// testFeedKept keeps what it was told, while more is committed.
func testFeedKept(t *testing.T, h *harness) {
	s, f, first := fed(t, h)
	want := []recorded{logged(t, s, "a=1", "bb"), logged(t, s, "a", "ccc=1")}
	var kept []store.Commit
	if err := f.Changes(context.Background(), first, func(c store.Commit) bool { kept = append(kept, c); return true }); err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		fill(t, s, fmt.Sprint("x", i, "=1"))
		if i%100 == 0 {
			changes(f, first)
		}
	}
	var got []recorded
	for _, c := range kept {
		got = append(got, recordedOf(c))
	}
	if !sameCommits(got, want) {
		t.Errorf("commits that were kept have become %v, want %v", got, want)
	}
}

func testFeedTimes(t *testing.T, h *harness) {
	before := time.Now().Add(-time.Millisecond)
	s, f, first := fed(t, h)
	for range 20 {
		fill(t, s, "a=1")
	}
	after := time.Now().Add(time.Millisecond)
	last := before
	err := f.Changes(context.Background(), first, func(c store.Commit) bool {
		if c.Time.Before(last) || c.Time.After(after) {
			t.Errorf("commit %d is of %v, after one of %v, and of %v at the latest", c.Version, c.Time, last, after)
		}
		last = c.Time
		return true
	})
	if err != nil {
		t.Error(err)
	}
}

// testFeedSees begins transactions while it is told of commits: they must see
// them.
func testFeedSees(t *testing.T, h *harness) {
	s, f, after := fed(t, h)
	const last = 100
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for i := range last {
			fill(t, s, fmt.Sprintf("k%03d=%d", i, i))
		}
	})
	for n := 0; n < last; {
		err := f.Changes(context.Background(), after, func(c store.Commit) bool {
			tx := begin(t, s, false)
			defer tx.Discard()
			if tx.Version() < c.Version {
				t.Errorf("told of commit %d, but a transaction sees version %d", c.Version, tx.Version())
			}
			wantGet(t, tx, fmt.Sprintf("k%03d", n), fmt.Sprint(n))
			after = c.Version
			n++
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func testFeedStop(t *testing.T, h *harness) {
	s, f, first := fed(t, h)
	for range 5 {
		fill(t, s, "a=1")
	}
	n := 0
	err := f.Changes(context.Background(), first, func(store.Commit) bool { n++; return n < 2 })
	if n != 2 || err != nil {
		t.Errorf("Changes whose yield returns false at the second call: %d calls, error %v", n, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n = 0
	err = f.Changes(ctx, first, func(store.Commit) bool { n++; cancel(); return true })
	if n != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("Changes whose context ends in the first call: %d calls, error %v", n, err)
	}
	_, err = f.Head(ctx)
	wantErr(t, "Head with a context that has ended", err, context.Canceled)
	wantErr(t, "Changes with a context that has ended", f.Changes(ctx, first, nil), context.Canceled)
}

// testFeedHooks compares with what a hook is told, under concurrent commits, and
// checks the order: the hook first.
func testFeedHooks(t *testing.T, h *harness) {
	s, f, first := fed(t, h)
	hooker, ok := s.(store.CommitHooker)
	if !ok {
		t.Skip("not a store.CommitHooker")
	}
	r := new(recorder)
	defer hooker.OnCommit(func(version uint64, changes []store.Change) {
		r.hook(version, changes)
	})()
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 50 {
				increment(t, s, fmt.Sprint("k", (g+i)%4), fmt.Sprint("own", g))
			}
		})
	}
	told := uint64(0)
	for told < first+20 {
		version, err := f.Wait(context.Background(), max(told, first))
		if err != nil {
			t.Fatal(err)
		}
		commits := r.take()
		if len(commits) > 0 {
			told = commits[len(commits)-1].version
		}
		if told < version {
			t.Errorf("Wait says %d, the hook has been told up to %d", version, told)
		}
		r.mu.Lock()
		r.commits = append(commits, r.commits...)
		r.mu.Unlock()
	}
	wg.Wait()
	want := r.take()
	for i := range want {
		for k, pair := range want[i].changes {
			want[i].changes[k] = keyOf(pair) + "="
		}
	}
	if got, err := changes(f, first); err != nil || !sameCommits(got, want) {
		t.Errorf("the feed tells of %d commits, error %v; a hook was told of %d", len(got), err, len(want))
	}
}

// testFeedFollow has readers follow writers, by Wait and Changes, and checks
// that each sees each commit once.
func testFeedFollow(t *testing.T, h *harness) {
	s, f, first := fed(t, h)
	const writers, commits = 4, 100
	var wg sync.WaitGroup
	for g := range writers {
		wg.Go(func() {
			for i := range commits {
				update(t, s, func(tx store.Tx) error { return tx.Set(fmt.Appendf(nil, "%d/%03d", g, i), nil) })
			}
		})
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for range 3 {
		wg.Go(func() {
			var next [writers]int
			for at, n := first, 0; n < writers*commits; {
				if _, err := f.Wait(ctx, at); err != nil {
					t.Errorf("Wait after %d keys of %d: %v", n, writers*commits, err)
					return
				}
				err := f.Changes(ctx, at, func(c store.Commit) bool {
					if c.Version <= at {
						t.Errorf("told of commit %d after %d", c.Version, at)
					}
					at = c.Version
					for _, w := range c.Writes {
						var g, i int
						fmt.Sscanf(string(w.Key), "%d/%d", &g, &i)
						if i != next[g] {
							t.Errorf("told of key %s, want number %d", w.Key, next[g])
						}
						next[g]++
						n++
					}
					return true
				})
				if err != nil {
					t.Errorf("Changes: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func testFeedWait(t *testing.T, h *harness) {
	s, f, _ := fed(t, h)
	version := fill(t, s, "a=1")
	for after := range version {
		if got, err := f.Wait(context.Background(), after); got != version || err != nil {
			t.Fatalf("Wait(%d) = %d, %v; want %d at once", after, got, err, version)
		}
	}
	var waiting sync.WaitGroup
	for range 5 {
		waiting.Go(func() {
			if got, err := f.Wait(context.Background(), version); got <= version || err != nil {
				t.Errorf("Wait(%d) = %d, %v", version, got, err)
			}
		})
	}
	time.Sleep(time.Millisecond)
	fill(t, s, "a=2")
	waiting.Wait()
}

func testFeedWaitEnds(t *testing.T, h *harness) {
	s := h.open(t)
	f, ok := s.(store.Feeder)
	if !ok {
		s.Close()
		t.Skip("not a store.Feeder")
	}
	version := head(t, f)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { _, err := f.Wait(ctx, version); ended <- err }()
	time.Sleep(time.Millisecond)
	cancel()
	wantErr(t, "Wait whose context ends", <-ended, context.Canceled)
	go func() { _, err := f.Wait(context.Background(), version); ended <- err }()
	time.Sleep(time.Millisecond)
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	wantErr(t, "Wait while the store closes", <-ended, store.ErrClosed)
}

func testFeedClosed(t *testing.T, h *harness) {
	s := h.open(t)
	f, ok := s.(store.Feeder)
	if !ok {
		s.Close()
		t.Skip("not a store.Feeder")
	}
	version := head(t, f)
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	_, err := f.Head(context.Background())
	wantErr(t, "Head", err, store.ErrClosed)
	_, err = f.Wait(context.Background(), 0)
	wantErr(t, "Wait", err, store.ErrClosed)
	_, err = changes(f, version)
	wantErr(t, "Changes", err, store.ErrClosed)
	if k, ok := s.(store.FeedKeeper); ok {
		wantErr(t, "KeepFeed", k.KeepFeed(context.Background(), &store.Feed{}), store.ErrClosed)
	}
}
