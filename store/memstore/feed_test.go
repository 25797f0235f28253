package memstore_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// unconcerned begins n watches of footprints that no key of benchKey is in: a
// range and three keys each.
func unconcerned(tb testing.TB, s store.Store, n int) {
	for i := range n {
		ranges := []store.Range{
			{Lo: fmt.Appendf(nil, "\xfe%08d", i), Hi: fmt.Appendf(nil, "\xfe%08d", i+1)},
		}
		for k := range 3 {
			key := fmt.Appendf(nil, "\xff%08d/%d", i, k)
			ranges = append(ranges, store.Range{Lo: key, Hi: append(key[:len(key):len(key)], 0)})
		}
		_, stop := s.(store.Watcher).Watch(ranges, 1<<40)
		tb.Cleanup(stop)
	}
}

// among begins n watches of ranges that lie between the keys of benchKey, and
// hold none.
func among(tb testing.TB, s store.Store, n int) {
	for i := range n {
		key := benchKey(nil, i)
		lo := append(key[:len(key):len(key)], 0)
		_, stop := s.(store.Watcher).Watch([]store.Range{{Lo: lo, Hi: append(lo[:len(lo):len(lo)], 1)}}, 1)
		tb.Cleanup(stop)
	}
}

// BenchmarkCommitWatched is a commit beside watches that it does not concern.
func BenchmarkCommitWatched(b *testing.B) {
	value := make([]byte, 100)
	for _, test := range []struct {
		name  string
		watch func(s store.Store)
	}{
		{"none", func(store.Store) {}},
		{"10,000 elsewhere", func(s store.Store) { unconcerned(b, s, 10_000) }},
		{"10,000 ranges between the keys", func(s store.Store) { among(b, s, 10_000) }},
	} {
		b.Run(test.name, func(b *testing.B) {
			s, key, i := benchStore(b), []byte(nil), 0
			test.watch(s)
			b.ReportAllocs()
			for b.Loop() {
				key, i = benchKey(key, i), i+1
				setOne(b, s, key, value)
			}
		})
	}
}

// BenchmarkWatch is a live query of one range and 20 keys that begins to watch,
// and stops.
func BenchmarkWatch(b *testing.B) {
	s := benchStore(b)
	unconcerned(b, s, 10_000)
	var ranges []store.Range
	for i := range 21 {
		key := fmt.Appendf(nil, "\xfd%02d", i)
		ranges = append(ranges, store.Range{Lo: key, Hi: append(key[:len(key):len(key)], byte(i/20))})
	}
	b.ReportAllocs()
	for b.Loop() {
		_, stop := s.(store.Watcher).Watch(ranges, 1<<40)
		stop()
	}
}

// TestWatchedAllocs: a commit allocates as often beside 10,000 watches that it
// does not concern as alone.
func TestWatchedAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("pools do not work under the race detector")
	}
	s := benchStore(t)
	unconcerned(t, s, 10_000)
	among(t, s, 1000)
	key, value, i := []byte(nil), make([]byte, 100), 5000
	got := testing.AllocsPerRun(2000, func() {
		key, i = benchKey(key, i), i+1
		setOne(t, s, key, value)
	})
	if got > 2 {
		t.Errorf("a commit beside watches allocates %v times, want at most 2", got)
	}
}

// Changes tells of what was committed after a version: keys, of which the values
// are read when they are wanted.
func ExampleStore_Changes() {
	s := memstore.New()
	defer s.Close()
	ctx := context.Background()
	from, _ := s.Head(ctx)
	for _, key := range []string{"ORD", "JFK"} {
		tx, _ := s.Begin(ctx, true)
		_ = tx.Set([]byte(key), []byte("airport"))
		_ = tx.Delete([]byte("old " + key))
		_, _ = tx.Commit()
	}
	err := s.Changes(ctx, from, func(c store.Commit) bool {
		fmt.Print(c.Version, ":")
		for _, w := range c.Writes {
			fmt.Printf(" %s, deleted %v;", w.Key, w.Deleted)
		}
		fmt.Println()
		return true
	})
	fmt.Println(err)
	// Output:
	// 2: ORD, deleted false; old ORD, deleted true;
	// 3: JFK, deleted false; old JFK, deleted true;
	// <nil>
}

// Watch says that a result is not current any more.
func ExampleStore_Watch() {
	s := memstore.New()
	defer s.Close()
	ctx := context.Background()
	tx, _ := s.Begin(ctx, false)
	store.Record(tx)
	_, err := tx.Get([]byte("ORD"))
	fmt.Println(err)
	written, stop := s.Watch(store.Footprint(tx), tx.Version())
	defer stop()
	tx.Discard()

	tx, _ = s.Begin(ctx, true)
	_ = tx.Set([]byte("ORD"), []byte("Chicago"))
	_, _ = tx.Commit()
	<-written
	city, err := store.Get(ctx, s, []byte("ORD"))
	fmt.Println(string(city), err)
	// Output:
	// store: not found
	// Chicago <nil>
}
