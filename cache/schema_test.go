package cache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/cache/slowstore"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// What programs make of one table, one after the other: a field and two indexes more,
// then another index in the place of one.
type (
	plainCrate struct {
		_ struct{} `kivis:"table=crates"`
		kivis.Auto[plainCrate]
		Label string
		Bay   int
	}
	indexedCrate struct {
		_ struct{} `kivis:"table=crates,unique=label(Label)"`
		kivis.Auto[indexedCrate]
		Label string
		Bay   int `kivis:"index"`
		Hall  string
	}
	movedCrate struct {
		_ struct{} `kivis:"table=crates,unique=label(Label),index=place(Bay,Label)"`
		kivis.Auto[movedCrate]
		Label string
		Bay   int
		Hall  string
	}
)

var crateBay = kivis.FieldOf(func(c *plainCrate) *int { return &c.Bay })

// crates is what is known of a table that several programs write to.
type crates struct {
	t    *testing.T
	seed uint64

	mu      sync.Mutex
	there   []string // what was told to be there
	unknown []string // of which it was told that it is not known
}

// put inserts crates, as a program that knows nothing of what others do to the schema,
// and counts some of them.
func (c *crates) put(db *kivis.DB, who string, rnd *rand.Rand, n int) {
	table := kivis.TableOf[plainCrate](db)
	for i := range n {
		label := fmt.Sprint(who, " ", i)
		_, err := table.Insert(context.Background(), &plainCrate{Label: label, Bay: rnd.IntN(5)})
		c.told(label, err)
		if errors.Is(err, store.ErrUnreachable) {
			time.Sleep(300 * time.Microsecond) // it will not be better at once
		}
		if rnd.IntN(3) == 0 {
			if _, err := table.Where(crateBay.Eq(rnd.IntN(5))).Collect(context.Background()); err != nil && !passing(err) {
				c.t.Errorf("seed %d: a query: %v", c.seed, err)
			}
		}
	}
}

// told notes what an insert has returned.
func (c *crates) told(label string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.there = append(c.there, label)
	case errors.Is(err, store.ErrCommitUnknown):
		c.unknown = append(c.unknown, label)
	case !passing(err):
		c.t.Errorf("seed %d: insert %s: %v", c.seed, label, err)
	}
}

// passing says whether an error is one of the weather, or of others' work.
func passing(err error) bool {
	return errors.Is(err, store.ErrUnreachable) || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrCommitUnknown)
}

// insist does something until it is no longer the weather that stops it.
func (c *crates) insist(what string, do func() error) {
	c.t.Helper()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		err := do()
		if err == nil {
			return
		}
		if !passing(err) || time.Since(began) > time.Minute {
			c.t.Errorf("seed %d: %s: %v", c.seed, what, err)
			return
		}
	}
}

// check compares what a program finds, by the key and by each index, with what was told.
func (c *crates) check(name string, db *kivis.DB) {
	c.t.Helper()
	report, err := db.Check(context.Background(), nil)
	if err != nil || len(report.Faults) > 0 {
		c.t.Errorf("seed %d: %s: Check: %v, %v", c.seed, name, report.Faults, err)
	}
	crates := kivis.TableNamed(db, "crates")
	all := labels(c.t, crates.Query())
	for _, index := range []string{"label", "place"} {
		if got := labels(c.t, crates.Query().Using(index)); !slices.Equal(got, all) {
			c.t.Errorf("seed %d: %s: index %s has %d crates, the table %d", c.seed, name, index, len(got), len(all))
		}
	}
	for _, label := range c.there {
		if _, ok := slices.BinarySearch(all, label); !ok {
			c.t.Errorf("seed %d: %s: %s was inserted, and is not there", c.seed, name, label)
		}
	}
	may := append(slices.Clone(c.there), c.unknown...)
	for _, label := range all {
		if !slices.Contains(may, label) {
			c.t.Errorf("seed %d: %s: %s is there, and its insert has failed", c.seed, name, label)
		}
	}
}

func labels(t *testing.T, q kivis.NamedQuery) (all []string) {
	t.Helper()
	recs, err := q.Collect(context.Background())
	if err != nil {
		t.Error(err)
	}
	for _, rec := range recs {
		label, err := rec.Get("Label")
		if err != nil {
			t.Error(err)
		}
		all = append(all, fmt.Sprint(label))
	}
	slices.Sort(all)
	return all
}

// TestSchemaHistories has programs, each behind layers of its own over one origin, write
// to a table while one of them changes its schema: fields, index builds, an index that
// goes. Whatever the origin is like, what was told to be there is, once, and in each
// index, as every program sees it.
func TestSchemaHistories(t *testing.T) {
	for i, layering := range layerings {
		for k, w := range weather {
			t.Run(layering.name+"/"+w.name, func(t *testing.T) {
				if testing.Short() && (i+k)%3 > 0 {
					t.Skip("a third of them")
				}
				stop := make(chan struct{})
				base := memstore.New()
				defer base.Close()
				c := &crates{t: t, seed: rand.Uint64()}
				var worsening sync.WaitGroup
				var origins []shared
				program := func() store.Store {
					origin := far(t, base, w.options)
					origins = append(origins, origin)
					s, err := cache.Stack(origin, layering.layers()...)
					if err != nil {
						t.Fatal(err)
					}
					return s
				}
				writers := []*kivis.DB{crateDB(t, stackOver(t, far(t, base, slowstore.Options{}))), crateDB(t, program()), crateDB(t, program())}
				changers := []*kivis.DB{opened(t, program()), opened(t, program())}
				if w.worsen != nil {
					for _, origin := range origins {
						worsening.Go(func() { w.worsen(origin.Store, stop) })
					}
				}
				clear := sync.OnceFunc(func() { close(stop) })
				time.AfterFunc(time.Second, clear) // a Register makes many requests: some day they must get through
				c.history(writers, changers)
				clear()
				worsening.Wait()
				for _, o := range origins {
					o.Mend()
					o.LoseReplies(0)
				}
				for i, db := range append(writers, changers[1]) {
					c.check(fmt.Sprint("program ", i), db)
				}
			})
		}
	}
}

// crateDB opens a database in a store, as a program that knows plain crates.
func crateDB(t *testing.T, s store.Store) *kivis.DB {
	t.Helper()
	db := opened(t, s)
	if err := db.Register(&plainCrate{}); err != nil {
		t.Fatal(err)
	}
	return db
}

func opened(t *testing.T, s store.Store) *kivis.DB {
	t.Helper()
	db, err := kivis.Open(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// history has programs write while others change the schema, one after the other.
func (c *crates) history(writers, changers []*kivis.DB) {
	var wg sync.WaitGroup
	for i, db := range writers {
		rnd := rand.New(rand.NewPCG(c.seed, uint64(i)))
		wg.Go(func() { c.put(db, fmt.Sprint("program ", i), rnd, 40) })
	}
	wg.Go(func() {
		c.insist("a field and indexes", func() error { return changers[0].Register(&indexedCrate{}) })
		_, err := kivis.TableOf[indexedCrate](changers[0]).Insert(context.Background(), &indexedCrate{Label: "indexed", Hall: "east"})
		c.told("indexed", err)
		c.insist("another index", func() error { return changers[1].Register(&movedCrate{}) })
	})
	wg.Wait()
}
