package badgerstore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// fillBig writes n values of 20 KB, which do not compress.
func fillBig(t *testing.T, s store.Store, n int) {
	t.Helper()
	for from := 0; from < n; from += 100 {
		check(t, update(s, func(tx store.Tx) error {
			for i := from; i < min(from+100, n); i++ {
				if err := tx.Set(benchtest.Key(i), bigValue(uint64(i), 20_000)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

// deleteBut deletes all but each step-th.
func deleteBut(t *testing.T, s store.Store, n, step int) {
	t.Helper()
	check(t, update(s, func(tx store.Tx) error {
		for i := range n {
			if i%step == 0 {
				continue
			}
			if err := tx.Delete(benchtest.Key(i)); err != nil {
				return err
			}
		}
		return nil
	}))
}

// tableBytes returns the size of all table files.
func tableBytes(t *testing.T, dir string) (size int64) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	check(t, err)
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			size += info.Size()
		}
	}
	return size
}

// Compact gives back what was deleted, overwritten, or seen by a snapshot that
// has ended, from every level, and leaves the rest.
func TestCompact(t *testing.T) {
	n := testform.Of(500, 800, 2000) // 10 or 40 MB
	opts := &badgerstore.Options{Memory: 16 << 20, NoSync: true, NoTidy: true}
	for _, test := range []struct {
		name string
		do   func(t *testing.T, s *badgerstore.Store)
		left int
	}{
		{"deleted", func(t *testing.T, s *badgerstore.Store) { deleteBut(t, s, n, 20) }, n / 20},
		{"deleted from the last level", func(t *testing.T, s *badgerstore.Store) {
			check(t, s.Compact(ctx))
			deleteBut(t, s, n, 20)
		}, n / 20},
		{"all deleted", func(t *testing.T, s *badgerstore.Store) { deleteBut(t, s, n, n); deleteBut(t, s, 1, 2) }, 1},
		{"overwritten under a snapshot", func(t *testing.T, s *badgerstore.Store) {
			tx, err := s.Begin(ctx, false)
			check(t, err)
			fillBig(t, s, n)
			check(t, s.Compact(ctx))
			if size := tableBytes(t, badgerstore.Dir(s)); size < int64(2*n*20_000) {
				t.Errorf("%d bytes while a snapshot sees %d records twice", size, n)
			}
			tx.Discard()
			fillBig(t, s, 1)
			deleteBut(t, s, n, 20)
		}, n / 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, opts)
			fillBig(t, s, n)
			test.do(t, s)
			check(t, s.Compact(ctx))
			if size, most := tableBytes(t, dir), int64(test.left*20_000*5/4+300_000); size > most {
				t.Errorf("the tables have %d bytes, want at most %d for %d records", size, most, test.left)
			}
			if got := countAll(t, s); got != test.left {
				t.Errorf("%d records, want %d", got, test.left)
			}
			check(t, s.Verify(ctx))
			check(t, s.Close())
			if got := countAll(t, open(t, dir, nil)); got != test.left {
				t.Errorf("opened again, %d records, want %d", got, test.left)
			}
		})
	}
}

// A small store has no lower levels before it is compacted.
func TestCompactSmall(t *testing.T) {
	s := open(t, t.TempDir(), &badgerstore.Options{NoTidy: true})
	check(t, s.Compact(ctx))
	for i := range 300 {
		check(t, update(s, func(tx store.Tx) error { return tx.Set([]byte("one"), bigValue(uint64(i), 10_000)) }))
	}
	check(t, s.Compact(ctx))
	if size := tableBytes(t, badgerstore.Dir(s)); size > 200_000 || badgerstore.Versions(s) != 1 {
		t.Errorf("%d bytes and %d versions of a record of 10,000", size, badgerstore.Versions(s))
	}
}

// An idle store does it by itself, in lower levels too.
func TestCompactIdle(t *testing.T) {
	n := testform.Of(800, 800, 2000)
	left := n / 20
	opts := &badgerstore.Options{Memory: 16 << 20, NoSync: true, NoTidy: true}
	dir := t.TempDir()
	s := open(t, dir, opts)
	fillBig(t, s, n)
	// More keys than tidyEntries.
	check(t, update(s, func(tx store.Tx) error {
		for i := range 5000 {
			if err := tx.Set(benchtest.Key(1_000_000+i), number(uint64(i))); err != nil {
				return err
			}
		}
		return nil
	}))
	check(t, s.Compact(ctx))
	check(t, s.Close())
	s = open(t, dir, &badgerstore.Options{Memory: 16 << 20, NoSync: true})
	deleteBut(t, s, n, n/left)
	check(t, update(s, func(tx store.Tx) error {
		for i := range 5000 {
			if err := tx.Delete(benchtest.Key(1_000_000 + i)); err != nil {
				return err
			}
		}
		return nil
	}))
	within(t, limit, "the space to be given back", func() bool { return tableBytes(t, dir) < int64(left*20_000*5/4+300_000) })
	if got := countAll(t, s); got != left {
		t.Errorf("%d records, want %d", got, left)
	}
	// Big values are few entries.
	for i := range 20 {
		check(t, update(s, func(tx store.Tx) error { return tx.Set([]byte{byte(i)}, bigValue(uint64(i), 1<<20)) }))
	}
	check(t, s.Compact(ctx))
	for i := range 20 {
		check(t, update(s, func(tx store.Tx) error { return tx.Delete([]byte{byte(i)}) }))
	}
	within(t, limit, "big values to be given back", func() bool { return tableBytes(t, dir) < int64(left*20_000*5/4+300_000) })
}

// Writers, readers and Compact do not disturb each other; it ends with its context
// and with the store.
func TestCompactMeanwhile(t *testing.T) {
	const n = 1000
	dir := t.TempDir()
	s := open(t, dir, &badgerstore.Options{Memory: 16 << 20, NoSync: true})
	fillBig(t, s, n)
	var stop atomic.Bool
	var wg sync.WaitGroup
	var written atomic.Int64
	for w := range 2 {
		wg.Go(func() {
			for i := 0; !stop.Load(); i++ {
				key := benchtest.Key(1_000_000*(w+1) + i)
				if err := update(s, func(tx store.Tx) error { return tx.Set(key, bigValue(uint64(i), 3000)) }); err != nil {
					t.Error(err)
					return
				}
				written.Add(1)
				time.Sleep(time.Millisecond)
			}
		})
	}
	for range 3 {
		check(t, s.Compact(ctx))
	}
	done, cancel := cancelled()
	defer cancel()
	if err := s.Compact(done); !errors.Is(err, context.Canceled) {
		t.Errorf("Compact = %v, want Canceled", err)
	}
	stop.Store(true)
	wg.Wait()
	if got := countAll(t, s); got != n+int(written.Load()) {
		t.Errorf("%d records, want %d", got, n+int(written.Load()))
	}
	result := make(chan error, 1)
	go func() { result <- s.Compact(ctx) }()
	time.Sleep(20 * time.Millisecond)
	check(t, s.Close())
	if err := <-result; err != nil && !errors.Is(err, store.ErrClosed) {
		t.Errorf("Compact of a store that is closed meanwhile: %v, want ErrClosed", err)
	}
	if err := s.Compact(ctx); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Compact = %v, want ErrClosed", err)
	}
	if got := countAll(t, open(t, dir, nil)); got != n+int(written.Load()) {
		t.Errorf("opened again, %d records, want %d", got, n+int(written.Load()))
	}
	readOnly := open(t, copyLive(t, dir), &badgerstore.Options{ReadOnly: true})
	if err := readOnly.Compact(ctx); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Compact = %v, want ErrReadOnly", err)
	}
}

// Compact does nothing where it would not have the space to end.
func TestCompactFull(t *testing.T) {
	s := open(t, t.TempDir(), &badgerstore.Options{Memory: 16 << 20, NoSync: true, NoTidy: true})
	fillBig(t, s, 1000)
	check(t, s.Compact(ctx))
	badgerstore.CompactFree(s, 30<<20)
	if err := s.Compact(ctx); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Compact = %v, want ENOSPC", err)
	}
	fillBig(t, s, 1)
}
