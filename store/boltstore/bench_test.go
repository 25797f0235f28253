package boltstore_test

import (
	"errors"
	"fmt"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/boltstore"
)

// Each benchmark here runs the same work on the store and on bbolt by hand, in
// turn, and reports the times and the median of the ratios of a turn. Run them
// with -benchtime=1x.

// pair is a store and a bbolt of the same options.
type pair struct {
	raw  *bolt.DB
	ours *boltstore.Store
	path string // of the latter
}

var rawBucket = []byte("records")

func openPair(t testing.TB, noSync bool) pair {
	t.Helper()
	raw, err := bolt.Open(fileIn(t.TempDir()), 0o600, &bolt.Options{
		NoSync: noSync, NoGrowSync: noSync, FreelistType: bolt.FreelistMapType, InitialMmapSize: 1 << 30,
	})
	check(t, err)
	t.Cleanup(func() { raw.Close() })
	check(t, raw.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket(rawBucket)
		return err
	}))
	path := fileIn(t.TempDir())
	return pair{raw, open(t, path, &boltstore.Options{NoSync: noSync}), path}
}

func (p pair) load(t testing.TB, n int) {
	t.Helper()
	const batch = 1000
	for from := 0; from < n; from += batch {
		check(t, p.raw.Update(func(tx *bolt.Tx) error {
			for i := from; i < from+batch; i++ {
				if err := tx.Bucket(rawBucket).Put(benchtest.Key(i), benchtest.Value(i)); err != nil {
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

// getRaw reads a record as a program would that keeps it.
func (p pair) getRaw(key []byte) error {
	return p.raw.View(func(tx *bolt.Tx) error {
		value := tx.Bucket(rawBucket).Get(key)
		if value == nil {
			return errors.New("absent")
		}
		kept = append(make([]byte, 0, len(value)), value...)
		return nil
	})
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
	return p.raw.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(rawBucket).Cursor()
		next, n := c.Next, 0
		if reverse {
			next = c.Prev
		}
		for key, value := c.Seek(benchtest.Key(at)); key != nil && n < 100; key, value = next() {
			kept = append(append(kept[:0], key...), value...)
			n++
		}
		if n != 100 {
			return fmt.Errorf("a scan from %d finds %d", at, n)
		}
		return nil
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
			check(b, p.raw.View(func(tx *bolt.Tx) error {
				c := tx.Bucket(rawBucket).Cursor()
				for key, _ := c.Seek(lo); key != nil && string(key) < string(hi); key, _ = c.Next() {
				}
				return nil
			}))
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

// setRaw inserts a record that is not there yet.
func (p pair) setRaw(i int, value []byte) error {
	return p.raw.Update(func(tx *bolt.Tx) error {
		b, key := tx.Bucket(rawBucket), benchtest.Key(i)
		if b.Get(key) != nil {
			return fmt.Errorf("key %d is there", i)
		}
		return b.Put(key, value)
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
				benchtest.Parallel(t.writers, from, m, func(i int) { check(b, p.setRaw(i, benchtest.Value(i))) })
			}, func(from, m int) {
				benchtest.Parallel(t.writers, from, m, func(i int) { check(b, p.setOurs(i, benchtest.Value(i))) })
			})
		})
	}
}

// BenchmarkOpen opens a store of so many records, and reads one.
func BenchmarkOpen(b *testing.B) {
	n := benchtest.Records()
	p := openPair(b, true)
	p.load(b, n)
	raw := p.raw.Path()
	check(b, p.ours.Close())
	check(b, p.raw.Close())
	benchtest.Compare(b, 5, func(_, m int) {
		for range m {
			db, err := bolt.Open(raw, 0o600, &bolt.Options{FreelistType: bolt.FreelistMapType})
			check(b, err)
			check(b, pair{raw: db}.getRaw(benchtest.Key(1)))
			check(b, db.Close())
		}
	}, func(_, m int) {
		for range m {
			s := open(b, p.path, nil)
			check(b, pair{ours: s}.getOurs(benchtest.Key(1)))
			check(b, s.Close())
		}
	})
}
