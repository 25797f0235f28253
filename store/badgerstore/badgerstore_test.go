package badgerstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/storetest"
)

var ctx = context.Background()

// open opens the store in dir, and closes it in the end if the test has not.
func open(t testing.TB, dir string, opts *badgerstore.Options) *badgerstore.Store {
	t.Helper()
	s, err := badgerstore.Open(dir, opts)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	for _, test := range []struct {
		name string
		opts badgerstore.Options
	}{
		// The memory is that of nothing but the test: a store takes a while to make it ready.
		{"durable", badgerstore.Options{Memory: testform.Of[int64](16<<20, 16<<20, 0)}},
		{"nosync", badgerstore.Options{NoSync: true, Memory: 16 << 20}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.opts.NoSync {
				testform.Long(t, "as durable, but for the syncs")
			}
			t.Parallel() // the disk takes longer than the processor
			limited := test.opts
			limited.MaxTx = 1 << 20
			storetest.Run(t,
				func(t testing.TB) store.Store { return open(t, t.TempDir(), &test.opts) },
				storetest.Reopen(func(t testing.TB, dir string) store.Store { return open(t, dir, &test.opts) }),
				storetest.Limited(func(t testing.TB) store.Store { return open(t, t.TempDir(), &limited) }))
		})
	}
}

func cancelled() (context.Context, context.CancelFunc) {
	c, cancel := context.WithCancel(ctx)
	cancel()
	return c, cancel
}

// within waits for something that takes at most d.
func within(t *testing.T, d time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s", d, what)
		}
	}
}
