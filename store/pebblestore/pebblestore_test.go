package pebblestore_test

import (
	"context"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pebblestore"
	"github.com/kivisdb/kivis/store/storetest"
)

var ctx = context.Background()

// open opens the store in dir, and closes it in the end if the test has not.
func open(t testing.TB, dir string, opts *pebblestore.Options) *pebblestore.Store {
	t.Helper()
	s, err := pebblestore.Open(dir, opts)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	for _, test := range []struct {
		name string
		opts pebblestore.Options
	}{
		{"durable", pebblestore.Options{}},
		{"nosync", pebblestore.Options{NoSync: true, Memory: 8 << 20}},
	} {
		t.Run(test.name, func(t *testing.T) {
			limited := test.opts
			limited.MaxTx = 1 << 20
			storetest.Run(t,
				func(t testing.TB) store.Store { return open(t, t.TempDir(), &test.opts) },
				storetest.Reopen(func(t testing.TB, dir string) store.Store { return open(t, dir, &test.opts) }),
				storetest.Limited(func(t testing.TB) store.Store { return open(t, t.TempDir(), &limited) }))
		})
	}
}

// TestKill: what was acknowledged survives a kill, and nothing is there in part.
func TestKill(t *testing.T) {
	opts := &pebblestore.Options{Memory: 8 << 20}
	storetest.Kill(t, func(t testing.TB, dir string) store.Store { return open(t, dir, opts) }, 20_000)
}

// TestKillNoSync: the end of the process alone loses nothing without syncs either.
func TestKillNoSync(t *testing.T) {
	opts := &pebblestore.Options{NoSync: true, Memory: 8 << 20}
	storetest.Kill(t, func(t testing.TB, dir string) store.Store { return open(t, dir, opts) }, 2000)
}
