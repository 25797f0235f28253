package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/boltstore"
	"github.com/kivisdb/kivis/store/pebblestore"
	"github.com/kivisdb/kivis/store/sqlitestore"
)

// diskStores are the stores that keep data on a disk, badgerstore first.
var diskStores = []struct {
	name string
	open func(dir string, noSync bool) (store.Store, error)
}{
	{"badger", func(dir string, noSync bool) (store.Store, error) {
		return badgerstore.Open(dir, &badgerstore.Options{NoSync: noSync})
	}},
	{"bolt", func(dir string, noSync bool) (store.Store, error) {
		return boltstore.Open(filepath.Join(dir, "db"), &boltstore.Options{NoSync: noSync})
	}},
	{"pebble", func(dir string, noSync bool) (store.Store, error) {
		return pebblestore.Open(dir, &pebblestore.Options{NoSync: noSync})
	}},
	{"sqlite", func(dir string, noSync bool) (store.Store, error) {
		return sqlitestore.Open(filepath.Join(dir, "db"), &sqlitestore.Options{NoSync: noSync})
	}},
}

// BenchmarkStores has the stores on disk do the same work in turns, and reports
// for each the time of an operation and, against badgerstore, the median of the
// ratios of a turn: what docs/guide.md says of them. Run it with
//
//	go test -run '^$' -bench Stores -benchtime 1x
func BenchmarkStores(b *testing.B) {
	n := 100_000
	if env, err := strconv.Atoi(os.Getenv("KIVIS_BENCH_RECORDS")); err == nil {
		n = env
	}
	b.Run("durable", func(b *testing.B) {
		f := openField(b, false)
		f.compare(b, "insert/writers=1", 300, func(s store.Store, i int) error { return insertOne(s, i) })
		f.compareParallel(b, "insert/writers=8", 1200, 8, insertOne)
	})
	b.Run("read", func(b *testing.B) {
		f := openField(b, true)
		f.load(b, n)
		f.reopen(b)
		f.compare(b, "get", 20_000, func(s store.Store, i int) error { return getOne(s, i*7919%n) })
		f.compare(b, "scan100", 1000, func(s store.Store, i int) error { return scanSome(s, i*7919%(n-100), 100) })
		f.compare(b, "open", 3, func(s store.Store, i int) error { return nil })
		f.sizes(b)
	})
}

// field is the stores at work.
type field struct {
	dirs   []string
	stores []store.Store
	noSync bool
	next   int
}

func openField(b *testing.B, noSync bool) *field {
	f := &field{noSync: noSync}
	for range diskStores {
		f.dirs = append(f.dirs, b.TempDir())
	}
	f.stores = make([]store.Store, len(diskStores))
	for i := range diskStores {
		f.open(b, i)
	}
	b.Cleanup(func() {
		for _, s := range f.stores {
			s.Close()
		}
	})
	return f
}

func (f *field) open(b *testing.B, i int) {
	s, err := diskStores[i].open(f.dirs[i], f.noSync)
	if err != nil {
		b.Fatal(err)
	}
	f.stores[i] = s
}

// reopen has each store opened anew, and rested: as a program finds it.
func (f *field) reopen(b *testing.B) {
	for i, s := range f.stores {
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		f.open(b, i)
	}
	time.Sleep(3 * time.Second)
}

// load inserts n records, in transactions of a thousand.
func (f *field) load(b *testing.B, n int) {
	for _, s := range f.stores {
		for from := 0; from < n; from += 1000 {
			err := inTx(s, true, func(tx store.Tx) error {
				for i := from; i < min(from+1000, n); i++ {
					if err := tx.Set(storeKey(i), storeValue(i)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

const storeTurns = 5

// compare has each store do n operations, numbered, in turns. The one that opens
// is open.
func (f *field) compare(b *testing.B, name string, n int, do func(s store.Store, i int) error) {
	f.compareParallel(b, name, n, 1, do)
}

func (f *field) compareParallel(b *testing.B, name string, n, workers int, do func(s store.Store, i int) error) {
	b.Run(name, func(b *testing.B) {
		times := make([][]float64, len(diskStores))
		for range storeTurns {
			for i := range diskStores {
				start := time.Now()
				if name == "open" {
					f.openOften(b, i, n)
				} else {
					work(b, f.stores[i], f.next, n, workers, do)
				}
				times[i] = append(times[i], float64(time.Since(start))/float64(n))
			}
			f.next += n
		}
		b.ReportMetric(0, "ns/op")
		for i, s := range diskStores {
			ratios := make([]float64, storeTurns)
			for t := range ratios {
				ratios[t] = times[i][t] / times[0][t]
			}
			b.ReportMetric(medianOf(times[i])/1e3, s.name+"-µs")
			b.ReportMetric(medianOf(ratios), s.name+"-ratio")
		}
	})
}

func (f *field) openOften(b *testing.B, i, n int) {
	for range n {
		if err := f.stores[i].Close(); err != nil {
			b.Fatal(err)
		}
		f.open(b, i)
	}
}

func medianOf(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// sizes reports what each store takes on the disk.
func (f *field) sizes(b *testing.B) {
	b.Run("size", func(b *testing.B) {
		b.ReportMetric(0, "ns/op")
		for i, s := range f.stores {
			size, err := s.(store.Sizer).Size()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(size)/1e6, diskStores[i].name+"-MB")
		}
	})
}

// work has workers do operations from to from+n.
func work(b *testing.B, s store.Store, from, n, workers int, do func(s store.Store, i int) error) {
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				if err := do(s, from+i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func inTx(s store.Store, write bool, f func(store.Tx) error) error {
	tx, err := s.Begin(context.Background(), write)
	if err != nil {
		return err
	}
	defer tx.Discard()
	if err := f(tx); err != nil || !write {
		return err
	}
	_, err = tx.Commit()
	return err
}

func storeKey(i int) []byte { return binary.BigEndian.AppendUint64([]byte("table/"), uint64(i)) }

// storeValue is a record of 303 bytes, half of it text.
func storeValue(i int) []byte {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	v := make([]byte, 0, 330)
	for len(v) < 150 {
		v = binary.BigEndian.AppendUint64(v, r.Uint64())
	}
	for len(v) < 303 {
		v = append(v, " lorem ipsum dolor sit amet"...)
	}
	return v[:303]
}

// insertOne inserts a record with some index entries, as Kivis does.
func insertOne(s store.Store, i int) error {
	return inTx(s, true, func(tx store.Tx) error {
		key := storeKey(i)
		if _, err := tx.Get(key); err != store.ErrNotFound {
			return fmt.Errorf("record %d is there: %w", i, err)
		}
		for _, index := range []string{"city/", "email/", "age/"} {
			entry := binary.BigEndian.AppendUint64([]byte(index), uint64(i)*0x9E3779B97F4A7C15)
			if err := tx.Set(append(entry, key...), nil); err != nil {
				return err
			}
		}
		return tx.Set(key, storeValue(i))
	})
}

func getOne(s store.Store, i int) error {
	return inTx(s, false, func(tx store.Tx) error {
		_, err := tx.Get(storeKey(i))
		return err
	})
}

func scanSome(s store.Store, from, n int) error {
	return inTx(s, false, func(tx store.Tx) error {
		c, err := tx.Scan(store.Range{Lo: storeKey(from), Hi: []byte("table0")})
		if err != nil {
			return err
		}
		defer c.Close()
		for range n {
			if !c.Next() {
				return fmt.Errorf("a scan from %d ends: %w", from, c.Err())
			}
		}
		return nil
	})
}

// TestStoresAgree has the stores do one random history, after which they hold the
// same.
func TestStoresAgree(t *testing.T) {
	seed := rand.Uint64()
	var want []string
	for i, d := range diskStores {
		dir := t.TempDir()
		s, err := d.open(dir, true)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(seed, 0))
		for range 30 {
			if err := randomWrites(s, r); err != nil {
				t.Fatalf("%s: %v", d.name, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatalf("%s: %v", d.name, err)
		}
		if s, err = d.open(dir, false); err != nil {
			t.Fatal(err)
		}
		got, err := everything(s)
		if err != nil {
			t.Fatalf("%s: %v", d.name, err)
		}
		if err := s.Close(); err != nil {
			t.Fatalf("%s: %v", d.name, err)
		}
		if i > 0 && !slices.Equal(got, want) {
			t.Errorf("seed %d: %s holds %d entries that are not the %d of %s", seed, d.name, len(got), len(want), diskStores[0].name)
		}
		want = got
	}
}

func randomWrites(s store.Store, r *rand.Rand) error {
	return inTx(s, true, func(tx store.Tx) error {
		for range r.IntN(300) {
			key := fmt.Appendf(nil, "%0*d", 1+r.IntN(6), r.IntN(2000))
			var err error
			if r.IntN(4) == 0 {
				err = tx.Delete(key)
			} else {
				err = tx.Set(key, storeValue(r.IntN(1000))[:r.IntN(303)])
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func everything(s store.Store) (all []string, err error) {
	err = inTx(s, false, func(tx store.Tx) error {
		c, err := tx.Scan(store.Range{})
		if err != nil {
			return err
		}
		defer c.Close()
		for c.Next() {
			all = append(all, string(c.Key())+"="+string(c.Value()))
		}
		return c.Err()
	})
	return all, err
}
