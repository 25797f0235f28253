package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
)

var leaseTests = []test{
	{"Lease", testLease, 0},
	{"BesideWriter", testLeaseBesideWriter, 0},
	{"UpdateFails", testLeaseUpdateFails, 0},
}

// leasePatience is when a lease that waits for its own caller is given up: a
// test that hangs says less than one that fails.
const leasePatience = 30 * time.Second

func lease(s store.Store, key string, update func(old []byte) ([]byte, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), leasePatience)
	defer cancel()
	return store.Lease(ctx, s, []byte(key), update)
}

// appendOne is an update: one byte more.
func appendOne(old []byte) ([]byte, error) { return append(old[:len(old):len(old)], 'x'), nil }

func testLease(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	for range 3 {
		if err := lease(s, "mark", appendOne); err != nil {
			t.Fatalf("Lease: %v", err)
		}
	}
	wantStore(t, s, "a=1", "mark=xxx")
}

// testLeaseBesideWriter leases for a transaction that is writing, in its
// goroutine, as an insert with a drawn id does.
func testLeaseBesideWriter(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	tx := begin(t, s, true)
	defer tx.Discard()
	write(t, tx, "b=2")
	if err := lease(s, "mark", appendOne); err != nil {
		t.Fatalf("Lease beside a writer: %v: a store with one writer at a time must be a store.Leaser", err)
	}
	commit(t, tx)
	wantStore(t, s, "a=1", "b=2", "mark=x")
}

func testLeaseUpdateFails(t *testing.T, h *harness) {
	s := h.filled(t, "mark=x")
	fails := errors.New("no")
	if err := lease(s, "mark", func([]byte) ([]byte, error) { return nil, fails }); !errors.Is(err, fails) {
		t.Errorf("Lease = %v, want the update's error", err)
	}
	wantStore(t, s, "mark=x")
}
