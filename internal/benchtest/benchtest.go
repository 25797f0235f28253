// Package benchtest has benchmarks of a store do the same work with the engine under it
// by hand, in turns, so that the ratio of the two is from one run.
package benchtest

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// turns is how many turns Compare takes.
const turns = 5

// Compare has hand and then ours do n operations from a number on, in five turns, and
// reports the medians of their times and of the ratios of a turn. It takes one benchmark
// of -benchtime=1x.
func Compare(b *testing.B, n int, hand, ours func(from, n int)) {
	b.Helper()
	var ratios, hands, times []float64
	hand(0, n/4+1)
	ours(0, n/4+1)
	for i := range turns {
		from := (i + 1) * n
		h, o := timed(func() { hand(from, n) }), timed(func() { ours(from, n) })
		hands, times, ratios = append(hands, h/float64(n)), append(times, o/float64(n)), append(ratios, o/h)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(hands), "raw-ns")
	b.ReportMetric(median(times), "ours-ns")
	b.ReportMetric(median(ratios), "ratio")
}

// InTurns does the same work with a store and by hand, n times in each of b.N turns, and
// reports the medians of their times and of the ratios of a turn.
func InTurns(b *testing.B, n int, store, hand func() error) {
	b.Helper()
	turn := func(f func() error) float64 {
		return timed(func() {
			for range n {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	turn(store) // which makes its statements known
	turn(hand)
	var ratios, stores, hands []float64
	for i := 0; b.Loop(); i++ {
		var s, h float64
		if i%2 == 0 {
			s, h = turn(store), turn(hand)
		} else {
			h, s = turn(hand), turn(store)
		}
		ratios, stores, hands = append(ratios, s/h), append(stores, s), append(hands, h)
	}
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(stores)/float64(n)/1000, "µs/store")
	b.ReportMetric(median(hands)/float64(n)/1000, "µs/hand")
}

func timed(f func()) float64 {
	began := time.Now()
	f()
	return float64(time.Since(began))
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// Records returns how many records to load: 100,000, or what KIVIS_BENCH_RECORDS says.
func Records() int {
	if n, err := strconv.Atoi(os.Getenv("KIVIS_BENCH_RECORDS")); err == nil {
		return n
	}
	return 100_000
}

// Key returns the key of the i-th record.
func Key(i int) []byte { return binary.BigEndian.AppendUint64([]byte("table/"), uint64(i)) }

// Value returns the i-th record, of 303 bytes, half of it text.
func Value(i int) []byte {
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

// Parallel calls f for m numbers, by several goroutines. They are above those of the
// records that are there.
func Parallel(writers, from, m int, f func(i int)) {
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
