package pebblestore_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pebblestore"
)

// Each benchmark here runs the same work on the store and on Pebble by hand, in
// turn, and reports the times and the median of the ratios of a turn. Run them
// with -benchtime=1x.

// pair is a store and a Pebble of the same options.
type pair struct {
	raw  *pebble.DB
	sync *pebble.WriteOptions
	ours *pebblestore.Store
	path string // of the latter
}

func openPair(t testing.TB, noSync bool) pair {
	t.Helper()
	const memory = 64 << 20 // as is the default
	opts := &pebble.Options{
		Cache:                       pebble.NewCache(memory / 2),
		MemTableSize:                memory / 8,
		MemTableStopWritesThreshold: 4,
		FormatMajorVersion:          pebble.FormatTableFormatV6,
		Logger:                      quiet{},
	}
	defer opts.Cache.Unref()
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	raw, err := pebble.Open(t.TempDir(), opts)
	check(t, err)
	t.Cleanup(func() { raw.Close() })
	sync := pebble.Sync
	if noSync {
		sync = pebble.NoSync
	}
	path := t.TempDir()
	return pair{raw, sync, open(t, path, &pebblestore.Options{NoSync: noSync}), path}
}

// quiet is a logger that says nothing.
type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf(format, args...))
}

func (p pair) load(t testing.TB, n int) {
	t.Helper()
	const batch = 1000
	for from := 0; from < n; from += batch {
		b := p.raw.NewBatch()
		for i := from; i < from+batch; i++ {
			check(t, b.Set(benchtest.Key(i), benchtest.Value(i), nil))
		}
		check(t, b.Commit(p.sync))
		check(t, update(p.ours, func(tx store.Tx) error {
			for i := from; i < from+batch; i++ {
				if err := tx.Set(benchtest.Key(i), benchtest.Value(i)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

// getRaw reads a record as a program would that keeps it.
func (p pair) getRaw(key []byte) error {
	snap := p.raw.NewSnapshot()
	value, closer, err := snap.Get(key)
	if err != nil {
		return errors.Join(err, snap.Close())
	}
	kept = append(make([]byte, 0, len(value)), value...)
	return errors.Join(closer.Close(), snap.Close())
}

// kept keeps what was read, so that it has to be copied.
var kept []byte

func (p pair) getOurs(key []byte) error {
	return view(p.ours, func(tx store.Tx) (err error) {
		kept, err = tx.Get(key)
		return err
	})
}

func BenchmarkGet(b *testing.B) {
	n := benchtest.Records()
	p := openPair(b, true)
	p.load(b, n)
	keys := make([][]byte, n)
	for i := range keys {
		keys[i] = benchtest.Key((i * 7919) % n)
	}
	benchtest.Compare(b, 100_000, func(from, m int) {
		for i := range m {
			check(b, p.getRaw(keys[(from+i)%n]))
		}
	}, func(from, m int) {
		for i := range m {
			check(b, p.getOurs(keys[(from+i)%n]))
		}
	})
}

// scanRaw reads 100 records from number at on, as the store's cursor does.
func (p pair) scanRaw(at int, reverse bool) error {
	snap := p.raw.NewSnapshot()
	opts := &pebble.IterOptions{LowerBound: benchtest.Key(at), UpperBound: []byte("table0")}
	if reverse {
		opts.LowerBound, opts.UpperBound = []byte("table/"), append(benchtest.Key(at), 0)
	}
	it, err := snap.NewIter(opts)
	if err != nil {
		return errors.Join(err, snap.Close())
	}
	first, next, n := it.First, it.Next, 0
	if reverse {
		first, next = it.Last, it.Prev
	}
	for ok := first(); ok && n < 100; ok = next() {
		kept = append(append(kept[:0], it.Key()...), it.Value()...)
		n++
	}
	if n != 100 {
		err = fmt.Errorf("a scan from %d finds %d", at, n)
	}
	return errors.Join(err, it.Close(), snap.Close())
}

func (p pair) scanOurs(at int, reverse bool) error {
	return view(p.ours, func(tx store.Tx) error {
		r := store.Range{Lo: benchtest.Key(at), Hi: []byte("table0"), Reverse: reverse}
		if reverse {
			r.Lo, r.Hi = []byte("table/"), append(benchtest.Key(at), 0)
		}
		c, err := tx.Scan(r)
		if err != nil {
			return err
		}
		defer c.Close()
		n := 0
		for n < 100 && c.Next() {
			n++
		}
		if n != 100 {
			return fmt.Errorf("a scan from %d finds %d: %w", at, n, c.Err())
		}
		return c.Err()
	})
}

func BenchmarkScan100(b *testing.B) {
	n := benchtest.Records()
	p := openPair(b, true)
	p.load(b, n)
	for _, reverse := range []bool{false, true} {
		b.Run(fmt.Sprintf("reverse=%t", reverse), func(b *testing.B) {
			at := func(i int) int { return 100 + i*7919%(n-200) }
			benchtest.Compare(b, 5000, func(from, m int) {
				for i := range m {
					check(b, p.scanRaw(at(from+i), reverse))
				}
			}, func(from, m int) {
				for i := range m {
					check(b, p.scanOurs(at(from+i), reverse))
				}
			})
		})
	}
}

func BenchmarkCount(b *testing.B) {
	n := benchtest.Records()
	p := openPair(b, true)
	p.load(b, n)
	lo, hi := benchtest.Key(n/10), benchtest.Key(2*n/10)
	benchtest.Compare(b, 20, func(_, m int) {
		for range m {
			it, err := p.raw.NewIter(&pebble.IterOptions{LowerBound: lo, UpperBound: hi})
			check(b, err)
			for ok := it.First(); ok; ok = it.Next() {
			}
			check(b, it.Close())
		}
	}, func(_, m int) {
		for range m {
			check(b, view(p.ours, func(tx store.Tx) error {
				_, err := store.Count(tx, store.Range{Lo: lo, Hi: hi})
				return err
			}))
		}
	})
}

// setRaw inserts a record that is not there yet. Pebble has no transactions, so a
// program would have to see to it that nobody else does.
func (p pair) setRaw(i int, value []byte) error {
	key := benchtest.Key(i)
	_, closer, err := p.raw.Get(key)
	if err == nil {
		return errors.Join(fmt.Errorf("key %d is there", i), closer.Close())
	}
	return p.raw.Set(key, value, p.sync)
}

func (p pair) setOurs(i int, value []byte) error {
	return update(p.ours, func(tx store.Tx) error {
		key := benchtest.Key(i)
		if _, err := tx.Get(key); err != store.ErrNotFound {
			return fmt.Errorf("key %d is there: %w", i, err)
		}
		return tx.Set(key, value)
	})
}

func BenchmarkInsert(b *testing.B) {
	for _, t := range []struct {
		name       string
		noSync     bool
		writers, n int
	}{
		{"durable,writers=1", false, 1, 1000},
		{"durable,writers=8", false, 8, 2000},
		{"nosync,writers=1", true, 1, 20_000},
		{"nosync,writers=8", true, 8, 20_000},
	} {
		b.Run(t.name, func(b *testing.B) {
			p := openPair(b, t.noSync)
			benchtest.Compare(b, t.n, func(from, m int) {
				benchtest.Parallel(t.writers, from, m, func(i int) { check(b, p.setRaw(i, benchtest.Value(i))) })
			}, func(from, m int) {
				benchtest.Parallel(t.writers, from, m, func(i int) { check(b, p.setOurs(i, benchtest.Value(i))) })
			})
		})
	}
}
