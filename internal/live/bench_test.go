package live_test

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

type row struct {
	kivis.Auto[row]
	Group int `kivis:"index"`
	Text  string
}

var rowGroup = kivis.FieldOf(func(r *row) *int { return &r.Group })

func openRows(tb testing.TB, feed *kivis.Feed) (*kivis.DB, kivis.Table[row, kivis.ID[row]]) {
	tb.Helper()
	db, err := kivis.Open(memstore.New(), &kivis.Options{Feed: feed})
	if err == nil {
		err = db.Register(&row{})
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db, kivis.TableOf[row](db)
}

// BenchmarkCommit writes beside live queries that it does not concern: as many for
// each commit costs the same.
func BenchmarkCommit(b *testing.B) {
	for _, lives := range []int{0, 100, 10_000} {
		b.Run(fmt.Sprintf("lives=%d", lives), func(b *testing.B) {
			_, rows := openRows(b, nil)
			id, err := rows.Insert(b.Context(), &row{Group: -1})
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			var ready, ended sync.WaitGroup
			for i := range lives {
				ready.Add(1)
				ended.Go(func() {
					first := true
					for range rows.Where(rowGroup.Eq(i)).Watch(ctx) {
						if first {
							ready.Done()
							first = false
						}
					}
				})
			}
			ready.Wait()
			runtime.GC()
			b.ResetTimer()
			for i := range b.N {
				if _, err := rows.Modify(ctx, id, func(r *row) error { r.Text = fmt.Sprint(i); return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			cancel()
			ended.Wait()
		})
	}
}

// BenchmarkEvent is the time from before a commit to the result of a live query that
// it concerns.
func BenchmarkEvent(b *testing.B) {
	_, rows := openRows(b, nil)
	id, err := rows.Insert(b.Context(), &row{Group: 1})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	events := make(chan struct{})
	go func() {
		for range rows.Where(rowGroup.Eq(1)).Watch(ctx) {
			events <- struct{}{}
		}
		close(events)
	}()
	<-events
	b.ResetTimer()
	for i := range b.N {
		if _, err := rows.Modify(ctx, id, func(r *row) error { r.Text = fmt.Sprint(i); return nil }); err != nil {
			b.Fatal(err)
		}
		<-events
	}
}

// BenchmarkChanges reads the changes of a table from the beginning.
func BenchmarkChanges(b *testing.B) {
	const n = 100_000
	db, rows := openRows(b, &kivis.Feed{Keep: time.Hour, MaxBytes: 1 << 30})
	from, err := db.Position(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	var list []row
	for i := range n {
		list = append(list, row{Group: i, Text: "some text"})
	}
	for some := 0; some < n; some += 1000 {
		if _, err := rows.InsertMany(b.Context(), list[some:some+1000]); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for range b.N {
		seen := 0
		for _, err := range rows.Changes(b.Context(), from) {
			if err != nil {
				b.Fatal(err)
			}
			if seen++; seen == n {
				break
			}
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "changes/s")
}

var writes = flag.Int("writes", 0, "how many writes TestSleeper has a reader sleep through; without it the test is left out")

// TestSleeper has a live query's reader sleep through many writes: it costs no more
// memory than the store's own, bounded history, and what it sees at last is the newest.
func TestSleeper(t *testing.T) {
	if *writes == 0 {
		t.Skip("run it with -writes 1000000")
	}
	_, rows := openRows(t, nil)
	id, err := rows.Insert(t.Context(), &row{Group: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	heap := func() uint64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	n, before := 0, uint64(0)
	for res, err := range rows.Where(rowGroup.Eq(1)).Watch(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 2 {
			if got, want := res.Records[0].Text, fmt.Sprint(*writes-1); got != want {
				t.Errorf("the next result has %s, want %s", got, want)
			}
			break
		}
		before = heap()
		for i := range *writes {
			if _, err := rows.Modify(t.Context(), id, func(r *row) error { r.Text = fmt.Sprint(i); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		after := heap()
		t.Logf("%d writes, and the heap grew by %d KB", *writes, (int64(after)-int64(before))>>10)
		if after > before+16<<20 { // the store remembers some hundred thousand commits, whoever sleeps
			t.Errorf("the heap grew from %d to %d bytes while the reader slept", before, after)
		}
	}
}
