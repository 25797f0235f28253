package kivis_test

import (
	"context"
	"errors"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
)

func TestAggregates(t *testing.T) {
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		items := seedItems(t, db, 40)
		all := must(items.Query().Collect(bg))(t)
		for name, q := range pageQueries(items) {
			t.Run(name, func(t *testing.T) { compareAggregates(t, q) })
		}
		score := kivis.Deref(itemScore)
		low := must(kivis.Min(bg, items.Query(), score))(t)
		if low != 0.5 {
			t.Errorf("Min of a pointer field = %v, want 0.5: nils are left out", low)
		}
		if _, err := kivis.Min(bg, items.Query().Where(itemN.Lt(0)), itemN); !errors.Is(err, kivis.ErrNotFound) {
			t.Errorf("Min of nothing: %v", err)
		}
		if p := must(kivis.Min(bg, items.Query(), itemScore))(t); p != nil {
			t.Errorf("Min of the pointers = %v, want nil, which is least", *p)
		}
		tags := must(kivis.GroupCount(bg, items.Query(), kivis.Each(itemTags)))(t)
		want := map[string]int{}
		for _, r := range all {
			for _, tag := range r.Tags {
				want[tag]++
			}
		}
		if !maps.Equal(tags, want) {
			t.Errorf("GroupCount of tags = %v, want %v", tags, want)
		}
		var wrong *kivis.QueryError
		if _, err := kivis.GroupCount(bg, items.Query(), itemScore); !errors.As(err, &wrong) {
			t.Errorf("GroupCount of pointers: %v, want a QueryError", err)
		}
		must(items.InsertMany(bg, []Item{{Small: 127}, {Small: 127}}))(t)
		if _, err := kivis.Sum(bg, items.Query(), itemSmall); !errors.Is(err, kivis.ErrOverflow) {
			t.Errorf("Sum beyond an int8: %v", err)
		}
		// what only the way to the sum goes beyond is no overflow
		must(items.InsertMany(bg, []Item{{Group: "turn", Small: 127}, {Group: "turn", Small: 1}, {Group: "turn", Small: -9}}))(t)
		turn := items.Where(itemGroup.Eq("turn")).OrderBy(itemSmall.Desc())
		if sum := must(kivis.Sum(bg, turn, itemSmall))(t); sum != 119 {
			t.Errorf("Sum = %d, want 119", sum)
		}
		huge := math.MaxFloat64
		must(items.InsertMany(bg, []Item{{Group: "huge", Score: &huge}, {Group: "huge", Score: &huge}}))(t)
		if _, err := kivis.Sum(bg, items.Where(itemGroup.Eq("huge")), score); !errors.Is(err, kivis.ErrOverflow) {
			t.Errorf("Sum beyond a float64: %v", err)
		}
	})
}

// compareAggregates holds the aggregates of a query against its records.
func compareAggregates(t *testing.T, q kivis.Query[Item, kivis.ID[Item]]) {
	t.Helper()
	recs := must(q.Collect(bg))(t)
	sum, groups := 0, map[string]int{}
	for _, r := range recs {
		sum += r.N
		groups[r.Group]++
	}
	if n := must(q.Count(bg))(t); n != len(recs) {
		t.Errorf("Count = %d, want %d", n, len(recs))
	}
	if ok := must(q.Exists(bg))(t); ok != (len(recs) > 0) {
		t.Errorf("Exists = %t with %d records", ok, len(recs))
	}
	if got := must(kivis.Sum(bg, q, itemN))(t); got != sum {
		t.Errorf("Sum = %d, want %d", got, sum)
	}
	if got := must(kivis.GroupCount(bg, q, itemGroup))(t); !maps.Equal(got, groups) {
		t.Errorf("GroupCount = %v, want %v", got, groups)
	}
	var keys []kivis.ID[Item]
	for k, err := range q.Keys(bg) {
		check(t, err)
		keys = append(keys, k)
	}
	if len(keys) != len(recs) {
		t.Fatalf("Keys gives %d, Collect %d", len(keys), len(recs))
	}
	if len(recs) == 0 {
		return
	}
	low, high := recs[0].N, recs[0].N
	for _, r := range recs {
		low, high = min(low, r.N), max(high, r.N)
	}
	if got := must(kivis.Min(bg, q, itemN))(t); got != low {
		t.Errorf("Min = %d, want %d", got, low)
	}
	if got := must(kivis.Max(bg, q, itemN))(t); got != high {
		t.Errorf("Max = %d, want %d", got, high)
	}
}

func TestQueryChanges(t *testing.T) {
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		items := seedItems(t, db, 300)
		n := must(items.Where(itemGroup.Eq("a")).Modify(bg, func(i *Item) error { i.N += 100; return nil }))(t)
		if n != 100 {
			t.Errorf("Modify = %d, want 100", n)
		}
		// what a change moves in the index that is read is neither met again nor missed
		n = must(items.Where(itemN.Ge(100)).Modify(bg, func(i *Item) error { i.N += 1000; return nil }))(t)
		if n != 100 || must(items.Where(itemN.Ge(1100)).Count(bg))(t) != 100 {
			t.Errorf("Modify = %d", n)
		}
		_, err := items.Where(itemGroup.Eq("b")).Modify(bg, func(i *Item) error { i.ID++; return nil })
		wantErr(t, err, kivis.ErrKeyChanged)
		_, err = items.Where(itemGroup.Eq("b")).Modify(bg, func(i *Item) error {
			if i.N++; i.ID > 150 {
				return errInvalid
			}
			return nil
		})
		wantErr(t, err, errInvalid)
		if got := must(kivis.Max(bg, items.Where(itemGroup.Eq("b")), itemN))(t); got > 9 {
			t.Errorf("a Modify that failed left N = %d", got)
		}
		n = must(items.Where(itemN.Ge(1100)).OrderBy(itemN.Desc()).Offset(10).Limit(30).Delete(bg))(t)
		if n != 30 || must(items.Count(bg))(t) != 270 {
			t.Errorf("Delete = %d", n)
		}
		err = db.Bulk(bg, &kivis.BulkOptions{ChunkSize: 7}, func(ctx context.Context, b *kivis.Bulk) error {
			items := items.With(b)
			must(items.Insert(ctx, &Item{Group: "b"}))(t) // pending, and found
			n := must(items.Where(itemGroup.Eq("b")).Modify(ctx, func(i *Item) error { i.N = -1; return nil }))(t)
			if n != 101 {
				t.Errorf("Modify through a Bulk = %d, want 101", n)
			}
			n = must(items.Where(itemN.Eq(-1)).Delete(ctx))(t)
			if n != 101 {
				t.Errorf("Delete through a Bulk = %d, want 101", n)
			}
			return nil
		})
		check(t, err)
		if c := must(items.Count(bg))(t); c != 170 {
			t.Errorf("Count = %d, want 170", c)
		}
	})
}

// TestWriteWhileReading writes in the body of a loop over the same records.
func TestWriteWhileReading(t *testing.T) {
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		items := seedItems(t, db, 50)
		check(t, db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
			items := items.With(tx)
			seen := 0
			for r, err := range items.Where(itemN.Ge(0)).OrderBy(itemN.Asc()).All(ctx) {
				check(t, err)
				if r.N >= 100 {
					t.Fatalf("the loop meets its own change of record %d", r.ID)
				}
				seen++
				if _, err := items.Modify(ctx, r.ID, func(i *Item) error { i.N += 100; return nil }); err != nil {
					return err
				}
				if seen%10 == 0 {
					must(items.Insert(ctx, &Item{N: 50}))(t)
					check(t, items.Delete(ctx, r.ID))
				}
			}
			if seen != 50 {
				t.Errorf("the loop met %d records of 50", seen)
			}
			return nil
		}))
		if s := db.Stats(); s.OpenTx != 0 {
			t.Errorf("%d transactions are open", s.OpenTx)
		}
	})
}

func TestQueryMistakes(t *testing.T) {
	db := newDB(t, &Item{}, &Everything{})
	items := kivis.TableOf[Item](db)
	outside := 0
	badField := kivis.FieldOf(func(*Item) *int { return &outside })
	panics := kivis.FieldOf(func(i *Item) *byte { return &[]byte(i.Group)[9] })
	slice := kivis.FieldOf(func(e *Everything) *[]int { return &e.Slice })
	things := kivis.TableBy[Everything, string](db)
	for name, call := range map[string]func() error{
		"negative limit":  func() error { _, err := items.Query().Limit(-1).Collect(bg); return err },
		"negative offset": func() error { _, err := items.Query().Offset(-1).Count(bg); return err },
		"unknown index":   func() error { _, err := items.Query().Using("nope").Collect(bg); return err },
		"foreign field":   func() error { _, err := items.Where(badField.Eq(1)).Collect(bg); return err },
		"panicking field": func() error { _, err := items.Where(panics.Eq(1)).Collect(bg); return err },
		"no field":        func() error { _, err := items.Where(kivis.Field[Item, int]{}.Eq(1)).Collect(bg); return err },
		"nil Func":        func() error { _, err := items.Where(kivis.Func[Item](nil)).Collect(bg); return err },
		"eq on a slice":   func() error { _, err := things.Where(slice.Eq([]int{1})).Collect(bg); return err },
		"ne on each":      func() error { _, err := things.Where(kivis.Each(slice).Ne(1)).Collect(bg); return err },
		"text":            func() error { _, err := items.WhereText("N >= ").Collect(bg); return err },
		"text parameters": func() error { _, err := items.WhereText("N = ?").Collect(bg); return err },
		"text field":      func() error { _, err := items.WhereText("Nn = 1").Collect(bg); return err },
		"first sticks":    func() error { _, err := items.Query().Limit(-2).WhereText("N = ").Collect(bg); return err },
	} {
		err := call()
		var wrong *kivis.QueryError
		if !errors.As(err, &wrong) || wrong.Table == "" {
			t.Errorf("%s: error = %v, want a QueryError with its table", name, err)
			continue
		}
		if name == "text field" && (wrong.Pos == 0 || !strings.Contains(err.Error(), "Nn")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := badField.Get(&Item{N: 1}) + itemN.Get(nil) + (kivis.Field[Item, int]{}).Get(&Item{}); n != 0 {
		t.Errorf("Get without a field or a record = %d", n)
	}
	_ = kivis.Func[Item](nil).String()
	ctx, cancel := context.WithCancel(bg)
	cancel()
	for _, err := range items.All(ctx) {
		wantErr(t, err, context.Canceled)
	}
	db2, err := kivis.Open(stores[0].open(t), &kivis.Options{RefuseScans: true})
	check(t, err)
	defer db2.Close()
	check(t, db2.Register(&Item{}))
	items = kivis.TableOf[Item](db2)
	_, err = items.Where(itemSmall.Eq(1)).Collect(bg)
	wantErr(t, err, kivis.ErrFullScan)
	must(items.Query().Collect(bg))(t)
	must(items.Where(itemN.Eq(1)).Collect(bg))(t)
	must(items.Where(kivis.Or(itemN.Lt(3), itemN.Gt(100))).Collect(bg))(t) // two ranges of one index
}
