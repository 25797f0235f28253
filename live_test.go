package kivis_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/memstore"
)

// puller pulls from an iterator that waits, with a deadline.
type puller[V any] struct {
	t    testing.TB
	next func() (V, error, bool)
}

func pull[V any](t testing.TB, seq iter.Seq2[V, error]) puller[V] {
	t.Helper()
	next, stop := iter.Pull2(seq)
	t.Cleanup(stop)
	return puller[V]{t, next}
}

// want returns the next value.
func (p puller[V]) want() V {
	p.t.Helper()
	v, err, ok := p.next()
	if !ok || err != nil {
		p.t.Fatalf("it ended, error %v", err)
	}
	return v
}

// wantEnd checks that the next is an error, any where want is nil, and the last.
func (p puller[V]) wantEnd(want error) {
	p.t.Helper()
	_, err, ok := p.next()
	if !ok || err == nil || want != nil && !errors.Is(err, want) {
		p.t.Errorf("it goes on %v with error %v, want %v", ok, err, want)
	}
	if _, err, ok := p.next(); ok {
		p.t.Errorf("after its error it yields another, %v", err)
	}
}

// deadline returns a context that fails a test which waits for ever.
func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(bg, time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestLive(t *testing.T) {
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		items := seedItems(t, db, 10)
		var runs atomic.Int32
		live := pull(t, kivis.Live(deadline(t), db, func(ctx context.Context, tx *kivis.Tx) (int, error) {
			runs.Add(1)
			return items.With(tx).Where(itemGroup.Eq("new")).Count(ctx)
		}))
		if n := live.want(); n != 0 {
			t.Errorf("at first %d", n)
		}
		must(items.Insert(bg, &Item{Group: "new"}))(t)
		if n := live.want(); n != 1 {
			t.Errorf("after a commit %d", n)
		}
		for range 100 { // while nobody asks
			must(items.Insert(bg, &Item{Group: "new"}))(t)
		}
		before := runs.Load()
		if n := live.want(); n != 101 {
			t.Errorf("after a hundred commits %d", n)
		}
		if again := runs.Load() - before; again != 1 {
			t.Errorf("it ran %d times for a hundred commits that nobody looked at", again)
		}
		must(items.Insert(bg, &Item{Group: "other"}))(t) // beside what it reads
		must(items.Modify(bg, 1, func(i *Item) error { i.Small++; return nil }))(t)
		must(items.Insert(bg, &Item{Group: "new"}))(t)
		if n := live.want(); n != 102 || runs.Load() != before+2 {
			t.Errorf("after commits beside it %d, in %d runs", n, runs.Load()-before)
		}
	})
}

// TestLiveEqual: a result that is equal is not yielded again.
func TestLiveEqual(t *testing.T) {
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		items := seedItems(t, db, 10)
		live := pull(t, kivis.Live(deadline(t), db, func(ctx context.Context, tx *kivis.Tx) ([]int, error) {
			n, err := items.With(tx).Count(ctx)
			return []int{n / 5}, err
		}))
		live.want()
		go func() {
			for range 4 {
				items.Insert(bg, &Item{})
				time.Sleep(5 * time.Millisecond)
			}
			items.Insert(bg, &Item{})
		}()
		if got := live.want(); got[0] != 3 {
			t.Errorf("the next result is %v", got)
		}
	})
}

func TestLiveEnds(t *testing.T) {
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		items := seedItems(t, db, 3)
		count := func(ctx context.Context, tx *kivis.Tx) (int, error) { return items.With(tx).Count(ctx) }
		ctx, cancel := context.WithCancel(deadline(t))
		ended := pull(t, kivis.Live(ctx, db, count))
		ended.want()
		cancel()
		ended.wantEnd(context.Canceled)

		fault := errors.New("fault")
		pull(t, kivis.Live(deadline(t), db, func(context.Context, *kivis.Tx) (int, error) { return 0, fault })).wantEnd(fault)
		pull(t, kivis.Live[int](deadline(t), db, nil)).wantEnd(nil)
		pull(t, kivis.Live(deadline(t), nil, count)).wantEnd(nil)
		//lint:ignore SA1012 a nil context is a caller's mistake
		pull(t, kivis.Live(nil, db, count)).wantEnd(nil)
		check(t, db.View(bg, func(ctx context.Context, tx *kivis.Tx) error {
			pull(t, kivis.Live(ctx, db, count)).wantEnd(kivis.ErrInTx)
			pull(t, items.With(tx).Query().Watch(ctx)).wantEnd(nil)
			pull(t, items.With(tx).Changes(ctx, "")).wantEnd(nil)
			pull(t, items.With(tx).Follow(ctx, "")).wantEnd(nil)
			return nil
		}))
		for _, err := range kivis.Live(deadline(t), db, count) {
			check(t, err)
			break
		}
		if open := db.Stats().OpenTx; open != 0 {
			t.Errorf("%d transactions are open after all has ended", open)
		}
		closed := pull(t, kivis.Live(deadline(t), db, count))
		watched := pull(t, items.Query().Watch(deadline(t)))
		followed := pull(t, items.Changes(deadline(t), must(db.Position(bg))(t)))
		closed.want()
		watched.want()
		down := make(chan error, 1)
		time.AfterFunc(10*time.Millisecond, func() { down <- db.Close() })
		followed.wantEnd(kivis.ErrClosed)
		closed.wantEnd(kivis.ErrClosed)
		watched.wantEnd(kivis.ErrClosed)
		check(t, <-down)
	})
}

// applyResult makes the changes of a result, as a reader does.
func applyResult(t testing.TB, keys []kivis.ID[Item], last []Item, r kivis.Result[Item, kivis.ID[Item]]) ([]kivis.ID[Item], []Item) {
	t.Helper()
	keys, last = slices.Clone(keys), slices.Clone(last)
	for _, c := range r.Changes {
		if c.Kind != kivis.Inserted {
			if keys[c.From] != c.Key {
				t.Fatalf("%+v: at %d is %v", c, c.From, keys[c.From])
			}
			keys, last = slices.Delete(keys, c.From, c.From+1), slices.Delete(last, c.From, c.From+1)
		}
		if c.Kind != kivis.Deleted {
			keys, last = slices.Insert(keys, c.To, c.Key), slices.Insert(last, c.To, r.Records[c.To])
		}
	}
	return keys, last
}

// TestWatchModel runs live queries beside random commits: what each shows in the
// end is what it finds when asked anew, and its changes lead there.
func TestWatchModel(t *testing.T) {
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		seed := rand.Uint64()
		rnd := rand.New(rand.NewPCG(seed, 2))
		items := seedItems(t, db, 40)
		watches := 50
		commits := 300
		if testing.Short() {
			commits = 60
		}
		type shown struct {
			mu   sync.Mutex
			last kivis.Result[Item, kivis.ID[Item]]
			keys []kivis.ID[Item]
			recs []Item
		}
		ctx, cancel := context.WithCancel(deadline(t))
		var wg sync.WaitGroup
		queries := make([]kivis.Query[Item, kivis.ID[Item]], watches)
		results := make([]shown, watches)
		for i := range queries {
			queries[i] = randomWatch(rnd, items)
			wg.Go(func() {
				s := &results[i]
				for r, err := range queries[i].Watch(ctx) {
					if err != nil {
						if ctx.Err() == nil {
							t.Errorf("seed %d: %v", seed, err)
						}
						return
					}
					s.mu.Lock()
					s.keys, s.recs = applyResult(t, s.keys, s.recs, r)
					s.last = r
					s.mu.Unlock()
				}
			})
		}
		for range commits / 20 {
			for range 20 {
				randomCommit(t, rnd, items, db)
			}
			for i := range queries {
				want := must(queries[i].Collect(bg))(t)
				settled := func() bool {
					s := &results[i]
					s.mu.Lock()
					defer s.mu.Unlock()
					return reflect.DeepEqual(s.last.Records, want) && reflect.DeepEqual(s.recs, want) || len(want) == 0 && len(s.recs) == 0
				}
				for end := time.Now().Add(20 * time.Second); !settled(); time.Sleep(time.Millisecond) {
					if time.Now().After(end) {
						t.Fatalf("seed %d: query %d shows %v, and finds %v", seed, i, results[i].last, want)
					}
				}
			}
		}
		cancel()
		wg.Wait()
	})
}

func randomWatch(rnd *rand.Rand, items kivis.Table[Item, kivis.ID[Item]]) kivis.Query[Item, kivis.ID[Item]] {
	q := items.Query()
	switch rnd.IntN(4) {
	case 0:
		q = q.Where(itemGroup.Eq(string(rune('a' + rnd.IntN(3)))))
	case 1:
		q = q.Where(itemN.Ge(rnd.IntN(20)))
	case 2:
		q = q.Where(kivis.IsNil(itemScore))
	}
	switch rnd.IntN(3) {
	case 0:
		q = q.OrderBy(itemN.Desc())
	case 1:
		q = q.OrderBy(itemGroup.Asc(), itemSmall.Asc())
	}
	if rnd.IntN(2) == 0 {
		q = q.Limit(1 + rnd.IntN(8)).Offset(rnd.IntN(3))
	}
	return q
}

func randomCommit(t testing.TB, rnd *rand.Rand, items kivis.Table[Item, kivis.ID[Item]], db *kivis.DB) {
	t.Helper()
	check(t, db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
		items := items.With(tx)
		for range 1 + rnd.IntN(3) {
			id := kivis.ID[Item](1 + rnd.IntN(60))
			score := rnd.Float64()
			rec := Item{Group: string(rune('a' + rnd.IntN(3))), N: rnd.IntN(20), Small: int8(rnd.IntN(5))}
			if rnd.IntN(2) == 0 {
				rec.Score = &score
			}
			var err error
			switch rnd.IntN(4) {
			case 0:
				_, err = items.Insert(ctx, &rec)
			case 1:
				err = items.Delete(ctx, id)
			default:
				_, err = items.Modify(ctx, id, func(i *Item) error { rec.Auto = i.Auto; *i = rec; return nil })
			}
			if err != nil && !errors.Is(err, kivis.ErrNotFound) {
				return err
			}
		}
		return nil
	}))
}

// TestWatchEndsWithTheLast: a query with a limit is not run again for what lies
// beyond the last record that it returns.
func TestWatchEndsWithTheLast(t *testing.T) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			tr := &watchTracer{}
			db := openWith(t, s.open(t), &kivis.Options{Tracer: tr}, &Item{})
			items := kivis.TableOf[Item](db)
			for i := range 200 {
				must(items.Insert(bg, &Item{N: i}))(t)
			}
			top := pull(t, items.Query().OrderBy(itemN.Asc()).Limit(5).Watch(deadline(t)))
			if r := top.want(); len(r.Records) != 5 || len(r.Changes) != 5 {
				t.Fatalf("it finds %+v", r)
			}
			for i := range 100 {
				must(items.Insert(bg, &Item{N: 5 + i}))(t)
				must(items.Modify(bg, kivis.ID[Item](10+i), func(r *Item) error { r.Small++; return nil }))(t)
			}
			if n := tr.watches.Load(); n != 1 {
				t.Errorf("it ran %d times for what lies beyond", n)
			}
			must(items.Insert(bg, &Item{N: -1}))(t)
			r := top.want()
			want := []string{"deleted 4 -1", "inserted -1 0"}
			var got []string
			for _, c := range r.Changes {
				got = append(got, fmt.Sprint(c.Kind, " ", c.From, " ", c.To))
			}
			if !slices.Equal(got, want) || tr.watches.Load() != 2 {
				t.Errorf("changes %v in %d runs, want %v", got, tr.watches.Load(), want)
			}
		})
	}
}

// watchTracer counts the runs of watched queries.
type watchTracer struct{ watches atomic.Int32 }

func (w *watchTracer) Start(ctx context.Context, op kivis.Op) context.Context {
	if op.Call == "watch" {
		w.watches.Add(1)
	}
	return ctx
}

func (w *watchTracer) End(context.Context, kivis.Outcome) {}

// TestWatchAcrossRegister: a change of the schema has a query planned anew.
func TestWatchAcrossRegister(t *testing.T) {
	st := memstore.New()
	db := openDB(t, kept{st}, &itemPlain{})
	must(kivis.TableOf[itemPlain](db).Insert(bg, &itemPlain{N: 1}))(t)
	check(t, db.Close())
	db = openDB(t, st)
	watched := pull(t, kivis.TableNamed(db, "things").Where("N = 1").Watch(deadline(t)))
	if r := watched.want(); len(r.Records) != 1 {
		t.Fatalf("it finds %v", r.Records)
	}
	check(t, db.Register(&itemIndexed{}))
	must(kivis.TableOf[itemIndexed](db).Insert(bg, &itemIndexed{N: 1, More: "more"}))(t)
	r := watched.want()
	for len(r.Records) != 2 { // which may be one with the new layout alone
		r = watched.want()
	}
	if more := must(r.Records[1].Get("More"))(t); more != "more" {
		t.Errorf("the new field is %v", more)
	}
}

type itemPlain struct {
	_ struct{} `kivis:"table=things"`
	kivis.Auto[itemPlain]
	N int
}

type itemIndexed struct {
	_ struct{} `kivis:"table=things"`
	kivis.Auto[itemIndexed]
	N    int `kivis:"index"`
	More string
}

// TestWatchSleeper: a reader that sleeps while others write costs nothing more.
func TestWatchSleeper(t *testing.T) {
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		items := seedItems(t, db, 5)
		watched := pull(t, items.Query().Limit(3).Watch(deadline(t)))
		watched.want()
		n := 20_000
		if testing.Short() {
			n = 2_000
		}
		check(t, db.Bulk(bg, nil, func(ctx context.Context, b *kivis.Bulk) error {
			for i := range n {
				if _, err := items.With(b).Modify(ctx, 1, func(r *Item) error { r.N = i; return nil }); err != nil {
					return err
				}
			}
			return nil
		}))
		r := watched.want()
		if r.Records[0].N != n-1 || len(r.Changes) != 1 {
			t.Errorf("it shows %+v", r)
		}
	})
}
