package sqlitestore_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/sqlitestore"
	"github.com/kivisdb/kivis/store/storetest"
)

var ctx = context.Background()

// open opens the store in a file, and closes it in the end if the test has not.
func open(t testing.TB, path string, opts *sqlitestore.Options) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(path, opts)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// fileIn names the file of a store in a directory.
func fileIn(dir string) string { return filepath.Join(dir, "db") }

// verified is a store that verifies itself before it closes: whatever a test has
// done, the file is as it should be.
type verified struct {
	*sqlitestore.Store
	t testing.TB
}

func (v verified) Close() error {
	if v.Begins() {
		if err := v.Verify(ctx); err != nil {
			v.t.Errorf("Verify: %v", err)
		}
	}
	return v.Store.Close()
}

// Begins says whether the store is open.
func (v verified) Begins() bool {
	tx, err := v.Begin(ctx, false)
	if err == nil {
		tx.Discard()
	}
	return err == nil
}

func TestStore(t *testing.T) {
	for _, test := range []struct {
		name   string
		frames int // of the log, before it is written to the file
		opts   sqlitestore.Options
	}{
		{"durable", 2000, sqlitestore.Options{}},
		{"nosync, short log", 8, sqlitestore.Options{NoSync: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Cleanup(sqlitestore.WrapFiles(nil, test.frames))
			limited := test.opts
			limited.MaxTx = 1 << 20
			storetest.Run(t,
				func(t testing.TB) store.Store { return verified{open(t, fileIn(t.TempDir()), &test.opts), t} },
				storetest.Reopen(func(t testing.TB, dir string) store.Store { return verified{open(t, fileIn(dir), &test.opts), t} }),
				storetest.Limited(func(t testing.TB) store.Store { return open(t, fileIn(t.TempDir()), &limited) }))
		})
	}
}

// TestKill: what was acknowledged survives a kill, and nothing is there in part.
func TestKill(t *testing.T) {
	storetest.Kill(t, func(t testing.TB, dir string) store.Store { return open(t, fileIn(dir), nil) }, 3000)
}

// TestKillNoSync: the end of the process alone loses nothing without syncs either.
func TestKillNoSync(t *testing.T) {
	opts := &sqlitestore.Options{NoSync: true}
	storetest.Kill(t, func(t testing.TB, dir string) store.Store { return open(t, fileIn(dir), opts) }, 1000)
}
