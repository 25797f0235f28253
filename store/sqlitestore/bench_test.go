package sqlitestore_test

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

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/sqlitestore"
)

// Each benchmark here runs the same work on the store and on SQLite by hand, in
// turn, and reports the times and the median of the ratios of a turn. Run them
// with -benchtime=1x.

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

func benchKey(i int) []byte {
	return binary.BigEndian.AppendUint64([]byte("table/"), uint64(i))
}

// benchValue is a record of 303 bytes, half of it text.
func benchValue(i int) []byte {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	v := make([]byte, 0, 320)
	for len(v) < 150 {
		v = binary.BigEndian.AppendUint64(v, r.Uint64())
	}
	for len(v) < 303 {
		v = append(v, " lorem ipsum dolor sit amet"...)
	}
	return v[:303]
}

func (p pair) load(t testing.TB, n int) {
	t.Helper()
	const batch = 1000
	for from := 0; from < n; from += batch {
		check(t, p.raw.update(func() error {
			for i := from; i < from+batch; i++ {
				if err := p.raw.put(benchKey(i), benchValue(i)); err != nil {
					return err
				}
			}
			return nil
		}))
		check(t, update(p.ours, func(tx store.Tx) error {
			for i := from; i < from+batch; i++ {
				if err := tx.Set(benchKey(i), benchValue(i)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

// sizes returns how many records to load.
func sizes(testing.TB) int {
	if n, err := strconv.Atoi(os.Getenv("KIVIS_BENCH_RECORDS")); err == nil {
		return n
	}
	return 100_000
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
	n := sizes(b)
	p := openPair(b, true)
	p.load(b, n)
	keys := make([][]byte, n)
	for i := range keys {
		keys[i] = benchKey((i * 7919) % n)
	}
	compare(b, 100_000, func(from, m int) {
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
		r := store.Range{Lo: benchKey(at), Hi: []byte("table0"), Reverse: reverse}
		if reverse {
			r.Lo, r.Hi = []byte("table/"), append(benchKey(at), 0)
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
	n := sizes(b)
	p := openPair(b, true)
	p.load(b, n)
	for _, reverse := range []bool{false, true} {
		b.Run(fmt.Sprintf("reverse=%t", reverse), func(b *testing.B) {
			at := func(i int) int { return 100 + i*7919%(n-200) }
			compare(b, 5000, func(from, m int) {
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
	n := sizes(b)
	p := openPair(b, true)
	p.load(b, n)
	lo, hi := benchKey(n/10), benchKey(2*n/10)
	compare(b, 20, func(_, m int) {
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
		key := benchKey(i)
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
			compare(b, t.n, func(from, m int) {
				parallel(t.writers, from, m, func(i int) { check(b, p.raw.insert(i, benchValue(i))) })
			}, func(from, m int) {
				parallel(t.writers, from, m, func(i int) { check(b, p.setOurs(i, benchValue(i))) })
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

// BenchmarkOpen opens a store of so many records, and reads one.
func BenchmarkOpen(b *testing.B) {
	n := sizes(b)
	p := openPair(b, true)
	p.load(b, n)
	raw := p.raw.path
	check(b, p.ours.Close())
	check(b, p.raw.close())
	compare(b, 5, func(_, m int) {
		for range m {
			r := openRaw(b, raw, false)
			check(b, r.read(benchKey(1)))
			check(b, r.close())
		}
	}, func(_, m int) {
		for range m {
			s := open(b, p.path, nil)
			check(b, pair{ours: s}.getOurs(benchKey(1)))
			check(b, s.Close())
		}
	})
}
