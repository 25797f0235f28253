package kivis_test

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
	"github.com/kivisdb/kivis/query"
)

// Tile has a primary key that a method computes.
type Tile struct {
	X, Y int
	Name string `kivis:"index"`
}

type TileKey struct {
	Zone string
	Y    int
}

func (t Tile) PrimaryKey() TileKey { return TileKey{fmt.Sprint("z", t.X/10), t.Y} }

// TestComputedKeyQueries takes a computed key of several parts as a field.
func TestComputedKeyQueries(t *testing.T) {
	onStores(t, []any{&Tile{}}, func(t *testing.T, db *kivis.DB) {
		tiles := kivis.TableOf[Tile](db)
		name := kivis.FieldOf(func(t *Tile) *string { return &t.Name })
		for i := range 40 {
			must(tiles.Insert(bg, &Tile{X: i, Y: i % 10, Name: fmt.Sprint("n", i%2)}))(t)
		}
		key := tiles.Key()
		for _, test := range []struct {
			q    kivis.Query[Tile, TileKey]
			want int
			plan string
		}{
			{tiles.Where(key.Eq(TileKey{"z1", 5})), 1, "get of"},
			{tiles.Where(key.In(TileKey{"z1", 5}, TileKey{"z9", 5}, TileKey{"z3", 0})), 2, "get of 3 keys"},
			{tiles.Range(TileKey{"z1", 5}, TileKey{"z2", 5}), 10, "key range"},
			{tiles.Where(key.Ge(TileKey{"z3", 8})), 2, "key range"},
			{tiles.Where(name.Eq("n1"), key.Lt(TileKey{"z1", 0})), 5, "index range"},
			{tiles.Where(kivis.Not(key.Ne(TileKey{"z0", 0}))), 1, "get of"},
			{tiles.Where(name.Eq("n1")).OrderBy(key.Desc()).Limit(3), 3, "backwards"},
			{tiles.WhereText("key() >= ('z3', 0) and name = 'n0'"), 5, "index range"},
		} {
			recs := must(test.q.Collect(bg))(t)
			plan := must(test.q.Explain())(t)
			if len(recs) != test.want || !strings.Contains(plan.String(), test.plan) {
				t.Errorf("%d records, want %d by %q:\n%v", len(recs), test.want, test.plan, plan)
			}
		}
		if got := key.Get(&Tile{X: 25, Y: 7}); got != (TileKey{"z2", 7}) {
			t.Errorf("Get of the key: %v", got)
		}
		least := must(kivis.Min(bg, tiles.Query(), key))(t)
		if least != (TileKey{"z0", 0}) {
			t.Errorf("the least key is %v", least)
		}
	})
}

// TestTimesOutOfRange compares with instants that no record can hold: they are
// before, or after, all of those that records have, the year 1 among them.
func TestTimesOutOfRange(t *testing.T) {
	type event struct {
		kivis.Auto[event]
		At  time.Time `kivis:"index"`
		Due *time.Time
	}
	onStores(t, []any{&event{}}, func(t *testing.T, db *kivis.DB) {
		events := kivis.TableByID[event](db)
		at := kivis.FieldOf(func(e *event) *time.Time { return &e.At })
		due := kivis.FieldOf(func(e *event) **time.Time { return &e.Due })
		now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		must(events.Insert(bg, &event{}))(t)
		must(events.Insert(bg, &event{At: now, Due: &now}))(t)
		early, late := time.Date(-44, 3, 15, 0, 0, 0, 0, time.UTC), time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, tt := range []struct {
			name string
			q    kivis.Query[event, kivis.ID[event]]
			want int
		}{
			{"after the early", events.Where(at.Gt(early)), 2},
			{"before the early", events.Where(at.Le(early)), 0},
			{"the early", events.Where(at.Eq(early)), 0},
			{"before the late", events.Where(at.Lt(late)), 2},
			{"between", events.Where(at.Range(early, late)), 2},
			{"pointer", events.Where(due.Lt(&early)), 1},
			{"pointed to", events.Where(kivis.Deref(due).Lt(late)), 1},
			{"text", events.WhereText("At >= ? and Due < ?", early, &late), 2},
		} {
			if got := must(tt.q.Count(bg))(t); got != tt.want {
				t.Errorf("%s: %d records, want %d", tt.name, got, tt.want)
			}
		}
	})
}

// TestQueryOldRecords asks for records of an earlier version by fields that
// came later, that moved and that are gone.
func TestQueryOldRecords(t *testing.T) {
	type placeV1 struct{ City string }
	type recV1 struct {
		_     struct{} `kivis:"table=recs"`
		Key   int      `kivis:"key"`
		Gone  string
		Place placeV1
		Count int8
	}
	type placeV2 struct {
		Zip  *string
		City string
	}
	type recV2 struct {
		_     struct{} `kivis:"table=recs"`
		Key   int      `kivis:"key"`
		Count int64    `kivis:"index"`
		New   string   `kivis:"index,new"`
		Place placeV2
		Maybe *int
	}
	dir := t.TempDir()
	db := openDB(t, reopenBadger(t, dir), &recV1{})
	for i := range 10 {
		must(kivis.TableBy[recV1, int](db).Insert(bg, &recV1{Key: i, Gone: "x", Place: placeV1{fmt.Sprint("c", i%2)}, Count: int8(i)}))(t)
	}
	check(t, db.Close())
	db = openDB(t, reopenBadger(t, dir), &recV2{})
	recs := kivis.TableBy[recV2, int](db)
	for i := range 10 {
		zip := "z"
		must(recs.Insert(bg, &recV2{Key: 10 + i, Count: int64(i), New: "new", Place: placeV2{&zip, fmt.Sprint("c", i%2)}}))(t)
	}
	for text, want := range map[string]int{
		"new = ''": 10, "new = 'new'": 10, "count >= 5": 10, "place.city = 'c1'": 10, "place.zip is nil": 10, "place.zip = 'z' and place.city = 'c0'": 5,
		"maybe is nil": 20, "count = 3 and new = ''": 1, "place.city = 'c1' and count < 4": 4,
	} {
		q := recs.WhereText(text)
		if n := must(q.Count(bg))(t); n != want {
			t.Errorf("%s: %d, want %d\n%v", text, n, want, must(q.Explain())(t))
		}
		all := must(q.OrderBy(recs.Key().Desc()).Collect(bg))(t)
		if len(all) != want || !slices.IsSortedFunc(all, func(a, b recV2) int { return b.Key - a.Key }) {
			t.Errorf("%s: %v", text, all)
		}
	}
}

// TestQueriesAtOnce runs the same handles, predicates and queries in several
// goroutines.
func TestQueriesAtOnce(t *testing.T) {
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		items := seedItems(t, db, 60)
		queries := pageQueries(items)
		want := map[string]string{}
		for name, q := range queries {
			want[name] = fmt.Sprint(idsOf(must(q.Collect(bg))(t)))
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 20 {
					for name, q := range queries {
						recs, err := q.Collect(bg)
						if got := fmt.Sprint(idsOf(recs)); err != nil || got != want[name] {
							t.Errorf("%s: %s (%v), want %s", name, got, err, want[name])
						}
						plan, err := q.Explain()
						if err != nil || plan.String() == "" {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
	})
}

func idsOf(items []Item) (ids []kivis.ID[Item]) {
	for _, it := range items {
		ids = append(ids, it.ID)
	}
	return ids
}

// TestExplainStays keeps plans while others are made, run and let go.
func TestExplainStays(t *testing.T) {
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		items := seedItems(t, db, 30)
		var plans []query.Plan
		var texts []string
		for name, q := range pageQueries(items) {
			for _, make := range []func() (query.Plan, error){q.Explain, func() (query.Plan, error) { return q.Analyze(bg) }} {
				plan, err := make()
				if err != nil {
					t.Fatal(name, err)
				}
				plans, texts = append(plans, plan), append(texts, plan.String())
			}
			must(q.Limit(3).Collect(bg))(t)
			must(q.Count(bg))(t)
		}
		for i := range plans {
			if got := plans[i].String(); got != texts[i] {
				t.Errorf("the plan\n%s\nbecame\n%s", texts[i], got)
			}
		}
	})
}

// TestRefuseScans refuses what reads a whole table for want of an index, and
// nothing else.
func TestRefuseScans(t *testing.T) {
	db, err := kivis.Open(stores[0].open(t), &kivis.Options{RefuseScans: true})
	check(t, err)
	defer db.Close()
	check(t, db.Register(&Item{}))
	items := seedItems(t, db, 30)
	for _, q := range []kivis.Query[Item, kivis.ID[Item]]{
		items.Where(itemSmall.Eq(3)), items.Where(itemSmall.Eq(3)).OrderBy(itemN.Asc()), items.Where(kivis.Func(func(*Item) bool { return true })),
		items.Where(kivis.Or(itemN.Eq(3), itemSmall.Eq(3))), items.Where(itemN.Ne(3)), items.Where(itemSmall.Eq(3)).Using("N"),
	} {
		_, err := q.Collect(bg)
		_, err2 := q.Count(bg)
		_, err3 := q.Page(bg, 3, "")
		_, err4 := q.Delete(bg)
		plan, err5 := q.Explain()
		if !errors.Is(err, kivis.ErrFullScan) || !errors.Is(err2, kivis.ErrFullScan) || !errors.Is(err3, kivis.ErrFullScan) || !errors.Is(err4, kivis.ErrFullScan) || err5 != nil || !plan.FullScan() {
			t.Errorf("%v, %v, %v, %v, %v\n%v", err, err2, err3, err4, err5, plan)
		}
	}
	for _, q := range []kivis.Query[Item, kivis.ID[Item]]{
		items.Query(), items.Where(), items.Query().OrderBy(itemSmall.Asc()), items.Where(itemN.Eq(3), itemSmall.Eq(3)), items.Range(3, 5),
		items.Where(kivis.Or(itemN.Eq(3), itemGroup.Eq("a"))), items.Where(items.Key().Ge(7)), items.Where(itemN.In()),
	} {
		if _, err := q.Collect(bg); err != nil {
			t.Error(err)
		}
	}
}

// TestBulkChanges changes and deletes by query, through a Bulk, in chunks.
func TestBulkChanges(t *testing.T) {
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		items := seedItems(t, db, 500)
		chunks := 0
		opts := &kivis.BulkOptions{ChunkSize: 20, Progress: func(int) { chunks++ }}
		check(t, db.Bulk(bg, opts, func(ctx context.Context, b *kivis.Bulk) error {
			bulk := items.With(b)
			n, err := bulk.Where(itemGroup.Eq("a")).Modify(ctx, func(i *Item) error { i.Group = "z"; return nil })
			if err != nil || n != 167 {
				return fmt.Errorf("%d modified: %w", n, err)
			}
			n, err = bulk.Where(itemN.Ge(0)).Modify(ctx, func(i *Item) error { i.N += 100; return nil })
			if err != nil || n != 500 {
				return fmt.Errorf("%d modified: %w", n, err)
			}
			n, err = bulk.Where(itemGroup.Eq("b")).OrderBy(itemN.Desc()).Limit(100).Delete(ctx)
			if err != nil || n != 100 {
				return fmt.Errorf("%d deleted: %w", n, err)
			}
			return nil
		}))
		counts := must(kivis.GroupCount(bg, items.Query(), itemGroup))(t)
		if counts["z"] != 167 || counts["a"] != 0 || counts["b"] != 67 || chunks < 30 {
			t.Errorf("groups %v after %d chunks", counts, chunks)
		}
		if n := must(items.Where(itemN.Lt(100)).Count(bg))(t); n != 0 {
			t.Errorf("%d records were not modified", n)
		}
	})
}
