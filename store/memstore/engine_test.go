package memstore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kivisdb/kivis/store"
)

func begin(t testing.TB, s *Store, write bool) store.Tx {
	t.Helper()
	tx, err := s.Begin(context.Background(), write)
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

// put commits n keys with a value.
func put(t testing.TB, s *Store, n int, value string) {
	t.Helper()
	tx := begin(t, s, true)
	for i := range n {
		if err := tx.Set(fmt.Appendf(nil, "%06d", i), []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func wantValue(t testing.TB, tx store.Tx, want string) {
	t.Helper()
	got, err := tx.Get([]byte("000001"))
	if err != nil || string(got) != want {
		t.Errorf("a transaction reads %q, %v; want %q", got, err, want)
	}
	c, err := tx.Scan(store.Range{Lo: []byte("000001")})
	if err != nil || !c.Next() || string(c.Value()) != want {
		t.Errorf("a transaction scans %q, %v; want %q", c.Value(), err, want)
	}
	c.Close()
}

// wantNewest checks what a new transaction reads, and ends it.
func wantNewest(t testing.TB, s *Store, want string) {
	t.Helper()
	tx := begin(t, s, false)
	defer tx.Discard()
	wantValue(t, tx, want)
}

// TestSnapshotsThroughCommits keeps a transaction of every version, some read
// before the next commit and some not, with commits small and large.
func TestSnapshotsThroughCommits(t *testing.T) {
	s := New()
	sizes := []int{2, hugeCommit + 1, 5, largeCommit + 1, 3, 2 * largeCommit, 2}
	var txs []store.Tx
	for i, n := range sizes {
		put(t, s, n, fmt.Sprint(i))
		for j := range 3 {
			tx := begin(t, s, j == 0)
			if j == 1 {
				wantValue(t, tx, fmt.Sprint(i))
			}
			txs = append(txs, tx)
		}
	}
	for i, tx := range txs {
		wantValue(t, tx, fmt.Sprint(i/3))
		tx.Discard()
	}
}

// TestReadsDuringLargeCommits reads while large and small commits replace the
// tree and write into it: every transaction must see one value throughout.
func TestReadsDuringLargeCommits(t *testing.T) {
	s := New()
	put(t, s, 2000, "start")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { readUntil(t, s, stop) })
	}
	for i := range 40 {
		put(t, s, []int{2000, 2, largeCommit}[i%3], fmt.Sprint(i))
		if i%3 > 0 {
			put(t, s, 2000, fmt.Sprint(i))
		}
	}
	close(stop)
	wg.Wait()
}

func readUntil(t *testing.T, s *Store, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		tx := begin(t, s, false)
		want, err := tx.Get([]byte("000000"))
		if err != nil {
			t.Error(err)
			return
		}
		again, err := tx.Get([]byte("000000"))
		if err != nil || string(again) != string(want) {
			t.Errorf("a transaction reads %q and then %q", want, again)
		}
		wantValue(t, tx, string(want))
		tx.Discard()
	}
}

func TestCountAndGetManyInPieces(t *testing.T) {
	const n = 3*hold + 7
	s := New()
	put(t, s, n, "v")
	tx := begin(t, s, false)
	for _, r := range []store.Range{{}, {Lo: []byte("0")}, {Hi: []byte("1")}} {
		if got, err := store.Count(tx, r); got != n || err != nil {
			t.Errorf("Count(%q, %q) = %d, %v; want %d", r.Lo, r.Hi, got, err, n)
		}
	}
	if got, err := store.Count(tx, store.Range{Lo: []byte("000005"), Hi: fmt.Appendf(nil, "%06d", 2*hold+5)}); got != 2*hold || err != nil {
		t.Errorf("Count of a part = %d, %v; want %d", got, err, 2*hold)
	}
	keys, values := make([][]byte, n), make([][]byte, n)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "%06d", i)
	}
	if err := tx.GetMany(keys, values); err != nil {
		t.Fatal(err)
	}
	for i, value := range values {
		if string(value) != "v" {
			t.Fatalf("value %d is %q", i, value)
		}
	}
}

func TestSize(t *testing.T) {
	s := New()
	size := func() int64 {
		n, err := s.Size()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if got := size(); got != 0 {
		t.Errorf("an empty store has size %d", got)
	}
	for _, n := range []int{10, 2 * largeCommit} {
		put(t, s, n, "0123456789")
		if got, want := size(), int64(n*(16+itemSize)); got != want {
			t.Errorf("%d entries of 16 bytes have size %d, want %d", n, got, want)
		}
	}
	tx := begin(t, s, true)
	for i := range 2 * largeCommit {
		tx.Delete(fmt.Appendf(nil, "%06d", i))
	}
	if _, err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := size(); got != 0 {
		t.Errorf("after deleting everything the size is %d", got)
	}
}

// TestNoGoroutines runs in a bubble, which ends only when every goroutine has,
// and in which time passes only when all are blocked.
func TestNoGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		put(t, s, 100, "v")
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		tx, err := s.Begin(ctx, true)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Scan(store.Range{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if _, err := tx.Get(nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Get after the deadline: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestHookPanics: a hook that panics fails its commit, in the goroutine of
// whoever leads, and nothing else.
func TestHookPanics(t *testing.T) {
	s := New()
	put(t, s, 2, "0")
	remove := s.OnCommit(func(uint64, []store.Change) { panic("hook") })
	tx := begin(t, s, true)
	tx.Set([]byte("000001"), []byte("lost"))
	func() {
		defer func() {
			if r := recover(); r != "hook" {
				t.Errorf("recovered %v, want the hook's panic", r)
			}
		}()
		version, err := tx.Commit()
		t.Errorf("Commit = %d, %v; want a panic", version, err)
	}()
	wantNewest(t, s, "0")
	remove()
	put(t, s, 2, "1")
	wantNewest(t, s, "1")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestGroups has transactions wait for a leader, two of which conflict: the
// others share a version.
func TestGroups(t *testing.T) {
	// What commits in a bubble leave in pools must be good outside of it.
	for range 5 {
		synctest.Test(t, testGroups)
		testGroups(t)
	}
}

func testGroups(t *testing.T) {
	s := New()
	put(t, s, 10, "0")
	q := &s.engine.queue
	q.Committing.Lock()
	type result struct {
		i       int
		version uint64
		err     error
	}
	results := make(chan result)
	for i := range 4 {
		tx := begin(t, s, true)
		if _, err := tx.Get([]byte("000001")); err != nil {
			t.Fatal(err)
		}
		tx.Set(fmt.Appendf(nil, "%06d", []int{5, 1, 6, 7}[i]), []byte("1"))
		waiting := q.Waiting()
		go func() {
			version, err := tx.Commit()
			results <- result{i, version, err}
		}()
		for q.Waiting() == waiting {
			runtime.Gosched()
		}
	}
	q.Committing.Unlock()
	versions := map[uint64]int{}
	for range 4 {
		r := <-results
		if conflicts := r.i > 1; errors.Is(r.err, store.ErrConflict) != conflicts || !conflicts && r.err != nil {
			t.Errorf("transaction %d ends with %v", r.i, r.err)
		} else if !conflicts {
			versions[r.version]++
		}
	}
	if len(versions) != 1 {
		t.Errorf("the versions are %v, want one", versions)
	}
	tx := begin(t, s, false)
	defer tx.Discard()
	for key, want := range map[string]string{"000005": "1", "000001": "1", "000006": "0", "000007": "0"} {
		if got, err := tx.Get([]byte(key)); string(got) != want {
			t.Errorf("Get(%s) = %q, %v; want %q", key, got, err, want)
		}
	}
}
