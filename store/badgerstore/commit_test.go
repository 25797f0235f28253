package badgerstore_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// Tidying up would write in between.
var noTidy = &badgerstore.Options{NoTidy: true}

// Those that come while a commit is under way share the next one, and so its
// sync.
func TestGroupCommit(t *testing.T) {
	s := open(t, t.TempDir(), noTidy)
	first, others := make(chan struct{}), make(chan struct{})
	var writes atomic.Int32
	badgerstore.OnWrite(s, func(do func() error) error {
		if writes.Add(1) == 1 {
			close(first)
			<-others
		}
		return do()
	})
	const n = 9
	versions := make([]uint64, n)
	var wg sync.WaitGroup
	commit := func(i int) {
		wg.Go(func() {
			tx, err := s.Begin(ctx, true)
			check(t, err)
			check(t, tx.Set(benchtest.Key(i), nil))
			versions[i], err = tx.Commit()
			check(t, err)
		})
	}
	commit(0)
	<-first
	for i := 1; i < n; i++ {
		commit(i)
	}
	within(t, limit, "the others to queue", func() bool { return badgerstore.Waiting(s) == n-1 })
	close(others)
	wg.Wait()
	if got := writes.Load(); got != 2 {
		t.Errorf("%d commits took %d writes, want 2", n, got)
	}
	for i, v := range versions {
		if want := uint64(min(i, 1) + 1); v != want {
			t.Errorf("commit %d has version %d, want %d", i, v, want)
		}
	}
}

// Of a group, the transactions that conflict with earlier members fail, alone.
func TestGroupConflict(t *testing.T) {
	s := open(t, t.TempDir(), noTidy)
	first, others := make(chan struct{}), make(chan struct{})
	var writes atomic.Int32
	badgerstore.OnWrite(s, func(do func() error) error {
		if writes.Add(1) == 1 {
			close(first)
			<-others
		}
		return do()
	})
	go update(s, func(tx store.Tx) error { return tx.Set([]byte("other"), nil) })
	<-first
	var conflicts, commits atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			err := update(s, func(tx store.Tx) error {
				if _, err := tx.Get([]byte("counter")); !errors.Is(err, store.ErrNotFound) {
					return err
				}
				return tx.Set([]byte("counter"), []byte("1"))
			})
			switch {
			case err == nil:
				commits.Add(1)
			case errors.Is(err, store.ErrConflict):
				conflicts.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	within(t, limit, "the others to queue", func() bool { return badgerstore.Waiting(s) == 8 })
	close(others)
	wg.Wait()
	if commits.Load() != 1 || conflicts.Load() != 7 {
		t.Errorf("%d committed, %d conflicted; want 1 and 7", commits.Load(), conflicts.Load())
	}
}

// The number of syncs is that of versions: one for each write.
func TestGroupCommitSharesSyncs(t *testing.T) {
	s := open(t, t.TempDir(), noTidy)
	var writes atomic.Int32
	badgerstore.OnWrite(s, func(do func() error) error {
		writes.Add(1)
		return do()
	})
	const n = 400
	benchtest.Parallel(8, 0, n, func(i int) {
		check(t, update(s, func(tx store.Tx) error { return tx.Set(benchtest.Key(i), benchtest.Value(i)) }))
	})
	if writes.Load() > n {
		t.Errorf("%d writes for %d commits", writes.Load(), n)
	}
	t.Logf("8 writers: %d commits in %d syncs", n, writes.Load())
}

// The log that the store syncs is the one that holds the commit, also where a
// commit begins a new one. Should another version of Badger write its log
// elsewhere, this is what notices.
func TestSyncedLog(t *testing.T) {
	s := open(t, t.TempDir(), &badgerstore.Options{Memory: 16 << 20, NoTidy: true})
	if badgerstore.CurrentLog(s) == "" {
		t.Skip("Badger syncs")
	}
	logs := make(map[string]bool)
	for i := range 110 {
		value := bigValue(uint64(i), 60<<10)
		check(t, update(s, func(tx store.Tx) error { return tx.Set(benchtest.Key(i), value) }))
		path := badgerstore.CurrentLog(s)
		data, err := os.ReadFile(path)
		check(t, err)
		if !bytes.Contains(data, value) {
			t.Fatalf("commit %d is not in %s", i, path)
		}
		logs[path] = true
	}
	if len(logs) < 3 {
		t.Errorf("there were only %d logs", len(logs))
	}
}

var errDisk = errors.New("the disk is gone")

// After a commit that failed in Badger the store refuses everything, and shows
// the transaction whole or not at all when it is opened again.
func TestCommitUnknown(t *testing.T) {
	const n = 8000
	opts := &badgerstore.Options{Memory: 16 << 20, NoTidy: true} // parts of 3,276 entries
	parts := 0                                                   // that it has, with the one ahead of them
	s := open(t, t.TempDir(), opts)
	badgerstore.OnWrite(s, func(do func() error) error {
		parts++
		return do()
	})
	check(t, update(s, func(tx store.Tx) error { return setBig(tx, n) }))
	if parts < 4 {
		t.Fatalf("%d parts are too few", parts)
	}
	for _, test := range []struct {
		name    string
		fail    func(write int, do func() error) error
		unknown bool
		after   bool // whether the transaction is there in the end
	}{
		{"before the first part", func(write int, do func() error) error {
			return badger.ErrBlockedWrites
		}, false, false},
		{"in the first part", func(write int, do func() error) error { return errDisk }, true, false},
		{"after the first part", func(write int, do func() error) error {
			if write > 2 {
				return badger.ErrBlockedWrites
			}
			return do()
		}, true, false},
		{"after the part ahead of them", func(write int, do func() error) error {
			if write > 1 {
				return badger.ErrBlockedWrites
			}
			return do()
		}, true, false},
		{"in the second part", func(write int, do func() error) error {
			if write > 2 {
				return errDisk
			}
			return do()
		}, true, false},
		{"after the last part", func(write int, do func() error) error {
			if err := do(); write < parts {
				return err
			}
			return errDisk
		}, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, opts)
			check(t, update(s, setOld))
			reader, err := s.Begin(ctx, false)
			check(t, err)
			writes := 0
			badgerstore.OnWrite(s, func(do func() error) error {
				writes++
				return test.fail(writes, do)
			})
			err = update(s, func(tx store.Tx) error { return setBig(tx, n) })
			if err == nil || errors.Is(err, store.ErrCommitUnknown) != test.unknown {
				t.Fatalf("Commit = %v, want ErrCommitUnknown: %t", err, test.unknown)
			}
			t.Log(err)
			badgerstore.OnWrite(s, func(do func() error) error { return do() })
			if test.unknown {
				refuses(t, s, reader)
			} else {
				bigState(t, s, n)
				check(t, update(s, setOld))
			}
			check(t, s.Close())
			s = open(t, dir, nil)
			if got := bigState(t, s, n); got != test.after {
				t.Errorf("opened again, the transaction is there: %t", got)
			}
			check(t, update(s, func(tx store.Tx) error { return setBig(tx, n) }))
			bigState(t, s, n)
		})
	}
}

func refuses(t *testing.T, s *badgerstore.Store, tx store.Tx) {
	t.Helper()
	refused := func(call string, err error) {
		t.Helper()
		if !errors.Is(err, store.ErrCommitUnknown) {
			t.Errorf("%s = %v, want ErrCommitUnknown", call, err)
		}
	}
	_, err := tx.Get(bigKey(0))
	refused("Get", err)
	_, err = tx.Scan(store.Range{})
	refused("Scan", err)
	_, err = s.Begin(ctx, false)
	refused("Begin", err)
	refused("Verify", s.Verify(ctx))
}

func TestTxTooLarge(t *testing.T) {
	s := open(t, t.TempDir(), &badgerstore.Options{MaxTx: 1 << 20})
	tx, err := s.Begin(ctx, true)
	check(t, err)
	defer tx.Discard()
	for i := 0; err == nil; i++ {
		if err = tx.Set(benchtest.Key(i), benchtest.Value(i)); i > 1<<20/300 {
			t.Fatal("no error at the limit")
		}
	}
	if !errors.Is(err, store.ErrTxTooLarge) || !strings.Contains(err.Error(), "Options.MaxTx, 1048576 bytes") {
		t.Errorf("Set = %v, want ErrTxTooLarge and the limit", err)
	}
	if _, err := tx.Commit(); !errors.Is(err, store.ErrTxTooLarge) {
		t.Errorf("Commit = %v, want ErrTxTooLarge", err)
	}
	if n := countAll(t, s); n != 0 {
		t.Errorf("%d keys", n)
	}
}

func TestLongKeys(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	longest := bytes.Repeat([]byte{0xFF}, 64_999)
	check(t, update(s, func(tx store.Tx) error {
		if err := tx.Set(append(longest, 1), nil); err == nil {
			t.Error("a key of 65000 bytes is taken")
		}
		return tx.Set(longest, []byte("value"))
	}))
	check(t, view(s, func(tx store.Tx) error {
		value, err := tx.Get(longest)
		if string(value) != "value" {
			t.Errorf("Get = %q", value)
		}
		return err
	}))
}

func TestDiskFull(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	check(t, update(s, setOld))
	badgerstore.Free(s, func() uint64 { return 1 << 20 })
	err := update(s, func(tx store.Tx) error { return setBig(tx, bigOld) })
	if !errors.Is(err, syscall.ENOSPC) || errors.Is(err, store.ErrCommitUnknown) {
		t.Errorf("Commit = %v, want ENOSPC", err)
	}
	t.Log(err)
	if bigState(t, s, bigOld) {
		t.Error("a refused commit is there")
	}
	badgerstore.Free(s, func() uint64 { return 1 << 40 })
	check(t, update(s, func(tx store.Tx) error { return setBig(tx, bigOld) }))
	bigState(t, s, bigOld)
}
