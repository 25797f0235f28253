package badgerstore_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

const limit = 20 * time.Second // of what takes a second or two

// After heavy overwriting old versions go as soon as the store is idle, so
// that scans are fast again; but not what a snapshot sees.
func TestTidy(t *testing.T) {
	const keys = 2000
	dir := t.TempDir()
	s := open(t, dir, &badgerstore.Options{NoSync: true})
	overwrite := func(rounds int) {
		for round := range rounds {
			check(t, update(s, func(tx store.Tx) error {
				for i := range keys {
					if err := tx.Set(benchtest.Key(i), number(uint64(round))); err != nil {
						return err
					}
				}
				return nil
			}))
		}
	}
	overwrite(1)
	fresh := scanTime(t, s, keys)
	overwrite(50)
	tx, err := s.Begin(ctx, false)
	check(t, err)
	overwrite(50)
	slow, before := scanTime(t, s, keys), badgerstore.Versions(s)
	within(t, limit, "the versions below the snapshot to go", func() bool { return badgerstore.Versions(s) <= 51*keys })
	for i := range keys {
		value, err := tx.Get(benchtest.Key(i))
		if err != nil || string(value) != string(number(49)) {
			t.Fatalf("the snapshot's Get(%d) = %x, %v; want 49", i, value, err)
		}
	}
	tx.Discard()
	overwrite(10)
	within(t, limit, "the versions to go but for one", func() bool { return badgerstore.Versions(s) <= keys })
	t.Logf("scan of %d keys: %v fresh, %v with %d versions, %v tidied up", keys, fresh, slow, before, scanTime(t, s, keys))
	if n := countAll(t, s); n != keys {
		t.Errorf("%d keys, want %d", n, keys)
	}
	check(t, s.Close())
	s = open(t, dir, nil)
	if n := countAll(t, s); n != keys {
		t.Errorf("opened again, %d keys, want %d", n, keys)
	}
}

func scanTime(t *testing.T, s store.Store, keys int) time.Duration {
	t.Helper()
	best := time.Hour
	for range 5 {
		begin := time.Now()
		if n := countAll(t, s); n != keys {
			t.Fatalf("%d keys, want %d", n, keys)
		}
		best = min(best, time.Since(begin))
	}
	return best
}

// The tables that were there at opening are checked in the background.
func TestScrub(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 30_000)
	s := open(t, dir, nil)
	within(t, limit, "all tables to be checked", func() bool { return badgerstore.Checked(s) })
	s = open(t, t.TempDir(), nil)
	if !badgerstore.Checked(s) {
		t.Error("a new store has tables to check")
	}
}

func TestSize(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 30_000)
	s := open(t, dir, nil)
	size, err := s.Size()
	// 303 bytes each, half of which compress.
	if err != nil || size < 30_000*150 || size > 30_000*400 {
		t.Errorf("Size = %d, %v", size, err)
	}
	check(t, s.Close())
	if _, err := s.Size(); err == nil {
		t.Error("Size of a closed store")
	}
}

// A compaction for which there is no space waits, commits are refused meanwhile,
// and both go on.
func TestCompactionWaits(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, noTidy)
	badgerstore.CompactFree(s, 1000)
	var err error
	for i, end := 0, time.Now().Add(limit); err == nil && time.Now().Before(end); i++ {
		err = update(s, func(tx store.Tx) error { return tx.Set(benchtest.Key(i), bigValue(uint64(i), 100_000)) })
		time.Sleep(time.Millisecond)
	}
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "compaction") {
		t.Errorf("Commit = %v, want ENOSPC for a compaction", err)
	}
	n := countAll(t, s)
	badgerstore.CompactFree(s, 1<<40)
	within(t, limit, "level 0 to be compacted", func() bool { return badgerstore.Levels(s)[0] < 2 })
	check(t, update(s, func(tx store.Tx) error { return tx.Set([]byte("room"), nil) }))
	check(t, s.Close())
	if got := countAll(t, open(t, dir, nil)); got != n+1 {
		t.Errorf("%d keys, want %d", got, n+1)
	}
}

// A table with few keys that overlaps a whole level needs room for all of it.
func TestCompactionsNeed(t *testing.T) {
	s := open(t, t.TempDir(), &badgerstore.Options{Memory: 16 << 20, NoTidy: true, NoSync: true})
	const last, values = 6, 400
	for i := range values {
		check(t, update(s, func(tx store.Tx) error { return tx.Set(benchtest.Key(i), bigValue(uint64(i), 50_000)) }))
	}
	check(t, s.Compact(ctx))
	sizes := badgerstore.LevelSizes(s)
	if sizes[last] < 18<<20 || sizes[0]+sizes[last-1] > 0 {
		t.Fatalf("the levels have %d bytes; want all in the last", sizes)
	}
	check(t, update(s, func(tx store.Tx) error {
		return errors.Join(tx.Set(benchtest.Key(0), nil), tx.Set(benchtest.Key(values-1), nil))
	}))
	for range 2 {
		for fid := badgerstore.CurrentFid(s); badgerstore.CurrentFid(s) == fid; {
			badgerstore.Stamp(t, s)
		}
	}
	within(t, limit, "level 0 to be compacted", func() bool { return badgerstore.LevelSizes(s)[last-1] > 0 })
	if need := badgerstore.FlattenNeeds(s); need < uint64(sizes[last]) {
		t.Errorf("a compaction may need %d bytes; want at least the %d of the last level, which a table overlaps", need, sizes[last])
	}
}
