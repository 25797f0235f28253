package kivis_test

import (
	"cmp"
	"errors"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
)

// drain returns what a sequence yields.
func drain[V any](t *testing.T, seq iter.Seq2[V, error]) (out []V) {
	t.Helper()
	for v, err := range seq {
		check(t, err)
		out = append(out, v)
	}
	return out
}

// mapOf makes something of each value of a map.
func mapOf[K comparable, A, B any](m map[K]A, f func(A) B) map[K]B {
	out := map[K]B{}
	for k, v := range m {
		out[k] = f(v)
	}
	return out
}

func sumOf(list []int) (n int) {
	for _, v := range list {
		n += v
	}
	return n
}

// compareGroups holds groups and projections of a query against its records.
func compareGroups(t *testing.T, q kivis.Query[Item, kivis.ID[Item]]) {
	t.Helper()
	recs := must(q.Collect(bg))(t)
	byGroup, byTag, byScore, all := map[string][]int{}, map[string][]int{}, map[float64][]int{}, []int(nil)
	for _, r := range recs {
		byGroup[r.Group] = append(byGroup[r.Group], r.N)
		all = append(all, r.N)
		for _, tag := range r.Tags {
			byTag[tag] = append(byTag[tag], r.N)
		}
	}
	scored := q.Where(kivis.Not(kivis.IsNil(itemScore))) // nils go before a Limit
	for _, r := range must(scored.Collect(bg))(t) {
		byScore[*r.Score] = append(byScore[*r.Score], r.N)
	}
	avg := func(list []int) float64 { return float64(sumOf(list)) / float64(len(list)) }
	if got, want := must(kivis.GroupSum(bg, q, itemGroup, itemN))(t), mapOf(byGroup, sumOf); !maps.Equal(got, want) {
		t.Errorf("GroupSum = %v, want %v", got, want)
	}
	if got, want := must(kivis.GroupSum(bg, q, kivis.Each(itemTags), itemN))(t), mapOf(byTag, sumOf); !maps.Equal(got, want) {
		t.Errorf("GroupSum of elements = %v, want %v", got, want)
	}
	if got, want := must(kivis.GroupAvg(bg, q, itemGroup, itemN))(t), mapOf(byGroup, avg); !maps.Equal(got, want) {
		t.Errorf("GroupAvg = %v, want %v", got, want)
	}
	if got, want := must(kivis.GroupMin(bg, q, kivis.Deref(itemScore), itemN))(t), mapOf(byScore, slices.Min[[]int]); !maps.Equal(got, want) {
		t.Errorf("GroupMin by what a pointer has = %v, want %v", got, want)
	}
	if got, want := must(kivis.GroupMax(bg, q, itemGroup, itemN))(t), mapOf(byGroup, slices.Max[[]int]); !maps.Equal(got, want) {
		t.Errorf("GroupMax = %v, want %v", got, want)
	}
	if got := drain(t, kivis.Values(bg, q, itemN)); !slices.Equal(got, all) && !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(all))) {
		t.Errorf("Values = %v, want %v", got, all)
	}
	if got, want := drain(t, kivis.Distinct(bg, q, itemN)), slices.Compact(slices.Sorted(slices.Values(all))); !slices.Equal(got, want) {
		t.Errorf("Distinct = %v, want %v", got, want)
	}
	if got, want := drain(t, kivis.Distinct(bg, q, kivis.Each(itemTags))), slices.Sorted(maps.Keys(byTag)); !slices.Equal(got, want) {
		t.Errorf("Distinct of elements = %v, want %v", got, want)
	}
	mean, err := kivis.Avg(bg, q, itemN)
	if len(all) == 0 {
		wantErr(t, err, kivis.ErrNotFound)
	} else if check(t, err); mean != avg(all) {
		t.Errorf("Avg = %v, want %v", mean, avg(all))
	}
}

func TestGroups(t *testing.T) {
	onStores(t, []any{&Item{}}, func(t *testing.T, db *kivis.DB) {
		items := seedItems(t, db, 40)
		for name, q := range pageQueries(items) {
			t.Run(name, func(t *testing.T) { compareGroups(t, q) })
			t.Run(name+", some", func(t *testing.T) { compareGroups(t, q.OrderBy(itemN.Desc()).Offset(2).Limit(9)) })
		}
		inOrder := drain(t, kivis.Values(bg, items.Query().OrderBy(itemN.Desc(), itemSmall.Asc()).Limit(9), itemN))
		if !slices.IsSortedFunc(inOrder, func(a, b int) int { return cmp.Compare(b, a) }) || len(inOrder) != 9 {
			t.Errorf("Values in an order = %v", inOrder)
		}
		var wrong *kivis.QueryError
		for name, err := range map[string]error{
			"groups of pointers":            second(kivis.GroupSum(bg, items.Query(), itemScore, itemN)),
			"elements by elements":          second(kivis.GroupMax(bg, items.Query(), kivis.Each(itemTags), kivis.Each(itemTags))),
			"a zero field as group":         second(kivis.GroupSum(bg, items.Query(), kivis.Field[Item, string]{}, itemN)),
			"a zero field":                  second(kivis.Avg(bg, items.Query(), kivis.Field[Item, int]{})),
			"distinct values of a zero one": firstError(kivis.Distinct(bg, items.Query(), kivis.Field[Item, int]{})),
			"values of what has no order":   firstError(kivis.Values(bg, items.Query(), itemTags)),
		} {
			if !errors.As(err, &wrong) {
				t.Errorf("%s: %v, want a QueryError", name, err)
			}
		}
	})
}

func firstError[V any](seq iter.Seq2[V, error]) error {
	for _, err := range seq {
		return err
	}
	return nil
}

// A Reading has an index that has all that its aggregates ask for.
type Reading struct {
	_      struct{} `kivis:"index=by(Place,Value)"`
	ID     kivis.ID[Reading]
	Place  string
	Value  int64
	Exact  float64
	Narrow uint8
}

var (
	readingPlace  = kivis.FieldOf(func(r *Reading) *string { return &r.Place })
	readingValue  = kivis.FieldOf(func(r *Reading) *int64 { return &r.Value })
	readingExact  = kivis.FieldOf(func(r *Reading) *float64 { return &r.Exact })
	readingNarrow = kivis.FieldOf(func(r *Reading) *uint8 { return &r.Narrow })
)

// TestGroupsReadEntries: aggregates over what an index has read no record.
func TestGroupsReadEntries(t *testing.T) {
	spans := &recorder{}
	db := openWith(t, stores[0].open(t), &kivis.Options{Tracer: spans}, &Reading{})
	readings := kivis.TableByID[Reading](db)
	for i := range 30 {
		must(readings.Insert(bg, &Reading{Place: string(rune('a' + i%3)), Value: int64(i)}))(t)
	}
	for name, run := range map[string]func() error{
		"GroupSum": func() error { return second(kivis.GroupSum(bg, readings.Query(), readingPlace, readingValue)) },
		"GroupAvg": func() error { return second(kivis.GroupAvg(bg, readings.Query(), readingPlace, readingValue)) },
		"GroupMax": func() error {
			return second(kivis.GroupMax(bg, readings.Where(readingPlace.Eq("a")), readingPlace, readingValue))
		},
		"Avg":      func() error { return second(kivis.Avg(bg, readings.Query(), readingValue)) },
		"Values":   func() error { return firstError(kivis.Values(bg, readings.Where(readingPlace.Ge("")), readingPlace)) },
		"Distinct": func() error { return firstError(kivis.Distinct(bg, readings.Query(), readingPlace)) },
	} {
		check(t, run())
		if plan := spans.results[len(spans.results)-1].Plan; !strings.Contains(plan, "covering") {
			t.Errorf("%s reads %s, want an index alone", name, plan)
		}
	}
}

// TestMeans has means of what does not fit.
func TestMeans(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []int64
		exact  []float64
		want   float64
	}{
		{"beyond an int64", []int64{math.MaxInt64, math.MaxInt64, math.MaxInt64}, nil, math.MaxInt64},
		{"below an int64", []int64{math.MinInt64, math.MinInt64, math.MinInt64}, nil, math.MinInt64},
		{"there and back", []int64{math.MaxInt64, math.MaxInt64, math.MinInt64, math.MinInt64}, nil, -0.5},
		{"beyond a float64", nil, []float64{math.MaxFloat64, math.MaxFloat64, math.MaxFloat64 / 2}, math.MaxFloat64 / 6 * 5},
		{"small beside large", nil, []float64{1e100, 1, -1e100, 1}, 0.5},
		{"an infinity", nil, []float64{1, math.Inf(1)}, math.Inf(1)},
		{"both infinities", nil, []float64{math.Inf(-1), math.Inf(1)}, math.NaN()},
		{"NaN", nil, []float64{1, math.NaN()}, math.NaN()},
		{"denormal", nil, []float64{5e-324, 5e-324}, 5e-324},
	} {
		db := openDB(t, stores[0].open(t), &Reading{})
		readings := kivis.TableByID[Reading](db)
		for _, v := range c.values {
			must(readings.Insert(bg, &Reading{Value: v}))(t)
		}
		for _, v := range c.exact {
			must(readings.Insert(bg, &Reading{Exact: v, Narrow: 255}))(t)
		}
		var got float64
		if c.exact == nil {
			got = must(kivis.Avg(bg, readings.Query(), readingValue))(t)
		} else {
			got = must(kivis.Avg(bg, readings.Query(), readingExact))(t)
			if narrow := must(kivis.Avg(bg, readings.Query(), readingNarrow))(t); narrow != 255 {
				t.Errorf("%s: the mean of bytes is %v, want 255", c.name, narrow)
			}
		}
		if math.Float64bits(got) != math.Float64bits(c.want) && !(math.IsNaN(got) && math.IsNaN(c.want)) && math.Abs(got-c.want) > 1e-15*math.Abs(c.want) {
			t.Errorf("%s: mean = %v, want %v", c.name, got, c.want)
		}
	}
	db := openDB(t, stores[0].open(t), &Reading{})
	readings := kivis.TableByID[Reading](db)
	must(readings.InsertMany(bg, []Reading{{Place: "a", Value: math.MaxInt64}, {Place: "a", Value: 1}, {Place: "b"}}))(t)
	if _, err := kivis.GroupSum(bg, readings.Query(), readingPlace, readingValue); !errors.Is(err, kivis.ErrOverflow) {
		t.Errorf("GroupSum beyond an int64: %v", err)
	}
}

func second[V any](_ V, err error) error { return err }
