package badgerstore_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// Each benchmark here runs the same work on the store and on Badger by hand,
// with the same options, in turn, and reports the times and the median of the
// ratios of a turn. Run them with -benchtime=1x.

const turns = 5

// compare runs n operations of each kind, in turns.
func compare(b *testing.B, n int, raw, ours func(from, n int)) {
	b.Helper()
	var ratios, rawNs, ourNs []float64
	raw(0, n/4+1)
	ours(0, n/4+1)
	for i := range turns {
		from := (i + 1) * n
		r, o := timed(func() { raw(from, n) }), timed(func() { ours(from, n) })
		rawNs = append(rawNs, r/float64(n))
		ourNs = append(ourNs, o/float64(n))
		ratios = append(ratios, o/r)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(rawNs), "raw-ns")
	b.ReportMetric(median(ourNs), "ours-ns")
	b.ReportMetric(median(ratios), "ratio")
}

func timed(f func()) float64 {
	start := time.Now()
	f()
	return float64(time.Since(start))
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

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

func benchKey(i int) []byte {
	return binary.BigEndian.AppendUint64([]byte("table/"), uint64(i))
}

// benchValue is a record of 303 bytes, half of it text.
func benchValue(i int) []byte {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	v := make([]byte, 0, 303)
	for len(v) < 150 {
		v = binary.BigEndian.AppendUint64(v, r.Uint64())
	}
	for len(v) < 303 {
		v = append(v, " lorem ipsum dolor sit amet"...)
	}
	return v[:303]
}

func (p pair) load(b *testing.B, n int) {
	b.Helper()
	const batch = 1000
	for from := 0; from < n; from += batch {
		check(b, p.raw.Update(func(txn *badger.Txn) error {
			for i := from; i < from+batch; i++ {
				if err := txn.Set(benchKey(i), benchValue(i)); err != nil {
					return err
				}
			}
			return nil
		}))
		check(b, update(p.ours, func(tx store.Tx) error {
			for i := from; i < from+batch; i++ {
				if err := tx.Set(benchKey(i), benchValue(i)); err != nil {
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

// sizes returns how many records to load.
func sizes(b *testing.B) int {
	if n, err := strconv.Atoi(os.Getenv("KIVIS_BENCH_RECORDS")); err == nil {
		return n
	}
	return 100_000
}

func BenchmarkGet(b *testing.B) {
	n := sizes(b)
	p := openPair(b, &badgerstore.Options{NoSync: true, NoTidy: true})
	p.load(b, n)
	keys := make([][]byte, n)
	for i := range keys {
		keys[i] = benchKey((i * 7919) % n)
	}
	compare(b, 100_000, func(from, m int) {
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
				n := sizes(b)
				p := openPair(b, &badgerstore.Options{NoSync: true, NoTidy: true})
				p.load(b, n)
				compare(b, 2000, func(from, m int) {
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
		for it.Seek(benchKey(at)); it.Valid() && n < 100; it.Next() {
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
			r.Lo, r.Hi = []byte("table/"), append(benchKey(at), 0)
		} else {
			r.Lo, r.Hi = benchKey(at), []byte("table0")
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
	n := sizes(b)
	p := openPair(b, &badgerstore.Options{NoSync: true, NoTidy: true})
	p.load(b, n)
	lo, hi := benchKey(n/10), benchKey(2*n/10)
	compare(b, 20, func(_, m int) {
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
			compare(b, t.n, func(from, m int) {
				parallel(t.writers, from, m, func(i int) {
					key, value := benchKey(i), benchValue(i)
					check(b, p.raw.Update(func(txn *badger.Txn) error {
						if _, err := txn.Get(key); err != badger.ErrKeyNotFound {
							return fmt.Errorf("key %d is there: %v", i, err)
						}
						return txn.Set(key, value)
					}))
				})
			}, func(from, m int) {
				parallel(t.writers, from, m, func(i int) {
					key, value := benchKey(i), benchValue(i)
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

// parallel calls f for m numbers from from on, by several goroutines.
func parallel(writers, from, m int, f func(i int)) {
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := w; i < m; i += writers {
				f(1_000_000 + from + i)
			}
		})
	}
	wg.Wait()
}
