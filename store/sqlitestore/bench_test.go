package sqlitestore_test

import (
	"fmt"
	"testing"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/sqlitestore"
)

// Each benchmark here runs the same work on the store and on SQLite by hand, in
// turn, and reports the times and the median of the ratios of a turn. Run them
// with -benchtime=1x.

// pair is a store and a table of SQLite's, of the same options.
type pair struct {
	raw  *raw
	ours *sqlitestore.Store
	path string // of the latter
}

func openPair(t testing.TB, noSync bool) pair {
	t.Helper()
	r := openRaw(t, fileIn(t.TempDir()), noSync)
	t.Cleanup(func() { r.close() })
	path := fileIn(t.TempDir())
	return pair{r, open(t, path, &sqlitestore.Options{NoSync: noSync}), path}
}

func (p pair) load(t testing.TB, n int) {
	t.Helper()
	const batch = 1000
	for from := 0; from < n; from += batch {
		check(t, p.raw.update(func() error {
			for i := from; i < from+batch; i++ {
				if err := p.raw.put(benchtest.Key(i), benchtest.Value(i)); err != nil {
					return err
				}
			}
			return nil
		}))
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
			check(b, p.raw.read(keys[(from+i)%n]))
		}
	}, func(from, m int) {
		for i := range m {
			check(b, p.getOurs(keys[(from+i)%n]))
		}
	})
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
					check(b, p.raw.scan100(at(from+i), reverse))
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
			check(b, p.raw.count(lo, hi))
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
		{"durable,writers=1", false, 1, 500},
		{"durable,writers=8", false, 8, 1000},
		{"nosync,writers=1", true, 1, 10_000},
		{"nosync,writers=8", true, 8, 10_000},
	} {
		b.Run(t.name, func(b *testing.B) {
			p := openPair(b, t.noSync)
			benchtest.Compare(b, t.n, func(from, m int) {
				benchtest.Parallel(t.writers, from, m, func(i int) { check(b, p.raw.insert(i, benchtest.Value(i))) })
			}, func(from, m int) {
				benchtest.Parallel(t.writers, from, m, func(i int) { check(b, p.setOurs(i, benchtest.Value(i))) })
			})
		})
	}
}

// BenchmarkUpdate reads a record and replaces it, in a transaction for each.
func BenchmarkUpdate(b *testing.B) {
	n := benchtest.Records()
	p := openPair(b, true)
	p.load(b, n)
	at := func(i int) (key, value []byte) { return benchtest.Key((i * 7919) % n), benchtest.Value(i) }
	benchtest.Compare(b, 20_000, func(from, m int) {
		for i := range m {
			key, value := at(from + i)
			check(b, p.raw.change(key, value))
		}
	}, func(from, m int) {
		for i := range m {
			key, value := at(from + i)
			check(b, update(p.ours, func(tx store.Tx) (err error) {
				if kept, err = tx.Get(key); err != nil {
					return err
				}
				return tx.Set(key, value)
			}))
		}
	})
}

// BenchmarkOpen opens a store of so many records, and reads one.
func BenchmarkOpen(b *testing.B) {
	n := benchtest.Records()
	p := openPair(b, true)
	p.load(b, n)
	raw := p.raw.path
	check(b, p.ours.Close())
	check(b, p.raw.close())
	benchtest.Compare(b, 5, func(_, m int) {
		for range m {
			r := openRaw(b, raw, false)
			check(b, r.read(benchtest.Key(1)))
			check(b, r.close())
		}
	}, func(_, m int) {
		for range m {
			s := open(b, p.path, nil)
			check(b, pair{ours: s}.getOurs(benchtest.Key(1)))
			check(b, s.Close())
		}
	})
}
