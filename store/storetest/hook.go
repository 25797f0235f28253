package storetest

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/kivisdb/kivis/store"
)

var hookTests = []test{
	{"Changes", testHookChanges, 0},
	{"NotCommitted", testHookNotCommitted, writers},
	{"BeforeOthersSee", testHookBeforeOthersSee, 0},
	{"Remove", testHookRemove, 0},
	{"Concurrent", testHookConcurrent, writers},
}

// hooked returns an empty store whose commits are recorded.
func hooked(t *testing.T, h *harness) (store.Store, *recorder) {
	t.Helper()
	s := h.new(t)
	hooker, ok := s.(store.CommitHooker)
	if !ok {
		t.Skip("not a store.CommitHooker")
	}
	r := new(recorder)
	r.remove = hooker.OnCommit(r.hook)
	return s, r
}

// recorder keeps what a hook is told.
type recorder struct {
	remove func()

	mu      sync.Mutex
	commits []recorded
}

type recorded struct {
	version uint64
	changes []string // "key=value", or "key" for a deletion
}

func (r *recorder) hook(version uint64, changes []store.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := recorded{version: version}
	for _, change := range changes {
		pair := string(change.Key)
		if change.Value != nil {
			pair += "=" + string(change.Value)
		}
		c.changes = append(c.changes, pair)
	}
	slices.Sort(c.changes)
	r.commits = append(r.commits, c)
}

// take returns what was recorded, and forgets it.
func (r *recorder) take() []recorded {
	r.mu.Lock()
	defer r.mu.Unlock()
	commits := r.commits
	r.commits = nil
	return commits
}

func testHookChanges(t *testing.T, h *harness) {
	s, r := hooked(t, h)
	steps := []struct {
		writes, want []string
	}{
		{[]string{"b=1", "a="}, []string{"a=", "b=1"}},
		{[]string{"a=1", "a=2", "b", "c=3", "c"}, []string{"a=2", "b", "c"}},
		{[]string{"absent"}, []string{"absent"}},
	}
	for _, step := range steps {
		version := fill(t, s, step.writes...)
		got := r.take()
		if len(got) != 1 || got[0].version != version || !slices.Equal(got[0].changes, step.want) {
			t.Errorf("the hook was told %v after commit %d of %q; want %q once", got, version, step.writes, step.want)
		}
	}
}

func testHookNotCommitted(t *testing.T, h *harness) {
	s, r := hooked(t, h)
	tx := begin(t, s, true)
	write(t, tx, "a=1")
	tx.Discard()
	commit(t, begin(t, s, true))
	commit(t, begin(t, s, false))
	tx = begin(t, s, true)
	mark := tx.Savepoint()
	write(t, tx, "a=1")
	rollback(t, tx, mark)
	write(t, tx, "b=1")
	get(t, tx, "c")
	fill(t, s, "c=1")
	r.take()
	conflict(t, tx)
	if got := r.take(); len(got) != 0 {
		t.Errorf("the hook was told %v, but nothing was committed", got)
	}
}

// testHookBeforeOthersSee looks for a version in new transactions that the hook
// has not been told yet.
func testHookBeforeOthersSee(t *testing.T, h *harness) {
	s, r := hooked(t, h)
	first := fill(t, s, "n=0")
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() { checkToldFirst(t, s, r, first, stop) })
	for i := range 200 {
		fill(t, s, fmt.Sprint("n=", i))
	}
	close(stop)
	wg.Wait()
}

func checkToldFirst(t *testing.T, s store.Store, r *recorder, told uint64, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		tx := begin(t, s, false)
		version := tx.Version()
		tx.Discard()
		for _, c := range r.take() {
			told = c.version
		}
		if version > told {
			t.Errorf("a transaction sees version %d, the hook has been told up to %d", version, told)
			return
		}
	}
}

func testHookRemove(t *testing.T, h *harness) {
	s, r := hooked(t, h)
	other := new(recorder)
	defer s.(store.CommitHooker).OnCommit(other.hook)()
	fill(t, s, "a=1")
	r.remove()
	fill(t, s, "a=2")
	if got := r.take(); len(got) != 1 {
		t.Errorf("a hook that was removed after the first commit was told %v", got)
	}
	if got := other.take(); len(got) != 2 {
		t.Errorf("the hook that stayed was told %v, want two commits", got)
	}
}

// testHookConcurrent replays what the hook was told and compares with a
// snapshot at some of the versions and with the end.
func testHookConcurrent(t *testing.T, h *harness) {
	s, r := hooked(t, h)
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 50 {
				increment(t, s, fmt.Sprint("k", (g+i)%4))
			}
		})
	}
	snapshots := map[uint64][]string{}
	for range 20 {
		tx := begin(t, s, false)
		snapshots[tx.Version()] = scan(t, tx, store.Range{})
		tx.Discard()
	}
	wg.Wait()
	end := begin(t, s, false)
	snapshots[end.Version()] = scan(t, end, store.Range{})
	replay(t, r.take(), snapshots)
}

// replay applies commits in order and checks the state at each snapshot.
func replay(t *testing.T, commits []recorded, snapshots map[uint64][]string) {
	state := map[string]string{}
	last := uint64(0)
	for _, c := range commits {
		if c.version <= last {
			t.Errorf("the hook was told version %d after %d", c.version, last)
		}
		last = c.version
		for _, pair := range c.changes {
			key := keyOf(pair)
			state[key] = pair[len(key)+1:]
		}
		want, ok := snapshots[c.version]
		if got := pairsOf(maps.Clone(state)); ok && !slices.Equal(got, want) {
			t.Errorf("at version %d the changes lead to %q, a snapshot shows %q", c.version, got, want)
		}
		delete(snapshots, c.version)
	}
	for version, pairs := range snapshots {
		if len(pairs) > 0 {
			t.Errorf("the hook was not told of version %d, which shows %q", version, pairs)
		}
	}
}
