package occ_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

var background = context.Background()

func begin(t testing.TB, s store.Store, write bool) store.Tx {
	t.Helper()
	tx, err := s.Begin(background, write)
	if err != nil {
		t.Fatalf("Begin: %v", err)
	}
	return tx
}

// put writes key in a transaction that has read it, and commits.
func put(t testing.TB, s store.Store, key string) error {
	t.Helper()
	tx := begin(t, s, true)
	tx.Get([]byte(key))
	tx.Set([]byte(key), []byte("v"))
	_, err := tx.Commit()
	return err
}

func TestGroups(t *testing.T) {
	s := newSimple(occ.Options{})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 100 {
				if err := put(t, s, fmt.Sprint(g, i)); err != nil {
					t.Errorf("Commit: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if s.groups == 0 {
		t.Error("no commits were grouped, so the tests of groups test nothing")
	}
	if n, err := store.Count(begin(t, s, false), store.Range{}); n != 800 || err != nil {
		t.Errorf("%d entries, error %v; want 800", n, err)
	}
}

func TestOldest(t *testing.T) {
	s := newSimple(occ.Options{})
	want := func(oldest uint64, live int) {
		t.Helper()
		if got := s.core.Oldest(); got != oldest {
			t.Errorf("Oldest() = %d, want %d", got, oldest)
		}
		if got := s.core.Live(); got != live {
			t.Errorf("Live() = %d, want %d", got, live)
		}
	}
	want(7, 0)
	reader := begin(t, s, false)
	put(t, s, "a")
	writer := begin(t, s, true)
	put(t, s, "b")
	want(7, 2)
	reader.Discard()
	want(8, 1)
	late := begin(t, s, false)
	want(8, 2)
	writer.Discard()
	want(9, 1)
	put(t, s, "c")
	want(9, 1)
	late.Commit()
	want(10, 0)
}

// TestOldestSkipsEndedContexts has a transaction that only read sit at the end
// of its context: nobody told it.
func TestOldestSkipsEndedContexts(t *testing.T) {
	s := newSimple(occ.Options{})
	for _, write := range []bool{false, true} {
		ctx, cancel := context.WithCancel(background)
		tx, err := s.Begin(ctx, write)
		if err != nil {
			t.Fatal(err)
		}
		tx.Get([]byte("a"))
		put(t, s, "b")
		cancel()
		if got, want := s.core.Oldest(), s.core.Version(); got != want {
			t.Errorf("write %v: Oldest() = %d, want the newest, %d", write, got, want)
		}
		if n := s.core.Live(); n != 0 {
			t.Errorf("write %v: %d transactions are live, want none", write, n)
		}
	}
}

// TestPublishSweepsWriters has a writer sit at the end of its context: as long
// as it is live, all commits are remembered for it.
func TestPublishSweepsWriters(t *testing.T) {
	s := newSimple(occ.Options{})
	s.keep = true
	ctx, cancel := context.WithCancel(background)
	if _, err := s.Begin(ctx, true); err != nil {
		t.Fatal(err)
	}
	put(t, s, "a")
	if n := s.core.Live(); n != 1 {
		t.Fatalf("%d transactions are live, want 1", n)
	}
	cancel()
	put(t, s, "b")
	if n := s.core.Live(); n != 0 {
		t.Errorf("%d transactions are live after a commit, want none", n)
	}
}

// TestCloseWaitsForCommits closes while a commit is with the engine.
func TestCloseWaitsForCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSimple(occ.Options{})
		engine := make(chan struct{})
		s.fail = func() error { <-engine; return nil }
		committed, closed := false, false
		go func() {
			if err := put(t, s, "a"); err != nil {
				t.Errorf("a commit in progress while the store is closed: %v", err)
			}
			committed = true
		}()
		time.Sleep(time.Second) // the commit is with the engine
		go func() {
			s.Close()
			closed = true
		}()
		synctest.Wait()
		if closed {
			t.Error("Close returned while a commit was with the engine")
		}
		close(engine)
		time.Sleep(time.Second)
		synctest.Wait()
		if !closed || !committed {
			t.Errorf("afterwards: closed %v, committed %v", closed, committed)
		}
	})
}

// TestScanWatchesContext checks that the end of the context alone frees a
// scan.
func TestScanWatchesContext(t *testing.T) {
	s := newSimple(occ.Options{})
	ctx, cancel := context.WithCancel(background)
	tx, err := s.Begin(ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Scan(store.Range{}); err != nil {
		t.Fatal(err)
	}
	cancel()
	for s.core.Live() > 0 { // hangs if nothing watches
	}
}

func TestAbort(t *testing.T) {
	s := newSimple(occ.Options{})
	broken := errors.New("broken")
	put(t, s, "a")
	old := begin(t, s, true)
	old.Get([]byte("a"))
	put(t, s, "a")

	s.fail = func() error { return broken }
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			if err := put(t, s, fmt.Sprint("g", g)); !errors.Is(err, broken) {
				t.Errorf("Commit: %v, want the engine's error", err)
			}
		})
	}
	wg.Wait()
	s.fail = nil

	old.Set([]byte("b"), nil)
	if _, err := old.Commit(); !errors.Is(err, store.ErrConflict) {
		t.Errorf("Commit of a transaction that must conflict: %v", err)
	}
	for g := range 4 {
		if err := put(t, s, fmt.Sprint("g", g)); err != nil {
			t.Errorf("trying again: %v", err)
		}
	}
	if n, err := store.Count(begin(t, s, false), store.Range{}); n != 5 || err != nil {
		t.Errorf("%d entries, error %v; want 5", n, err)
	}
}

func TestFail(t *testing.T) {
	s := newSimple(occ.Options{})
	put(t, s, "a")
	reader := begin(t, s, false)
	cursor, err := reader.Scan(store.Range{})
	if err != nil || !cursor.Next() {
		t.Fatalf("Scan: %v", err)
	}
	unknown := fmt.Errorf("%w: the disk is gone", store.ErrCommitUnknown)
	s.fail = func() error { s.core.Fail(unknown); return unknown }
	if err := put(t, s, "b"); !errors.Is(err, store.ErrCommitUnknown) {
		t.Errorf("Commit: %v, want ErrCommitUnknown", err)
	}
	if _, err := s.Begin(background, false); !errors.Is(err, store.ErrCommitUnknown) {
		t.Errorf("Begin afterwards: %v, want ErrCommitUnknown", err)
	}
	if _, err := reader.Get([]byte("a")); !errors.Is(err, store.ErrCommitUnknown) {
		t.Errorf("Get afterwards: %v, want ErrCommitUnknown", err)
	}
	if cursor.Next() || !errors.Is(cursor.Err(), store.ErrCommitUnknown) {
		t.Errorf("a cursor afterwards: %v, want ErrCommitUnknown", cursor.Err())
	}
	if !s.core.Close() || s.core.Close() {
		t.Error("Close does not say whether it is the first")
	}
	if _, err := s.Begin(background, false); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Begin after Close: %v, want ErrClosed", err)
	}
}

// TestPanic checks that a store whose engine panicked can still be closed.
func TestPanic(t *testing.T) {
	s := newSimple(occ.Options{})
	s.fail = func() error { panic("the engine") }
	func() {
		defer func() { recover() }()
		put(t, s, "a")
	}()
	s.core.Close()
}

func TestReadOnlyStore(t *testing.T) {
	s := newSimple(occ.Options{ReadOnly: true})
	if _, err := s.Begin(background, true); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Begin of a write transaction: %v, want ErrReadOnly", err)
	}
	begin(t, s, false).Discard()
	s.core.Close()
	if _, err := s.Begin(background, true); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Begin of a write transaction after Close: %v, want ErrClosed", err)
	}
}

func TestMaxKey(t *testing.T) {
	s := newSimple(occ.Options{MaxKey: 3})
	tx := begin(t, s, true)
	for _, write := range []func(key []byte) error{tx.Delete, func(key []byte) error { return tx.Set(key, nil) }} {
		if err := write([]byte("long")); err == nil {
			t.Error("a key over the limit: no error")
		}
		if err := write([]byte("key")); err != nil {
			t.Errorf("a key at the limit: %v", err)
		}
	}
	if _, err := tx.Commit(); err != nil {
		t.Errorf("Commit: %v", err)
	}
}

func TestWrites(t *testing.T) {
	s := newSimple(occ.Options{})
	tx := begin(t, s, true).(*occ.Tx)
	tx.Set([]byte("b"), []byte("1"))
	tx.Delete([]byte("a"))
	got := ""
	tx.Writes(func(key, value []byte, deleted bool) { got += fmt.Sprintf("%s=%s,%v ", key, value, deleted) })
	if want := "a=,true b=1,false "; got != want {
		t.Errorf("Writes: %q, want %q", got, want)
	}
}
