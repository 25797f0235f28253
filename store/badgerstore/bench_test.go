package badgerstore_test

import (
	"fmt"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// Each benchmark here runs the same work on the store and on Badger by hand,
// with the same options, in turn, and reports the times and the median of the
// ratios of a turn. Run them with -benchtime=1x.

// pair is a store and a Badger of the same options.
type pair struct {
	raw  *badger.DB
	ours *badgerstore.Store
}

func openPair(b *testing.B, opts *badgerstore.Options) pair {
	b.Helper()
	raw, err := badger.Open(badgerstore.EngineOptions(b.TempDir(), opts).
		WithDetectConflicts(true).WithSyncWrites(!opts.NoSync))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { raw.Close() })
	return pair{raw, open(b, b.TempDir(), opts)}
}

func (p pair) load(b *testing.B, n int) {
	b.Helper()
	const batch = 1000
	for from := 0; from < n; from += batch {
		check(b, p.raw.Update(func(txn *badger.Txn) error {
			for i := from; i < from+batch; i++ {
				if err := txn.Set(benchtest.Key(i), benchtest.Value(i)); err != nil {
					return err
				}
			}
			return nil
		}))
		check(b, update(p.ours, func(tx store.Tx) error {
			for i := from; i < from+batch; i++ {
				if err := tx.Set(benchtest.Key(i), benchtest.Value(i)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func update(s store.Store, f func(store.Tx) error) error {
	tx, err := s.Begin(ctx, true)
	if err != nil {
		return err
	}
	defer tx.Discard()
	if err := f(tx); err != nil {
		return err
	}
	_, err = tx.Commit()
	return err
}

func view(s store.Store, f func(store.Tx) error) error {
	tx, err := s.Begin(ctx, false)
	if err != nil {
		return err
	}
	defer tx.Discard()
	return f(tx)
}

func BenchmarkGet(b *testing.B) {
	n := benchtest.Records()
	p := openPair(b, &badgerstore.Options{NoSync: true, NoTidy: true})
	p.load(b, n)
	keys := make([][]byte, n)
	for i := range keys {
		keys[i] = benchtest.Key((i * 7919) % n)
	}
	benchtest.Compare(b, 100_000, func(from, m int) {
		for i := range m {
			key := keys[(from+i)%n]
			check(b, p.raw.View(func(txn *badger.Txn) error {
				item, err := txn.Get(key)
				if err != nil {
					return err
				}
				_, err = item.ValueCopy(nil)
				return err
			}))
		}
	}, func(from, m int) {
		for i := range m {
			check(b, view(p.ours, func(tx store.Tx) error {
				_, err := tx.Get(keys[(from+i)%n])
				return err
			}))
		}
	})
}

func BenchmarkScan100(b *testing.B) {
	for _, reverse := range []bool{false, true} {
		for _, keysOnly := range []bool{false, true} {
			b.Run(fmt.Sprintf("reverse=%t,keys=%t", reverse, keysOnly), func(b *testing.B) {
				n := benchtest.Records()
				p := openPair(b, &badgerstore.Options{NoSync: true, NoTidy: true})
				p.load(b, n)
				benchtest.Compare(b, 2000, func(from, m int) {
					for i := range m {
						scanRaw(b, p.raw, 100+(from+i)*7919%(n-200), reverse, keysOnly)
					}
				}, func(from, m int) {
					for i := range m {
						scanOurs(b, p.ours, 100+(from+i)*7919%(n-200), reverse, keysOnly)
					}
				})
			})
		}
	}
}

func scanRaw(b testing.TB, db *badger.DB, at int, reverse, keysOnly bool) {
	check(b, db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte("table/"), Reverse: reverse})
		defer it.Close()
		n := 0
		for it.Seek(benchtest.Key(at)); it.Valid() && n < 100; it.Next() {
			n++
			if keysOnly {
				continue
			}
			if err := it.Item().Value(func(v []byte) error { return nil }); err != nil {
				return err
			}
		}
		if n != 100 {
			b.Fatalf("raw scan of %d found %d", at, n)
		}
		return nil
	}))
}

func scanOurs(b testing.TB, s store.Store, at int, reverse, keysOnly bool) {
	check(b, view(s, func(tx store.Tx) error {
		r := store.Range{Reverse: reverse, KeysOnly: keysOnly}
		if reverse {
			r.Lo, r.Hi = []byte("table/"), append(benchtest.Key(at), 0)
		} else {
			r.Lo, r.Hi = benchtest.Key(at), []byte("table0")
		}
		c, err := tx.Scan(r)
		if err != nil {
			return err
		}
		defer c.Close()
		n := 0
		for n < 100 && c.Next() {
			n++
			if !keysOnly {
				c.Value()
			}
		}
		if n != 100 {
			b.Fatalf("scan of %d found %d: %v", at, n, c.Err())
		}
		return c.Err()
	}))
}

func BenchmarkCount(b *testing.B) {
	n := benchtest.Records()
	p := openPair(b, &badgerstore.Options{NoSync: true, NoTidy: true})
	p.load(b, n)
	lo, hi := benchtest.Key(n/10), benchtest.Key(2*n/10)
	benchtest.Compare(b, 20, func(_, m int) {
		for range m {
			check(b, p.raw.View(func(txn *badger.Txn) error {
				it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte("table/")})
				defer it.Close()
				for it.Seek(lo); it.Valid() && string(it.Item().Key()) < string(hi); it.Next() {
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
			p := openPair(b, &badgerstore.Options{NoSync: t.noSync, NoTidy: true})
			benchtest.Compare(b, t.n, func(from, m int) {
				benchtest.Parallel(t.writers, from, m, func(i int) {
					key, value := benchtest.Key(i), benchtest.Value(i)
					check(b, p.raw.Update(func(txn *badger.Txn) error {
						if _, err := txn.Get(key); err != badger.ErrKeyNotFound {
							return fmt.Errorf("key %d is there: %v", i, err)
						}
						return txn.Set(key, value)
					}))
				})
			}, func(from, m int) {
				benchtest.Parallel(t.writers, from, m, func(i int) {
					key, value := benchtest.Key(i), benchtest.Value(i)
					check(b, update(p.ours, func(tx store.Tx) error {
						if _, err := tx.Get(key); err != store.ErrNotFound {
							return fmt.Errorf("key %d is there: %v", i, err)
						}
						return tx.Set(key, value)
					}))
				})
			})
		})
	}
}
