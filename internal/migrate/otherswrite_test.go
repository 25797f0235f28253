package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/cache/slowstore"
	"github.com/kivisdb/kivis/store/memstore"
)

// sharedFar is an origin far away, which outlives those in front of it.
type sharedFar struct{ *slowstore.Store }

func (sharedFar) Close() error { return nil }

// goods writes n goods of the first version.
func goods(t *testing.T, db *kivis.DB, n int) {
	t.Helper()
	list := make([]good1, n)
	for i := range list {
		list[i] = good1{Name: fmt.Sprint("good ", i), Level: i % 17, Old: fmt.Sprint("old", i)}
	}
	check(t, second(kivis.TableOf[good1](db).InsertMany(t.Context(), list)))
}

// TestOthersSeenOffline has one program change the schema while another has an
// archive: once that has followed it is read as changed, also without the origin, and
// after a restart.
func TestOthersSeenOffline(t *testing.T) {
	for _, other := range others {
		t.Run(other.name, func(t *testing.T) {
			ctx := t.Context()
			base, local := memstore.New(), kept{memstore.New()}
			db := open(t, shared{base}, nil, &good1{})
			goods(t, db, 200)
			check(t, db.Close())
			origin := slowstore.Wrap(base, slowstore.Options{})
			stack := must(cache.Stack(sharedFar{origin}, cache.Memory(64<<10), cache.Archive(local)))(t)
			b := open(t, stack, nil, &good1{})
			check(t, stack.Sync(ctx))
			check(t, second(kivis.TableNamed(b, "goods").Query().Collect(ctx)))

			db = open(t, must(cache.Stack(shared{base}, cache.Memory(1<<20)))(t), nil)
			if other.drop {
				check(t, db.Drop(ctx, "goods"))
			}
			check(t, db.Register(other.records...))
			want := texts(t, must(kivis.TableNamed(db, other.table).Query().Collect(ctx))(t))
			check(t, stack.Sync(ctx))
			origin.Cut()
			read := func(b *kivis.DB, when string) {
				t.Helper()
				got, err := kivis.TableNamed(b, other.table).Query().Collect(cache.Offline(ctx))
				if texts := texts(t, got); err != nil || !slices.Equal(texts, want) {
					t.Errorf("%s: %v\n%s\nwant\n%s", when, err, strings.Join(texts, "\n"), strings.Join(want, "\n"))
				}
				if _, err := kivis.TableOf[good1](b).Query().Collect(cache.Offline(ctx)); err != nil && !isHelpful(err) {
					t.Errorf("%s: the older type: %v", when, err)
				}
			}
			read(b, "cut off")
			check(t, b.Close())
			stack = must(cache.Stack(sharedFar{origin}, cache.Memory(64<<10), cache.Archive(local)))(t)
			b = open(t, stack, nil)
			if err := b.RegisterContext(cache.Offline(ctx), &good1{}); err != nil && !errors.As(err, new(*kivis.SchemaChangeError)) && !errors.Is(err, kivis.ErrUnreachable) {
				t.Errorf("Register of the older type, cut off: %v", err)
			}
			got, err := kivis.TableNamed(b, other.table).Query().Collect(cache.Offline(ctx))
			if texts := texts(t, got); err != nil || !slices.Equal(texts, want) {
				t.Errorf("restarted, cut off: %v\n%s\nwant\n%s", err, strings.Join(texts, "\n"), strings.Join(want, "\n"))
			}
			origin.Mend()
			check(t, b.Close())
			check(t, db.Close())
		})
	}
}

// TestOthersWrite has one program write, without an end, while another changes the
// schema: what has been acknowledged is there afterwards, and the writer goes on or is
// told why not.
func TestOthersWrite(t *testing.T) {
	for _, place := range places {
		for _, other := range others {
			if other.drop {
				continue
			}
			t.Run(place.name+"/"+other.name, func(t *testing.T) {
				ctx, programs := t.Context(), place.open(t)
				b := open(t, programs(), nil, &good1{})
				goods(t, b, 1500)
				w := writing{t: t, names: map[string]bool{}}
				for i := range 3 {
					w.wg.Go(func() { w.run(b, i) })
				}
				t.Cleanup(func() { w.stop.Do(func() { close(w.done()) }); w.wg.Wait() }) // where the test fails
				w.wait(20)
				db := open(t, programs(), nil)
				if err := db.Register(other.records...); err != nil {
					t.Fatal(err)
				}
				w.stop.Do(func() { close(w.done()) })
				w.wg.Wait()
				tb := kivis.TableNamed(db, other.table)
				if n := must(tb.Count(ctx))(t); n != 1500+len(w.names) {
					t.Errorf("%d records, want 1500 and %d that were written meanwhile", n, len(w.names))
				}
				for r, err := range tb.Query().All(ctx) {
					check(t, err)
					name, err := r.Get("Name")
					if err != nil {
						name = must(r.Get("Title"))(t)
					}
					delete(w.names, name.(string))
				}
				if len(w.names) > 0 {
					t.Errorf("%d records that were acknowledged are gone", len(w.names))
				}
				clean(t, db)
				check(t, b.Close())
				check(t, db.Close())
			})
		}
	}
}

// writing is who writes meanwhile.
type writing struct {
	t     *testing.T
	wg    sync.WaitGroup
	stop  sync.Once
	ended chan struct{}
	mu    sync.Mutex
	names map[string]bool // of what has been acknowledged
}

func (w *writing) done() chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended == nil {
		w.ended = make(chan struct{})
	}
	return w.ended
}

// wait waits until n records have been written.
func (w *writing) wait(n int) {
	for range 10_000 {
		w.mu.Lock()
		written := len(w.names)
		w.mu.Unlock()
		if written >= n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	w.t.Fatal("nothing is written")
}

// run writes until it may not, with pauses: the commit that begins a migration has to
// find a moment without a write of another program's, and none comes where a loop in
// memory leaves out pauses. Register then gives up with ErrConflict, as the guide says.
func (w *writing) run(db *kivis.DB, who int) {
	for i := 0; ; i++ {
		select {
		case <-w.done():
			return
		default:
		}
		name := fmt.Sprint("meanwhile ", who, " ", i)
		_, err := kivis.TableOf[good1](db).Insert(context.Background(), &good1{Name: name, Level: 3})
		if err != nil {
			if !isHelpful(err) && !errors.Is(err, kivis.ErrConflict) {
				w.t.Errorf("a write meanwhile: %v", err)
			}
			return
		}
		w.mu.Lock()
		w.names[name] = true
		w.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
}

// TestFeedAcross tells what a position from before a change of the schema is good for
// after it: where the records have other keys it is not known what became of them, and
// Follow begins anew.
func TestFeedAcross(t *testing.T) {
	ctx := t.Context()
	st := shared{memstore.New()}
	db := open(t, st, nil, &good1{})
	goods(t, db, 5)
	before := must(db.Position(ctx))(t)
	fails := kivis.Migrate(func(g good1) (goodKeyed, error) { return goodKeyed{Name: "same"}, nil })
	check(t, db.Close())
	db = open(t, st, nil)
	if err := db.Register(&goodKeyed{}, fails); err == nil {
		t.Fatal("a change of keys that fails is let in")
	}
	check(t, db.Close())
	db = open(t, st, nil, &good1{})
	must(kivis.TableOf[good1](db).Insert(ctx, &good1{Name: "good 5"}))(t)
	for c, err := range kivis.TableOf[good1](db).Changes(ctx, before) { // nothing has happened to the table
		check(t, err)
		if c.Record.Name != "good 5" || c.Kind != kivis.Inserted {
			t.Errorf("told %+v", c)
		}
		break
	}
	check(t, db.Close())

	db = open(t, st, nil, &goodKeyed{}, &plain{}, kivis.Migrate(goodToKeyed))
	keyed := kivis.TableBy[goodKeyed, string](db)
	must(kivis.TableBy[plain, int](db).Insert(ctx, &plain{ID: 1}))(t)
	for range 2 {
		for _, err := range keyed.Changes(ctx, before) {
			if !errors.Is(err, kivis.ErrGap) || !strings.Contains(err.Error(), "other keys") {
				t.Errorf("Changes from a position before the change of keys: %v", err)
			}
		}
		var told []string
		for c, err := range keyed.Follow(ctx, before) {
			check(t, err)
			if told = append(told, c.Kind.String()+" "+c.Key); c.Kind == kivis.Ready {
				break
			}
		}
		if got := strings.Join(told, ", "); !strings.HasPrefix(got, "reset , inserted good 0, ") || len(told) != 8 {
			t.Errorf("Follow tells %s", got)
		}
	}
	for c, err := range kivis.TableBy[plain, int](db).Changes(ctx, before) { // a table that is new
		check(t, err)
		if c.Key != 1 || c.Kind != kivis.Inserted {
			t.Errorf("told %+v", c)
		}
		break
	}
	after := must(db.Position(ctx))(t)
	must(keyed.Insert(ctx, &goodKeyed{Name: "good 6"}))(t)
	for c, err := range keyed.Changes(ctx, after) {
		check(t, err)
		if c.Key != "good 6" {
			t.Errorf("told %+v", c)
		}
		break
	}
	check(t, db.Drop(ctx, "goods"))
	for _, err := range keyed.Changes(ctx, after) {
		if !errors.Is(err, kivis.ErrNotRegistered) {
			t.Errorf("Changes of a table that was dropped: %v", err)
		}
	}
	check(t, db.Register(&goodAgain{}))
	for _, err := range kivis.TableBy[goodAgain, string](db).Changes(ctx, after) {
		if !errors.Is(err, kivis.ErrGap) {
			t.Errorf("Changes of a table that was dropped and made anew: %v", err)
		}
	}
	check(t, db.Close())
}
