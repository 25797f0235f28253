package kivis_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/kivisdb/kivis"
)

// A placed has a value of a type in every position but that of a key.
type placed[T any] struct {
	_ struct{} `kivis:"table=placed,index=down(-V),index=pair(Half,-V),unique=once(U)"`
	kivis.Auto[placed[T]]
	Half int
	V    T `kivis:"index=up"`
	U    T
	Free T // without an index
	List []T
	Map  map[string]T
	Each []T `kivis:"index,each"`
}

// pointed has a pointer to a value of a type that may be pointed to.
type pointedTo[T any] struct {
	_ struct{} `kivis:"table=pointed"`
	kivis.Auto[pointedTo[T]]
	P *T `kivis:"index"`
}

// keyedBy has a value as its key.
type keyedBy[T comparable] struct {
	_ struct{} `kivis:"table=keyed"`
	K T        `kivis:"key"`
	N int
}

// A positions is a type whose values are to come back from every position, in
// their order.
type positions[T any] struct {
	values []T            // in order, all different
	nils   int            // how many of them, the first, are nil
	exact  bool           // values of the type are equal where reflect says so
	shaped bool           // structs, which by name are set as maps
	text   func(T) string // what tells values apart, where neither does
}

// equal reports whether two values are the same.
func (p positions[T]) equal(a, b T) bool {
	if p.exact {
		return reflect.DeepEqual(a, b)
	}
	if p.text != nil {
		return p.text(a) == p.text(b)
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}

// run tests it on each store.
func (p positions[T]) run(t *testing.T) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			db := openDB(t, s.open(t), &placed[T]{})
			table := kivis.TableOf[placed[T]](db)
			p.fill(t, table)
			p.reads(t, table)
			p.queries(t, table)
			p.unique(t, table)
			p.named(t, db, table)
			mustBeClean(t, db)
		})
	}
}

// fill inserts a record for each value, in any order: Half has the value's place.
func (p positions[T]) fill(t *testing.T, table kivis.Table[placed[T], kivis.ID[placed[T]]]) {
	t.Helper()
	for _, i := range rand.Perm(len(p.values)) {
		v := p.values[i]
		rec := placed[T]{Half: i, V: v, U: v, Free: v, List: []T{v, p.values[0]}, Map: map[string]T{"k": v}, Each: []T{v}}
		must(table.Insert(bg, &rec))(t)
	}
}

// reads compares what comes back.
func (p positions[T]) reads(t *testing.T, table kivis.Table[placed[T], kivis.ID[placed[T]]]) {
	t.Helper()
	for rec, err := range table.Query().All(bg) {
		check(t, err)
		want := p.values[rec.Half]
		for i, got := range []T{rec.V, rec.U, rec.Free, rec.List[0], rec.Map["k"], rec.Each[0]} {
			if !p.equal(got, want) {
				t.Errorf("%v came back as %v in position %d", want, got, i)
			}
		}
	}
}

// A comparison is a predicate with one value, and which places match.
type comparison[T any] struct {
	name string
	pred kivis.Pred[placed[T]]
	want func(place int) bool
}

// comparisons returns what may be said of a field and the i-th value.
func (p positions[T]) comparisons(f kivis.Field[placed[T], T], i int) []comparison[T] {
	v, last := p.values[i], p.values[len(p.values)-1]
	return []comparison[T]{
		{"eq", f.Eq(v), func(n int) bool { return n == i }},
		{"ne", f.Ne(v), func(n int) bool { return n != i }},
		{"lt", f.Lt(v), func(n int) bool { return n < i }},
		{"le", f.Le(v), func(n int) bool { return n <= i }},
		{"gt", f.Gt(v), func(n int) bool { return n > i }},
		{"ge", f.Ge(v), func(n int) bool { return n >= i }},
		{"in", f.In(v, last), func(n int) bool { return n == i || n == len(p.values)-1 }},
		{"between", f.Between(v, last), func(n int) bool { return n >= i }},
		{"range", f.Range(v, last), func(n int) bool { return n >= i && n < len(p.values)-1 }},
	}
}

// queries compares what predicates and orders find with the order of the values.
func (p positions[T]) queries(t *testing.T, table kivis.Table[placed[T], kivis.ID[placed[T]]]) {
	t.Helper()
	v := kivis.FieldOf(func(r *placed[T]) *T { return &r.V })
	free := kivis.FieldOf(func(r *placed[T]) *T { return &r.Free })
	places := func(q kivis.Query[placed[T], kivis.ID[placed[T]]]) (list []int) {
		for rec, err := range q.All(bg) {
			check(t, err)
			list = append(list, rec.Half)
		}
		return list
	}
	for i := range p.values {
		for _, f := range []kivis.Field[placed[T], T]{v, free} {
			for _, c := range p.comparisons(f, i) {
				var want []int
				for n := range p.values {
					if c.want(n) {
						want = append(want, n)
					}
				}
				if got := places(table.Where(c.pred).OrderBy(v.Asc())); !slices.Equal(got, want) {
					t.Errorf("%s (%s): places %v, want %v", c.pred, c.name, got, want)
				}
				slices.Reverse(want)
				if got := places(table.Where(c.pred).OrderBy(free.Desc())); !slices.Equal(got, want) {
					t.Errorf("%s (%s), descending: places %v, want %v", c.pred, c.name, got, want)
				}
				if got := places(table.WhereText(c.pred.String()).OrderBy(free.Desc())); !slices.Equal(got, want) {
					t.Errorf("the text %s: places %v, want %v", c.pred, got, want)
				}
			}
		}
		each := kivis.Contains(kivis.FieldOf(func(r *placed[T]) *[]T { return &r.Each }), p.values[i])
		if got := places(table.Where(each)); !slices.Equal(got, []int{i}) {
			t.Errorf("%s: places %v, want %d", each, got, i)
		}
		if got := places(table.WhereText("V = ?", p.values[i])); !slices.Equal(got, []int{i}) {
			t.Errorf("V = ? of %v: places %v, want %d", p.values[i], got, i)
		}
	}
	plan := must(table.Where(v.Ge(p.values[0])).OrderBy(v.Desc()).Explain())(t)
	if plan.Sorts() {
		t.Errorf("no index gives the order: %v", plan)
	}
}

// unique tries each value again.
func (p positions[T]) unique(t *testing.T, table kivis.Table[placed[T], kivis.ID[placed[T]]]) {
	t.Helper()
	for i, v := range p.values {
		id, err := table.Insert(bg, &placed[T]{Half: -1, U: v, V: v, Free: v})
		if i >= p.nils {
			wantErr(t, err, kivis.ErrExists)
			continue
		}
		check(t, err)
		check(t, table.Delete(bg, id))
	}
}

// named reads and writes the values by name, and as JSON.
func (p positions[T]) named(t *testing.T, db *kivis.DB, table kivis.Table[placed[T], kivis.ID[placed[T]]]) {
	t.Helper()
	byName := kivis.TableNamed(db, "placed")
	for rec, err := range byName.All(bg) {
		check(t, err)
		text := must(json.Marshal(rec))(t)
		back := byName.New()
		check(t, json.Unmarshal(text, &back))
		if !back.Equal(rec) {
			t.Errorf("%s came back from JSON as %s", text, back)
		}
		half, _ := rec.Get("Half")
		set := byName.New()
		want, _ := rec.Get("V")
		if !p.shaped {
			if n, err := byName.Where("Half = ? and Free = ?", half, want).Count(bg); n != 1 || err != nil {
				t.Errorf("%d records, %v, have the value that Get returned, %#v", n, err, want)
			}
		}
		if p.shaped {
			check(t, set.Set("V", want))
		} else {
			check(t, set.Set("V", p.values[half.(int64)]))
		}
		if got, err := set.Get("V"); !reflect.DeepEqual(got, want) || err != nil {
			t.Errorf("Set(V, %v), then Get = %v, %v; want %v", p.values[half.(int64)], got, err, want)
		}
		check(t, set.Set("V", want))
		if got, _ := set.Get("V"); !reflect.DeepEqual(got, want) {
			t.Errorf("Set(V, %#v), then Get = %#v", want, got)
		}
	}
}

// positionsOfKey is positions for a type that may be a key, and be pointed to.
func runKeys[T comparable](t *testing.T, p positions[T]) {
	for _, s := range stores {
		t.Run(s.name+"/key", func(t *testing.T) {
			db := openDB(t, s.open(t), &keyedBy[T]{}, &pointedTo[T]{})
			table := kivis.TableBy[keyedBy[T], T](db)
			for _, i := range rand.Perm(len(p.values)) {
				if key := must(table.Insert(bg, &keyedBy[T]{K: p.values[i], N: i}))(t); !p.equal(key, p.values[i]) {
					t.Errorf("the key %v came back as %v", p.values[i], key)
				}
			}
			n := 0
			for key, err := range table.Query().Keys(bg) {
				check(t, err)
				if !p.equal(key, p.values[n]) {
					t.Errorf("key %d is %v, want %v", n, key, p.values[n])
				}
				rec := must(table.Get(bg, key))(t)
				if rec.N != n {
					t.Errorf("%v has place %d, want %d", key, rec.N, n)
				}
				n++
			}
			named := kivis.TableNamed(db, "keyed")
			for rec, err := range named.All(bg) {
				check(t, err)
				key := must(named.Key(rec.Key().String()))(t)
				if got := must(named.Get(bg, key))(t); !got.Equal(rec) {
					t.Errorf("the key of text %s is that of %v", rec.Key(), got)
				}
			}
			p.pointers(t, db)
			mustBeClean(t, db)
		})
	}
}

// pointers has the values pointed to, and nil before them.
func (p positions[T]) pointers(t *testing.T, db *kivis.DB) {
	t.Helper()
	table := kivis.TableOf[pointedTo[T]](db)
	must(table.Insert(bg, &pointedTo[T]{}))(t)
	for i := range p.values {
		must(table.Insert(bg, &pointedTo[T]{P: &p.values[i]}))(t)
	}
	f := kivis.FieldOf(func(r *pointedTo[T]) **T { return &r.P })
	list := must(table.Query().OrderBy(f.Asc()).Collect(bg))(t)
	for i, rec := range list {
		if i == 0 && rec.P != nil || i > 0 && (rec.P == nil || !p.equal(*rec.P, p.values[i-1])) {
			t.Errorf("pointer %d is to %v", i, rec.P)
		}
	}
	for _, v := range p.values {
		if n := must(table.Where(kivis.Deref(f).Eq(v)).Count(bg))(t); n != 1 {
			t.Errorf("%d pointers to %v", n, v)
		}
	}
}
