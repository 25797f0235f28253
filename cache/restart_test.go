package cache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/cache/slowstore"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/faultstore"
	"github.com/kivisdb/kivis/store/memstore"
)

// lasting is a local store that outlives the stack, as a directory does.
type lasting struct{ store.Store }

// Close implements [store.Store].
func (lasting) Close() error { return nil }

// keepers are the layers that outlive the process.
var keepers = []struct {
	name string
	over func(st store.Store) cache.Layer
}{
	{"persistent", func(st store.Store) cache.Layer { return cache.Persistent(st, 1<<20) }},
	{"archive", cache.Archive},
}

// warm opens a stack over an origin and has its layer know everything.
func warm(t testing.TB, origin store.Store, layer cache.Layer) *cache.Store {
	t.Helper()
	s, err := cache.Stack(origin, layer)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	all(t, s)
	return s
}

func all(t testing.TB, s store.Store) []string {
	t.Helper()
	tx := begin(t, s, false)
	defer tx.Discard()
	return scan(t, tx, store.Range{})
}

// TestRestart closes a layer, has others change the origin, and opens it again: it
// answers as the origin does, and only what has changed is read anew.
func TestRestart(t *testing.T) {
	for _, keeper := range keepers {
		t.Run(keeper.name, func(t *testing.T) {
			base, local := memstore.New(), lasting{memstore.New()}
			fill(t, base, numbered("k", 2000)...)
			origin := far(t, base, slowstore.Options{})
			if err := warm(t, origin, keeper.over(local)).Close(); err != nil {
				t.Fatal(err)
			}
			fill(t, base, "k0100", "changed", "k0101", "", "k0102x", "new")
			fill(t, base, "k0102x", "newer")
			before := origin.Bytes()
			s, err := cache.Stack(origin, keeper.over(local))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			check(t, all(t, s), all(t, base))
			if n := origin.Bytes() - before; n > 200 {
				t.Errorf("three keys have changed, and %d bytes were read", n)
			}
			if n := cost(origin, func() { all(t, s) }); n > 1 {
				t.Errorf("read once more, it costs %d reads of the origin", n)
			}
		})
	}
}

// TestRestartAfterGap has the origin forget what a layer has missed.
func TestRestartAfterGap(t *testing.T) {
	for _, keeper := range keepers {
		t.Run(keeper.name, func(t *testing.T) {
			base, local := memstore.New(), lasting{memstore.New()}
			fill(t, base, numbered("k", 200)...)
			origin := far(t, base, slowstore.Options{})
			warm(t, origin, keeper.over(local)).Close()
			fill(t, base, "k0100", "changed")
			if err := base.KeepFeed(context.Background(), &store.Feed{MaxBytes: 1}); err != nil {
				t.Fatal(err)
			}
			fill(t, base, "k0101", "changed")
			s := stackOver(t, origin, keeper.over(local))
			check(t, all(t, s), all(t, base))
		})
	}
}

// swapped is an origin that becomes another, as one does that is restored.
type swapped struct {
	mu sync.Mutex
	shared
}

func (s *swapped) now() shared {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shared
}

func (s *swapped) swap(to shared) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shared = to
}

func (s *swapped) Begin(ctx context.Context, write bool) (store.Tx, error) {
	return s.now().Begin(ctx, write)
}
func (s *swapped) Head(ctx context.Context) (uint64, error) { return s.now().Head(ctx) }
func (s *swapped) Wait(ctx context.Context, after uint64) (uint64, error) {
	return s.now().Wait(ctx, after)
}
func (s *swapped) Changes(ctx context.Context, after uint64, yield func(store.Commit) bool) error {
	return s.now().Changes(ctx, after, yield)
}

// TestRestoredOrigin has the origin be replaced by one of another incarnation,
// whose versions are lower, or higher.
func TestRestoredOrigin(t *testing.T) {
	for name, commits := range map[string]int{"lower versions": 0, "higher versions": 20} {
		for _, keeper := range keepers {
			t.Run(keeper.name+"/"+name, func(t *testing.T) {
				life := func(s store.Store, n int) {
					fill(t, s, string(schema.IncarnationKey()), string(schema.NewIncarnation().Encode()))
					fill(t, s, "a", fmt.Sprint("a", n), "b", fmt.Sprint("b", n))
					for i := range n {
						fill(t, s, "c", fmt.Sprint(i))
					}
				}
				first, second := memstore.New(), memstore.New()
				life(first, 10)
				life(second, commits)
				origin := &swapped{shared: far(t, first, slowstore.Options{})}
				s := warm(t, origin, keeper.over(memstore.New()))
				defer s.Close()
				old := begin(t, s, false)
				defer old.Discard()
				origin.swap(far(t, second, slowstore.Options{}))
				for range 3 {
					check(t, all(t, s), all(t, second))
					check(t, []string{newest(t, s, "a")}, []string{fmt.Sprint("a", commits)})
				}
				check(t, []string{get(t, old, "a")}, []string{"a10"})
				if fill(t, s, "d", "1"); newest(t, second, "d") != "1" {
					t.Error("a commit has not reached the origin that is there now")
				}
				if err := s.Sync(context.Background()); err != nil {
					t.Error(err)
				}
				check(t, all(t, s), all(t, second))
			})
		}
	}
}

// TestAnotherOrigin opens a layer's store over an origin of another incarnation.
func TestAnotherOrigin(t *testing.T) {
	for _, keeper := range keepers {
		t.Run(keeper.name, func(t *testing.T) {
			local := lasting{memstore.New()}
			for n := range 3 {
				base := memstore.New()
				fill(t, base, string(schema.IncarnationKey()), string(schema.NewIncarnation().Encode()))
				fill(t, base, "a", fmt.Sprint(n), "b"+fmt.Sprint(n), "x")
				s := warm(t, far(t, base, slowstore.Options{}), keeper.over(local))
				check(t, all(t, s), all(t, base))
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestForeign has a database taken for a layer, and a layer for a database.
func TestForeign(t *testing.T) {
	type Thing struct {
		ID   uint64 `kivis:"key"`
		Name string
	}
	ctx := context.Background()
	database := lasting{memstore.New()}
	db, err := kivis.Open(database, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Register(&Thing{}); err != nil {
		t.Fatal(err)
	}
	db.Close()
	other := memstore.New()
	fill(t, other, "key", "value")
	for _, keeper := range keepers {
		for name, st := range map[string]store.Store{"a database": database, "something else": other} {
			before := all(t, st)
			if s, err := cache.Stack(memstore.New(), keeper.over(st)); err == nil {
				s.Close()
				t.Errorf("%s: %s was taken for a layer", keeper.name, name)
			}
			check(t, all(t, st), before)
		}
		local := lasting{memstore.New()}
		origin := memstore.New()
		s := warm(t, origin, keeper.over(local))
		layered, err := kivis.Open(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := layered.Register(&Thing{}); err != nil {
			t.Fatal(err)
		}
		things := kivis.TableBy[Thing, uint64](layered)
		if _, err := things.Insert(ctx, &Thing{ID: 1, Name: "one"}); err != nil {
			t.Fatal(err)
		}
		if err := s.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		layered.Close()
		if db, err := kivis.Open(local, nil); err == nil {
			db.Close()
			t.Errorf("%s: a layer was opened as a database", keeper.name)
		}
	}
}

// TestDamage changes each byte of what a layer keeps, some at a time: it answers as
// the origin does.
func TestDamage(t *testing.T) {
	for _, keeper := range keepers {
		t.Run(keeper.name, func(t *testing.T) {
			base := memstore.New()
			fill(t, base, numbered("k", 20)...)
			origin := far(t, base, slowstore.Options{})
			local := memstore.New()
			warm(t, origin, keeper.over(lasting{local})).Close()
			entries := all(t, local)
			want := all(t, base)
			for i := 0; i < len(entries); i += 2 {
				for at := range len(entries[i+1]) {
					damaged := memstore.New()
					fill(t, damaged, entries...)
					value := []byte(entries[i+1])
					value[at] ^= 0x40
					fill(t, damaged, entries[i], string(value))
					s, err := cache.Stack(origin, keeper.over(damaged))
					if err != nil {
						if entries[i] == "\x00" && at < len("kivis layer") {
							continue // no layer's mark any more
						}
						t.Fatalf("key %q, byte %d: %v", entries[i], at, err)
					}
					check(t, all(t, s), want)
					check(t, []string{newest(t, s, "k0007"), newest(t, s, "k0007x")}, []string{"v7", ""})
					check(t, all(t, s), want)
					s.Close()
				}
			}
		})
	}
}

// TestLocalFaults has each call of a layer's store fail, one after the other: the
// stack answers on, and so does one that is opened over what is left.
func TestLocalFaults(t *testing.T) {
	errDisk := errors.New("disk on fire")
	for _, keeper := range keepers {
		t.Run(keeper.name, func(t *testing.T) {
			n := faultstore.Sweep(errDisk, func(n int, inject faultstore.Inject) {
				base := memstore.New()
				fill(t, base, numbered("k", 30)...)
				local := memstore.New()
				origin := far(t, base, slowstore.Options{})
				s, err := cache.Stack(origin, keeper.over(faultstore.Wrap(lasting{local}, inject)))
				if err == nil {
					exercise(t, s, base)
					s.Close()
				} else if !errors.Is(err, errDisk) {
					t.Errorf("fault %d: %v", n, err)
				}
				fill(t, base, "k0003", fmt.Sprint("after fault ", n))
				again := stackOver(t, origin, keeper.over(local))
				check(t, all(t, again), all(t, base))
				exercise(t, again, base)
			}, faultstore.Begin, faultstore.Get, faultstore.Scan, faultstore.Next, faultstore.Set, faultstore.Delete, faultstore.Commit, faultstore.Committed)
			if n < 50 {
				t.Errorf("%d calls were failed, want more", n)
			}
		})
	}
}

// exercise reads and writes through a stack, and compares with the origin.
func exercise(t *testing.T, s, base store.Store) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 12 {
		key := fmt.Sprintf("k%04d", rnd.IntN(40))
		switch rnd.IntN(4) {
		case 0:
			fill(t, s, key, fmt.Sprint(rnd.Int()))
		case 1:
			fill(t, base, key, "", fmt.Sprintf("k%04d", rnd.IntN(40)), "base")
		case 2:
			check(t, []string{newest(t, s, key)}, []string{newest(t, base, key)})
		default:
			tx, other := begin(t, s, false), begin(t, base, false)
			r := store.Range{Lo: []byte(key), Reverse: rnd.IntN(2) == 0}
			check(t, scan(t, tx, r), scan(t, other, r))
			tx.Discard()
			other.Discard()
		}
	}
	check(t, all(t, s), all(t, base))
}

// TestOffline cuts the origin off: what is here is answered to those who ask for
// it, writes fail at once, and all goes on when the origin is back.
func TestOffline(t *testing.T) {
	for _, keeper := range keepers {
		t.Run(keeper.name, func(t *testing.T) {
			ctx := context.Background()
			base, local := memstore.New(), lasting{memstore.New()}
			fill(t, base, numbered("k", 100)...)
			origin := far(t, base, slowstore.Options{})
			s := warm(t, origin, keeper.over(local))
			want := all(t, base)
			origin.Cut()
			for round := range 2 {
				began := time.Now()
				for _, write := range []bool{false, true} {
					if _, err := s.Begin(ctx, write); !errors.Is(err, cache.ErrUnreachable) {
						t.Errorf("Begin(write %v) without the origin: %v, want ErrUnreachable", write, err)
					}
				}
				if _, err := s.Begin(cache.Offline(ctx), true); !errors.Is(err, cache.ErrUnreachable) {
					t.Errorf("Begin to write offline: %v, want ErrUnreachable", err)
				}
				if d := time.Since(began); d > time.Second {
					t.Errorf("to be refused took %v", d)
				}
				tx, err := s.Begin(cache.Offline(ctx), false)
				if err != nil {
					t.Fatalf("round %d: Begin offline: %v", round, err)
				}
				check(t, scan(t, tx, store.Range{}), want)
				check(t, []string{get(t, tx, "k0001"), get(t, tx, "absent")}, []string{"v1", ""})
				tx.Discard()
				if v, err := store.Get(cache.Offline(ctx), s, []byte("k0001")); string(v) != "v1" || err != nil {
					t.Errorf("round %d: store.Get offline = %q, %v", round, v, err)
				}
				if age := s.Age(); age <= 0 || age > time.Minute {
					t.Errorf("the age is %v", age)
				}
				if round == 0 {
					// Once more, opened without the origin.
					s.Close()
					if s, err = cache.Stack(origin, keeper.over(local)); err != nil {
						t.Fatal(err)
					}
				}
			}
			fill(t, base, "k0001", "new")
			origin.Mend()
			check(t, all(t, s), all(t, base))
			fill(t, s, "k0002", "newer")
			check(t, all(t, s), all(t, base))
			s.Close()
		})
	}
}

// TestOfflineUnknown reads offline what no layer knows.
func TestOfflineUnknown(t *testing.T) {
	base := memstore.New()
	fill(t, base, numbered("k", 100)...)
	origin := far(t, base, slowstore.Options{})
	s := stackOver(t, origin, cache.Memory(1<<20))
	if got := newest(t, s, "k0001"); got != "v1" {
		t.Fatal(got)
	}
	origin.Cut()
	tx, err := s.Begin(cache.Offline(context.Background()), false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	check(t, []string{get(t, tx, "k0001")}, []string{"v1"})
	if _, err := tx.Get([]byte("k0002")); !errors.Is(err, cache.ErrUnreachable) {
		t.Errorf("a key that is not here: %v, want ErrUnreachable", err)
	}
	if _, err := scanned(tx, store.Range{}); !errors.Is(err, cache.ErrUnreachable) {
		t.Errorf("a range that is not here: %v, want ErrUnreachable", err)
	}
	origin.Mend()
	if _, err := tx.Get([]byte("k0002")); err != nil {
		t.Errorf("a key, when the origin is back: %v", err)
	}
}

// TestNew refuses what cannot be a stack.
func TestNew(t *testing.T) {
	for _, test := range []struct {
		name   string
		origin store.Store
		opts   *cache.Options
		layer  cache.Layer
		want   string
	}{
		{"an origin without a feed", faultstore.Wrap(memstore.New(), nil), nil, cache.Memory(1 << 20), "store.Feeder"},
		{"no layer", memstore.New(), nil, cache.Layer{}, "no layer"},
		{"a layer without a store", memstore.New(), nil, cache.Archive(nil), "with a store"},
		{"too small a layer", memstore.New(), nil, cache.Memory(100), "want 16384 at least"},
		{"a negative lag", memstore.New(), &cache.Options{Lag: -1}, cache.Memory(1 << 20), "Options.Lag"},
	} {
		s, err := cache.New(test.origin, test.opts, test.layer)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error that says %q", test.name, err, test.want)
		}
		if s != nil && err != nil {
			t.Errorf("%s: both an error and a store", test.name)
		}
	}
}

// TestLag begins on a version that was the newest not long ago, without asking.
func TestLag(t *testing.T) {
	base := memstore.New()
	fill(t, base, "a", "1")
	origin := far(t, base, slowstore.Options{})
	s, err := cache.New(origin, &cache.Options{Lag: time.Hour}, cache.Memory(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	check(t, []string{newest(t, s, "a")}, []string{"1"})
	fill(t, base, "a", "2")
	n := origin.Requests()
	check(t, []string{newest(t, s, "a")}, []string{"1"})
	if n := origin.Requests() - n; n > 0 {
		t.Errorf("a read that may lag makes %d requests", n)
	}
	tx := begin(t, s, true)
	check(t, []string{get(t, tx, "a")}, []string{"2"})
	tx.Discard()
	check(t, []string{newest(t, s, "a")}, []string{"2"})
	fill(t, s, "a", "3")
	check(t, []string{newest(t, s, "a")}, []string{"3"})
}

// TestKilled kills a layer between any two commits of its store, while it copies,
// fills, follows, keeps and forgets: opened again over what it had by then, it
// answers as the origin does, which has gone on.
func TestKilled(t *testing.T) {
	for _, keeper := range []struct {
		name string
		over func(st store.Store) cache.Layer
	}{
		{"persistent", func(st store.Store) cache.Layer { return cache.Persistent(st, 16<<10) }},
		{"archive", cache.Archive},
	} {
		t.Run(keeper.name, func(t *testing.T) {
			base, local := memstore.New(), memstore.New()
			fill(t, base, numbered("k", 300)...)
			origin := far(t, base, slowstore.Options{})
			var mu sync.Mutex
			states := [][]string{nil}
			local.OnCommit(func(uint64, []store.Change) {
				mu.Lock()
				defer mu.Unlock()
				states = append(states, all(t, local))
			})
			s, err := cache.Stack(origin, keeper.over(lasting{local}))
			if err != nil {
				t.Fatal(err)
			}
			keep := func(ctx context.Context) ([]store.Range, uint64, error) {
				tx, err := s.Begin(ctx, false)
				if err != nil {
					return nil, 0, err
				}
				defer tx.Discard()
				return []store.Range{span("k0100", "k0150")}, tx.Version(), nil
			}
			if err := s.Keep(context.Background(), "some", keep); err != nil {
				t.Fatal(err)
			}
			for range 4 {
				exercise(t, s, base)
			}
			if err := s.Sync(context.Background()); err != nil {
				t.Fatal(err)
			}
			if err := s.Forget("some"); err != nil {
				t.Fatal(err)
			}
			exercise(t, s, base)
			s.Close()
			fill(t, base, "k0003", "after all", "k0120", "", "k0121x", "new")
			mu.Lock()
			defer mu.Unlock()
			for i := 0; i < len(states); i += 1 + len(states)/200 {
				left := memstore.New()
				if len(states[i]) > 0 {
					fill(t, left, states[i]...)
				}
				again, err := cache.Stack(origin, keeper.over(left))
				if err != nil {
					t.Fatalf("after commit %d of %d: %v", i, len(states), err)
				}
				for range 2 {
					check(t, all(t, again), all(t, base))
					check(t, []string{newest(t, again, "k0120"), newest(t, again, "k0121x")}, []string{"", "new"})
				}
				if err := again.Sync(context.Background()); err != nil {
					t.Errorf("after commit %d: %v", i, err)
				}
				if t.Failed() {
					t.Fatalf("after commit %d of %d", i, len(states))
				}
				again.Close()
			}
			if len(states) < 20 {
				t.Errorf("there were %d commits, want more", len(states))
			}
		})
	}
}
