package faultstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/faultstore"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/storetest"
)

var errInjected = errors.New("injected")

func TestStore(t *testing.T) {
	storetest.Run(t, func(t testing.TB) store.Store { return faultstore.Wrap(memstore.New(), nil) })
}

// work does each operation once and returns the first error.
func work(s store.Store) (err error) {
	tx, err := s.Begin(context.Background(), true)
	if err != nil {
		return err
	}
	defer tx.Discard()
	key := []byte("a")
	mark := tx.Savepoint()
	for _, call := range []func() error{
		func() error { return tx.Set(key, key) },
		func() error { _, err := tx.Get(key); return err },
		func() error { return tx.GetMany([][]byte{key}, make([][]byte, 1)) },
		func() error { return tx.Delete(key) },
		func() error { return tx.Rollback(mark) },
		func() error { return tx.Guard(key, nil) },
		func() error { return tx.Set(key, []byte("new")) },
		func() error { _, err := store.Count(tx, store.Range{}); return err },
		func() error { return walk(tx) },
	} {
		if err := call(); err != nil {
			return err
		}
	}
	_, err = tx.Commit()
	return err
}

func walk(tx store.Tx) error {
	c, err := tx.Scan(store.Range{})
	if err != nil {
		return err
	}
	defer c.Close()
	for c.Next() {
	}
	c.Seek([]byte("b"))
	return c.Err()
}

// value returns what a key of s holds.
func value(t *testing.T, s store.Store, key string) string {
	t.Helper()
	tx, err := s.Begin(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	v, err := tx.Get([]byte(key))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return string(v)
}

// TestSweep fails each operation once: the error must come back, and nothing
// be committed, except after Committed.
func TestSweep(t *testing.T) {
	var tally faultstore.Tally
	if err := work(faultstore.Wrap(memstore.New(), tally.Inject)); err != nil {
		t.Fatalf("without a failure: %v", err)
	}
	unknown := 0
	n := faultstore.Sweep(errInjected, func(n int, inject faultstore.Inject) {
		inner := memstore.New()
		s := faultstore.Wrap(inner, inject)
		err := work(s)
		want := ""
		switch {
		case n > tally.Count():
			want = "new"
			if err != nil {
				t.Errorf("without a failure: %v", err)
			}
		case errors.Is(err, store.ErrCommitUnknown):
			want = "new"
			unknown++
			fallthrough
		default:
			if !errors.Is(err, errInjected) {
				t.Errorf("operation %d: error %v, want the one injected", n, err)
			}
		}
		if got := value(t, inner, "a"); got != want {
			t.Errorf("operation %d failed, and the store holds %q, want %q", n, got, want)
		}
	})
	if n != tally.Count() || n < 12 || unknown != 1 {
		t.Errorf("%d operations were failed, %d of them Committed; want %d and 1", n, unknown, tally.Count())
	}
}

// TestUsable checks that after a failed call a transaction goes on.
func TestUsable(t *testing.T) {
	for kind := faultstore.Get; kind < faultstore.Commit; kind++ {
		s := faultstore.Wrap(memstore.New(), faultstore.Nth(1, errInjected, kind))
		if err := work(s); !errors.Is(err, errInjected) {
			t.Errorf("%v: error %v, want the one injected", kind, err)
		}
		if err := work(s); err != nil {
			t.Errorf("%v: the second time: %v", kind, err)
		}
	}
}

func TestTooLarge(t *testing.T) {
	tooLarge := fmt.Errorf("%w: over 3 writes", store.ErrTxTooLarge)
	s := faultstore.Wrap(memstore.New(), faultstore.Nth(3, tooLarge, faultstore.Set))
	tx, err := s.Begin(context.Background(), true)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		err := tx.Set([]byte{byte(i)}, nil)
		if got, want := errors.Is(err, store.ErrTxTooLarge), i >= 2; got != want {
			t.Errorf("write %d: %v", i+1, err)
		}
	}
	if _, err := tx.Commit(); !errors.Is(err, store.ErrTxTooLarge) {
		t.Errorf("Commit: %v, want ErrTxTooLarge", err)
	}
	if _, err := tx.Commit(); !errors.Is(err, store.ErrTxDone) {
		t.Errorf("second Commit: %v, want ErrTxDone", err)
	}
}

func TestCommitUnknown(t *testing.T) {
	s := faultstore.Wrap(memstore.New(), faultstore.Nth(1, errInjected, faultstore.Committed))
	other, err := s.Begin(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := work(s); !errors.Is(err, store.ErrCommitUnknown) || !errors.Is(err, errInjected) {
		t.Errorf("Commit: %v, want ErrCommitUnknown and its cause", err)
	}
	if err := work(s); !errors.Is(err, store.ErrCommitUnknown) {
		t.Errorf("Begin afterwards: %v, want ErrCommitUnknown", err)
	}
	if _, err := other.Get(nil); !errors.Is(err, store.ErrCommitUnknown) {
		t.Errorf("Get afterwards: %v, want ErrCommitUnknown", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestClose(t *testing.T) {
	inner := memstore.New()
	s := faultstore.Wrap(inner, faultstore.Always(errInjected, faultstore.Close))
	if err := s.Close(); !errors.Is(err, errInjected) {
		t.Errorf("Close: %v, want the error injected", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := inner.Begin(context.Background(), false); !errors.Is(err, store.ErrClosed) {
		t.Errorf("the wrapped store after a Close that failed: %v, want ErrClosed", err)
	}
}

func TestLease(t *testing.T) {
	for _, kind := range []faultstore.Kind{faultstore.Lease, faultstore.Begin, faultstore.Set, faultstore.Commit} {
		s := faultstore.Wrap(memstore.New(), faultstore.Nth(1, errInjected, kind))
		set := func([]byte) ([]byte, error) { return []byte("leased"), nil }
		if err := store.Lease(context.Background(), s, []byte("k"), set); !errors.Is(err, errInjected) {
			t.Errorf("%v: error %v, want the one injected", kind, err)
		}
		if err := store.Lease(context.Background(), s, []byte("k"), set); err != nil || value(t, s, "k") != "leased" {
			t.Errorf("%v: the second time: %v, value %q", kind, err, value(t, s, "k"))
		}
	}
}

func TestVerify(t *testing.T) {
	s := faultstore.Wrap(memstore.New(), faultstore.Nth(1, errInjected, faultstore.Verify))
	if err := store.Verify(context.Background(), s); !errors.Is(err, errInjected) {
		t.Errorf("Verify: %v, want the error injected", err)
	}
	if err := store.Verify(context.Background(), s); err != nil {
		t.Errorf("second Verify: %v", err)
	}
}
