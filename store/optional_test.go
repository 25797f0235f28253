package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/faultstore"
	"github.com/kivisdb/kivis/store/memstore"
)

var background = context.Background()

// plain hides every optional method of a store and its transactions.
type plain struct{ store.Store }

func (s plain) Begin(ctx context.Context, write bool) (store.Tx, error) {
	tx, err := s.Store.Begin(ctx, write)
	if err != nil {
		return nil, err
	}
	return plainTx{tx}, nil
}

type plainTx struct{ store.Tx }

func begin(t *testing.T, s store.Store) store.Tx {
	t.Helper()
	tx, err := s.Begin(background, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tx.Discard)
	return tx
}

func TestCountFallsBack(t *testing.T) {
	for _, s := range []store.Store{memstore.New(), plain{memstore.New()}} {
		tx := begin(t, s)
		for _, key := range []string{"a", "b", "c", "d"} {
			if err := tx.Set([]byte(key), nil); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range []store.Range{{Lo: []byte("b"), Hi: []byte("d")}, {Lo: []byte("b"), Hi: []byte("d"), Reverse: true}} {
			if n, err := store.Count(tx, r); n != 2 || err != nil {
				t.Errorf("%T: Count = %d, %v; want 2", s, n, err)
			}
		}
		tx.Discard()
		if _, err := store.Count(tx, store.Range{}); !errors.Is(err, store.ErrTxDone) {
			t.Errorf("%T: Count after Discard: %v, want ErrTxDone", s, err)
		}
	}
}

// refusing embeds a store, with its optional methods, and sees to Begin itself.
type refusing struct{ *memstore.Store }

func (refusing) Begin(context.Context, bool) (store.Tx, error) { return nil, store.ErrReadOnly }

// TestGetterOf: a store that embeds a Getter is none.
func TestGetterOf(t *testing.T) {
	s := memstore.New()
	if store.GetterOf(s) == nil {
		t.Error("memstore is no Getter")
	}
	if store.GetterOf(refusing{s}) != nil || store.GetterOf(&refusing{s}) != nil {
		t.Error("a store that embeds memstore is taken for memstore")
	}
	if _, err := store.Get(background, refusing{s}, nil); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Get passes by the Begin of a store: %v", err)
	}
}

func TestVerifyFallsBack(t *testing.T) {
	if err := store.Verify(background, plain{memstore.New()}); err != nil {
		t.Errorf("Verify of a store that cannot: %v", err)
	}
}

// TestLease has goroutines draw blocks of numbers: none may be drawn twice.
func TestLease(t *testing.T) {
	s := memstore.New()
	var mu sync.Mutex
	drawn := map[string]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				next, err := draw(s)
				mu.Lock()
				if err != nil || drawn[next] {
					t.Errorf("drew %q, error %v", next, err)
				}
				drawn[next] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(drawn) != 400 || !drawn["400"] {
		t.Errorf("drew %d numbers, the last of them: %v; want 1 to 400", len(drawn), drawn["400"])
	}
}

// draw increments a counter and returns it.
func draw(s store.Store) (next string, err error) {
	err = store.Lease(background, s, []byte("counter"), func(old []byte) ([]byte, error) {
		n := 0
		if old != nil {
			if _, err := fmt.Sscan(string(old), &n); err != nil {
				return nil, err
			}
		}
		next = fmt.Sprint(n + 1)
		return []byte(next), nil
	})
	return next, err
}

func TestLeaseErrors(t *testing.T) {
	s := memstore.New()
	broken := errors.New("broken")
	refuse := func([]byte) ([]byte, error) { return nil, broken }
	if err := store.Lease(background, s, nil, refuse); !errors.Is(err, broken) {
		t.Errorf("Lease whose update fails: %v, want its error", err)
	}
	ctx, cancel := context.WithCancel(background)
	conflicts := faultstore.Wrap(s, faultstore.Always(store.ErrConflict, faultstore.Commit))
	calls := 0
	err := store.Lease(ctx, plain{conflicts}, nil, func([]byte) ([]byte, error) {
		if calls++; calls == 5 {
			cancel()
		}
		return nil, nil
	})
	if err == nil || calls != 5 {
		t.Errorf("Lease tried %d times and returned %v; want 5, until the context ended", calls, err)
	}
}
