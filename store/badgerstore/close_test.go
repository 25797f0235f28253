package badgerstore_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// A store whose directory has gone takes no commit, and Close ends in an error.
func TestGone(t *testing.T) {
	for _, test := range []struct {
		name string
		away func(t *testing.T, base, dir string)
		left string // where the store is then, in base
	}{
		{"removed", func(t *testing.T, base, dir string) { check(t, os.RemoveAll(dir)) }, ""},
		{"renamed", func(t *testing.T, base, dir string) { check(t, os.Rename(dir, dir+"2")) }, "parent/store2"},
		{"parent renamed", func(t *testing.T, base, dir string) {
			check(t, os.Rename(filepath.Dir(dir), filepath.Join(base, "other")))
		}, "other/store"},
		{"replaced by an empty directory", func(t *testing.T, base, dir string) {
			check(t, os.Rename(dir, dir+"2"))
			check(t, os.Mkdir(dir, 0o700))
		}, "parent/store2"},
		{"replaced by another store", func(t *testing.T, base, dir string) {
			check(t, os.Rename(dir, dir+"2"))
			check(t, update(open(t, dir, nil), func(tx store.Tx) error { return tx.Set(benchtest.Key(7), nil) }))
		}, "parent/store2"},
	} {
		for _, noSync := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, NoSync %t", test.name, noSync), func(t *testing.T) {
				t.Parallel()
				base := t.TempDir()
				dir := filepath.Join(base, "parent", "store")
				s := open(t, dir, &badgerstore.Options{NoSync: noSync})
				check(t, update(s, func(tx store.Tx) error { return tx.Set(benchtest.Key(1), nil) }))
				test.away(t, base, dir)
				before, _ := os.ReadDir(dir)
				time.Sleep(2 * time.Millisecond) // without syncs not each commit looks
				err := update(s, func(tx store.Tx) error { return tx.Set(benchtest.Key(2), nil) })
				if !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("Commit = %v, want ErrNotExist", err)
				}
				if n := countAll(t, s); n != 1 {
					t.Errorf("%d keys are read, want 1", n)
				}
				if err := closeWithin(t, s); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), dir) {
					t.Errorf("Close = %v, want ErrNotExist and the directory", err)
				}
				if after, _ := os.ReadDir(dir); fmt.Sprint(after) != fmt.Sprint(before) {
					t.Errorf("what has the path now has %v; before Close %v", after, before)
				}
				if test.left == "" {
					return
				}
				s = open(t, copyLive(t, filepath.Join(base, test.left)), nil)
				if n := countAll(t, s); n != 1 {
					t.Errorf("opened elsewhere, %d keys, want 1", n)
				}
			})
		}
	}
}

// closeWithin closes a store that must not take for ever.
func closeWithin(t *testing.T, s store.Store) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.Close() }()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		t.Fatal("Close does not end")
		return nil
	}
}

// blockTables makes the engine fail to make tables, until unblock.
func blockTables(t *testing.T, dir string) (unblock func()) {
	t.Helper()
	var made []string
	for id := 1; id < 200; id++ {
		path := filepath.Join(dir, fmt.Sprintf("%06d.sst", id))
		if os.Mkdir(path, 0o700) == nil {
			made = append(made, path)
		}
	}
	return func() {
		for _, path := range made {
			check(t, os.Remove(path))
		}
	}
}

// Where the last memtable cannot be flushed, Close gives up, and loses nothing.
func TestCloseUnflushed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, noTidy)
	check(t, update(s, setOld))
	unblock := blockTables(t, dir)
	if err := closeWithin(t, s); err == nil {
		t.Error("Close has no error, though the memtable cannot be flushed")
	}
	check(t, s.Close()) // a second one
	unblock()
	bigState(t, open(t, dir, nil), bigOld)
}

// Nor does Close wait for a commit that waits for a memtable to be flushed.
func TestCloseBesideStuckCommit(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, &badgerstore.Options{NoTidy: true, NoSync: true, Memory: 16 << 20})
	unblock := blockTables(t, dir)
	done := make(chan int, 1)
	written := make(chan struct{}, 1000)
	go func() {
		for i := 0; ; i++ {
			if update(s, func(tx store.Tx) error { return tx.Set(benchtest.Key(i), bigValue(1, 100_000)) }) != nil {
				done <- i
				return
			}
			written <- struct{}{}
		}
	}()
	for stuck := false; !stuck; {
		select {
		case <-written:
		case <-time.After(time.Second):
			stuck = true
		}
	}
	if err := closeWithin(t, s); err == nil {
		t.Error("Close has no error, though memtables cannot be flushed")
	}
	n := <-done
	unblock()
	if got := countAll(t, open(t, copyLive(t, dir), nil)); got < n || got > n+1 {
		t.Errorf("%d commits were acknowledged, %d are there", n, got)
	}
}
