package cache_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/cache/slowstore"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// fill commits pairs of keys and values, an empty value being a deletion.
func fill(t testing.TB, s store.Store, pairs ...string) uint64 {
	t.Helper()
	tx := begin(t, s, true)
	for i := 0; i < len(pairs); i += 2 {
		err := error(nil)
		if pairs[i+1] == "" {
			err = tx.Delete([]byte(pairs[i]))
		} else {
			err = tx.Set([]byte(pairs[i]), []byte(pairs[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return commit(t, tx)
}

// numbered returns n keys and values, in order.
func numbered(prefix string, n int) []string {
	var pairs []string
	for i := range n {
		pairs = append(pairs, fmt.Sprintf("%s%04d", prefix, i), fmt.Sprint("v", i))
	}
	return pairs
}

func get(t testing.TB, tx store.Tx, key string) string {
	t.Helper()
	value, err := tx.Get([]byte(key))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("Get(%q): %v", key, err)
	}
	return string(value)
}

func scan(t testing.TB, tx store.Tx, r store.Range) []string {
	t.Helper()
	got, err := scanned(tx, r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func scanned(tx store.Tx, r store.Range) (pairs []string, err error) {
	c, err := tx.Scan(r)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for c.Next() {
		pairs = append(pairs, string(c.Key()), string(c.Value()))
	}
	return pairs, c.Err()
}

func span(lo, hi string) store.Range { return store.Range{Lo: []byte(lo), Hi: []byte(hi)} }

// cost returns how many reads f makes of the origin.
func cost(origin shared, f func()) int {
	before := origin.Reads()
	f()
	return origin.Reads() - before
}

// TestRanges reads ranges again and again, through each kind of layer, and counts
// what that costs the origin.
func TestRanges(t *testing.T) {
	for _, layering := range []struct {
		name  string
		layer func() cache.Layer
	}{
		{"memory", func() cache.Layer { return cache.Memory(1 << 20) }},
		{"persistent", func() cache.Layer { return cache.Persistent(memstore.New(), 1<<20) }},
		{"archive", func() cache.Layer { return cache.Archive(memstore.New()) }},
	} {
		t.Run(layering.name, func(t *testing.T) {
			base := memstore.New()
			fill(t, base, numbered("k", 1000)...)
			origin := far(t, base, slowstore.Options{})
			s := stackOver(t, origin, layering.layer())
			if err := s.Sync(context.Background()); err != nil {
				t.Fatal(err)
			}
			r := span("k0100", "k0200")
			read := func(r store.Range) []string {
				tx := begin(t, s, false)
				defer tx.Discard()
				return scan(t, tx, r)
			}
			steps := []struct {
				name string
				do   func()
				max  int
			}{
				{"again", func() { check(t, read(r), numbered("k", 200)[200:]) }, 0},
				{"keys only", func() { read(store.Range{Lo: r.Lo, Hi: r.Hi, KeysOnly: true}) }, 0},
				{"in reverse", func() { read(store.Range{Lo: r.Lo, Hi: r.Hi, Reverse: true}) }, 0},
				{"a part", func() { check(t, read(span("k0110", "k0112")), numbered("k", 112)[220:]) }, 0},
				{"keys in it", func() { check(t, []string{newest(t, s, "k0150"), newest(t, s, "k0150x")}, []string{"v150", ""}) }, 0},
				{"counted", func() {
					tx := begin(t, s, false)
					defer tx.Discard()
					if n, err := store.Count(tx, r); n != 100 || err != nil {
						t.Errorf("Count = %d, %v; want 100", n, err)
					}
				}, 0},
				{"beside an insert", func() { fill(t, base, "k0099x", "new"); read(r) }, 1},
				{"after an insert", func() { fill(t, base, "k0150x", "new"); checkHas(t, read(r), "k0150x") }, 3},
				{"after it once more", func() { checkHas(t, read(r), "k0150x") }, 0},
				{"after a deletion", func() { fill(t, base, "k0150x", ""); check(t, read(r), numbered("k", 200)[200:]) }, 0},
				{"after a write through the stack", func() { fill(t, s, "k0101", "mine"); checkHas(t, read(r), "k0101") }, 3},
			}
			read(r)
			for _, step := range steps {
				// Each Begin after a commit may look for another incarnation.
				if n := cost(origin, step.do); n > step.max+1 || step.max == 0 && n > 1 {
					t.Errorf("%s: %d reads of the origin, want %d at most", step.name, n, step.max)
				}
			}
		})
	}
}

func stackOver(t testing.TB, origin store.Store, layers ...cache.Layer) *cache.Store {
	t.Helper()
	s, err := cache.Stack(origin, layers...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func newest(t testing.TB, s store.Store, key string) string {
	t.Helper()
	value, err := store.Get(context.Background(), s, []byte(key))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return string(value)
}

func check(t testing.TB, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %.10q, want %.10q", got, want)
	}
}

func checkHas(t testing.TB, got []string, key string) {
	t.Helper()
	if !slices.Contains(got, key) {
		t.Errorf("%q is not among %d keys and values", key, len(got))
	}
}

// TestOldSnapshots reads in old transactions what others have read, and kept, in
// newer ones: neither may see the other's.
func TestOldSnapshots(t *testing.T) {
	for _, layering := range layerings {
		t.Run(layering.name, func(t *testing.T) {
			base := memstore.New()
			fill(t, base, "a", "0", "b", "0")
			s := stackOver(t, far(t, base, slowstore.Options{}), layering.layers()...)
			var old []store.Tx
			for i := range 5 {
				old = append(old, begin(t, s, false))
				fill(t, base, "a", fmt.Sprint(i+1), fmt.Sprint("new", i), "x")
				if i%2 == 0 {
					tx := begin(t, s, false)
					scan(t, tx, store.Range{})
					tx.Discard()
				}
			}
			for range 2 {
				for i, tx := range old {
					want := []string{"a", fmt.Sprint(i), "b", "0"}
					for n := range i {
						want = append(want, fmt.Sprint("new", n), "x")
					}
					check(t, scan(t, tx, store.Range{}), want)
					check(t, []string{get(t, tx, "a"), get(t, tx, "b"), get(t, tx, fmt.Sprint("new", i))}, []string{fmt.Sprint(i), "0", ""})
				}
				check(t, []string{newest(t, s, "a")}, []string{"5"})
			}
			for _, tx := range old {
				tx.Discard()
			}
		})
	}
}

// TestScanResistance reads some keys often, then everything once: the keys stay.
func TestScanResistance(t *testing.T) {
	base := memstore.New()
	fill(t, base, numbered("k", 10_000)...)
	origin := far(t, base, slowstore.Options{})
	s := stackOver(t, origin, cache.Memory(128<<10)) // of about 750 KiB
	hot := func() {
		for i := 0; i < 10_000; i += 100 {
			newest(t, s, fmt.Sprintf("k%04d", i))
		}
	}
	for range 5 {
		hot()
	}
	tx := begin(t, s, false)
	if got := scan(t, tx, store.Range{}); len(got) != 20_000 {
		t.Errorf("a scan shows %d keys, want 10000", len(got)/2)
	}
	tx.Discard()
	if n := cost(origin, hot); n > 10 {
		t.Errorf("after a scan of everything, %d of 100 hot keys are read of the origin again", n)
	}
	if st := s.Stats().Layers[0]; st.Bytes > 128<<10 || st.Evictions == 0 {
		t.Errorf("the layer holds %d bytes after %d evictions", st.Bytes, st.Evictions)
	}
}

// TestRounds has many begin at the same time: few requests serve them all.
func TestRounds(t *testing.T) {
	base := memstore.New()
	origin := far(t, base, slowstore.Options{Latency: 5 * time.Millisecond})
	s := stackOver(t, origin, cache.Memory(1<<20))
	before := origin.Requests(slowstore.Head)
	began := time.Now()
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			tx, err := s.Begin(context.Background(), false)
			if err != nil {
				t.Error(err)
				return
			}
			tx.Discard()
		})
	}
	wg.Wait()
	n, most := origin.Requests(slowstore.Head)-before, 2+int(time.Since(began)/(5*time.Millisecond))
	if n > most {
		t.Errorf("1000 transactions made %d requests for the newest version, want %d at most", n, most)
	}
}

// TestMissesTogether has many miss the same key at the same time: one request.
func TestMissesTogether(t *testing.T) {
	base := memstore.New()
	fill(t, base, "a", "1")
	origin := far(t, base, slowstore.Options{Latency: 20 * time.Millisecond})
	s := stackOver(t, origin, cache.Memory(1<<20))
	txs := make([]store.Tx, 50)
	for i := range txs {
		txs[i] = begin(t, s, false)
	}
	n := cost(origin, func() {
		var wg sync.WaitGroup
		for _, tx := range txs {
			wg.Go(func() {
				if got := get(t, tx, "a"); got != "1" {
					t.Errorf("a = %q, want 1", got)
				}
				tx.Discard()
			})
		}
		wg.Wait()
	})
	if n != 1 {
		t.Errorf("50 that miss the same key make %d requests, want 1", n)
	}
}
