package query

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
)

// A modelQuery is a random query and its naive answer, in order.
type modelQuery struct {
	q       *Query
	ordered bool
	all     []modelRecord // before limit and offset
}

func (w *world) query(tb testing.TB) modelQuery {
	m := modelQuery{q: &Query{Limit: -1, ByKey: w.rng.IntN(3) == 0}}
	p := modelPred{And{}, func(modelRecord) bool { return true }}
	if w.rng.IntN(10) > 0 {
		p = w.pred(tb, 3)
	}
	if w.ranged || w.rng.IntN(8) == 0 {
		p = w.twoIndexes(tb)
	}
	m.q.Where = p.expr
	m.ordered = m.q.ByKey
	for _, r := range w.recs {
		if p.ok(r) {
			m.all = append(m.all, r)
		}
	}
	fields := w.fields()
	type modelTerm struct {
		get  func(modelRecord) []reflect.Value
		desc bool
	}
	var terms []modelTerm
	for range max(0, w.rng.IntN(6)-2) {
		f := fields[w.rng.IntN(len(fields))]
		if k := w.table.Key.Parts; w.rng.IntN(4) == 0 {
			name := k[w.rng.IntN(len(k))].Name
			i := slices.IndexFunc(fields, func(f modelField) bool { return f.name == name })
			f = fields[i]
		}
		o, desc := namedOperand(f.name), w.rng.IntN(2) == 0
		get := func(r modelRecord) []reflect.Value { return []reflect.Value{f.get(r.val)} }
		switch {
		case w.rng.IntN(8) == 0:
			o, get = namedOperand("key()"), w.keyValue
		case canFold(f.typ) && w.rng.IntN(2) == 0:
			o.Fold = true
			get = func(r modelRecord) []reflect.Value { return []reflect.Value{foldValue(f.get(r.val))} }
		}
		m.q.Order = append(m.q.Order, Order{o, desc})
		terms = append(terms, modelTerm{get, desc})
	}
	m.ordered = m.ordered || len(terms) > 0
	sort.SliceStable(m.all, func(i, j int) bool {
		for _, t := range terms {
			if c := slices.CompareFunc(t.get(m.all[i]), t.get(m.all[j]), modelCompare); c != 0 {
				return (c < 0) != t.desc
			}
		}
		return false
	})
	return m
}

// answer runs a query and returns the keys found.
func (w *world) answer(q *Query, want Want) (keys []string, plan *Plan, err error) {
	plan, err = Compile(w.table, q, want)
	if err != nil {
		return nil, nil, err
	}
	tx, err := w.kv.Begin(context.Background(), false)
	if err != nil {
		return nil, plan, err
	}
	defer tx.Discard()
	rows := plan.Run(context.Background(), tx)
	defer rows.Release() // but not the plan's memory, which is still looked at
	for rows.Next() {
		keys = append(keys, string(rows.Row().Key))
	}
	lookSeen[rows.Stats().Look.Choice]++
	return keys, plan, rows.Err()
}

func keysOf(recs []modelRecord) []string {
	var out []string
	for _, r := range recs {
		out = append(out, string(r.key))
	}
	return out
}

// window returns what limit and offset leave.
func window(keys []string, limit, offset int) []string {
	keys = keys[min(offset, len(keys)):]
	if limit >= 0 {
		keys = keys[:min(limit, len(keys))]
	}
	return keys
}

// check runs one random query in all ways and compares.
func (w *world) check(t *testing.T) {
	m := w.query(t)
	want := keysOf(m.all)
	fail := func(how string, plan *Plan, got []string, err error) {
		t.Fatalf("%s: %v\ntable\n%v\nquery %v order %v bykey %v limit %d offset %d using %q\nplan\n%v\ngot  %x\nwant %x",
			how, err, w.table, m.q.Where, m.q.Order, m.q.ByKey, m.q.Limit, m.q.Offset, m.q.Using, plan, got, want)
	}
	if w.rng.IntN(2) == 0 {
		m.q.Limit = w.rng.IntN(6)
	}
	if w.rng.IntN(3) == 0 {
		m.q.Offset = w.rng.IntN(4)
	}
	if n := len(w.table.Indexes); n > 0 && w.rng.IntN(4) == 0 {
		m.q.Using = w.table.Indexes[w.rng.IntN(n)].Name
	}
	kind := []WantKind{Records, Records, Keys}[w.rng.IntN(3)]
	got, plan, err := w.answer(m.q, Want{Kind: kind})
	if err != nil {
		if m.q.Using != "" && strings.Contains(err.Error(), "elements") {
			return
		}
		fail("run", plan, got, err)
	}
	expect := window(want, m.q.Limit, m.q.Offset)
	if m.ordered && !slices.Equal(got, expect) || !m.ordered && !subsetOf(got, want, len(expect)) {
		fail("rows", plan, got, nil)
	}
	if again, _, _ := w.answer(m.q, Want{Kind: kind}); !slices.Equal(got, again) {
		fail("not the same again", plan, again, nil)
	}
	w.checkCount(t, m, len(expect), fail)
	w.checkPages(t, m, want, fail)
	w.checkValues(t, m, fail)
	for _, word := range planWords {
		if strings.Contains(plan.String(), word) {
			planSeen[word]++
		}
	}
	if slices.ContainsFunc(plan.reads, func(a *accessPath) bool { return len(a.c.loose) > 0 }) {
		planSeen[loosely]++
	}
	if w.rng.IntN(4) == 0 {
		w.checkText(t, m.q, plan)
	}
}

// subsetOf reports whether got is n of the keys in want, each once.
func subsetOf(got, want []string, n int) bool {
	seen := map[string]bool{}
	for _, k := range got {
		if seen[k] || !slices.Contains(want, k) {
			return false
		}
		seen[k] = true
	}
	return len(got) == n
}

func (w *world) checkCount(t *testing.T, m modelQuery, want int, fail func(string, *Plan, []string, error)) {
	plan, err := Compile(w.table, m.q, Want{Kind: Count})
	if err != nil {
		fail("count", plan, nil, err)
	}
	tx, err := w.kv.Begin(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	defer plan.Release()
	n, stats, err := plan.Count(context.Background(), tx)
	lookSeen[stats.Look.Choice]++
	if err != nil || n != want {
		fail(fmt.Sprintf("count is %d", n), plan, nil, err)
	}
}

// loosely stands for plans in which a folded index bounds an exact predicate.
const loosely = "bounded loosely"

// planWords are what the plans of the model test should have among them, and
// planSeen how often they had.
var (
	planWords = []string{"get of", "unique get", "key range", "index range", "covering", "union", "one after the other", "merged by",
		"intersection", "full scan", "backwards", "turned round", "sorted by key", "by the entries", "once", "sort", "top", "nothing", "sieve", loosely}
	planSeen = map[string]int{}
)

// lookSeen is how often looks at two indexes had each outcome.
var lookSeen [BothIndexes + 1]int

// A projection is one field of each record: as an operand, and as Go has it.
type projection struct {
	on   Operand
	of   func(rec modelRecord) []string
	drop func(rec modelRecord) bool // records that do not count
}

// projection draws a field.
func (w *world) projection(t *testing.T) projection {
	fields := w.fields()
	f := fields[w.rng.IntN(len(fields))]
	never := func(modelRecord) bool { return false }
	switch {
	case w.rng.IntN(4) == 0:
		list := modelLists[w.rng.IntN(len(modelLists))]
		deref := list.typ.Kind() == reflect.Pointer && w.rng.IntN(2) == 0
		return projection{Operand{Field: &Field{Name: list.name}, Each: true, Deref: deref}, func(rec modelRecord) []string {
			var out []string
			for _, x := range list.elems(rec.val) {
				if deref {
					if x.IsNil() {
						continue
					}
					x = x.Elem()
				}
				out = append(out, string(literal(t, x).Exact))
			}
			slices.Sort(out)
			return slices.Compact(out)
		}, never}
	case f.typ.Kind() == reflect.Pointer && w.rng.IntN(2) == 0:
		o := namedOperand(f.name)
		o.Deref = true
		return projection{o, func(rec modelRecord) []string { return []string{string(literal(t, f.get(rec.val).Elem()).Exact)} },
			func(rec modelRecord) bool { return f.get(rec.val).IsNil() }}
	}
	return projection{namedOperand(f.name), func(rec modelRecord) []string { return []string{string(literal(t, f.get(rec.val)).Exact)} }, never}
}

// checkValues asks for a field of each record, perhaps by groups of another, and
// compares the parts.
func (w *world) checkValues(t *testing.T, m modelQuery, fail func(string, *Plan, []string, error)) {
	v := w.projection(t)
	g := projection{of: func(modelRecord) []string { return []string{""} }, drop: func(modelRecord) bool { return false }}
	if w.rng.IntN(2) == 0 {
		if other := w.projection(t); !v.on.Each || !other.on.Each {
			g = other
		}
	}
	m.all = slices.DeleteFunc(slices.Clone(m.all), func(rec modelRecord) bool { return v.drop(rec) || g.drop(rec) })
	plan, err := Compile(w.table, m.q, Want{Kind: Values, Value: v.on, Group: g.on})
	if err != nil {
		fail("values", plan, nil, err)
	}
	tx, err := w.kv.Begin(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	rows := plan.Run(context.Background(), tx)
	defer plan.Release()
	defer rows.Release()
	var got, want []string
	for rows.Next() {
		got = append(got, fmt.Sprintf("%x by %x", rows.Row().Part, rows.Row().Group))
	}
	if !m.ordered && (m.q.Limit >= 0 || m.q.Offset > 0) {
		return // which records, the plan decides
	}
	recs := m.all[min(m.q.Offset, len(m.all)):]
	if m.q.Limit >= 0 {
		recs = recs[:min(m.q.Limit, len(recs))]
	}
	for _, rec := range recs {
		for _, value := range v.of(rec) {
			for _, group := range g.of(rec) {
				want = append(want, fmt.Sprintf("%x by %x", value, group))
			}
		}
	}
	if !m.ordered {
		slices.Sort(got)
		slices.Sort(want)
	}
	if !slices.Equal(got, want) || rows.Err() != nil {
		fail(fmt.Sprintf("values of %v by %v: %s want %s", v.on, g.on, got, want), plan, got, rows.Err())
	}
}

// checkPages pages through a query, forward and then back.
func (w *world) checkPages(t *testing.T, m modelQuery, want []string, fail func(string, *Plan, []string, error)) {
	q := *m.q
	q.Limit, q.Offset = -1, 0
	if !m.ordered {
		q.ByKey = true
		sorted := slices.Clone(want)
		slices.Sort(sorted)
		want = sorted
	}
	size := []int{1, 2, 7}[w.rng.IntN(3)]
	if len(want) > 20*size {
		return
	}
	var got []string
	var last *Position
	q.Limit = size
	for {
		page, _, end := w.page(t, &q, fail)
		got = append(got, page...)
		if end == nil {
			break
		}
		if last, q.After = end, end; len(got) > len(want) {
			break
		}
	}
	if !slices.Equal(got, want) {
		plan, _ := Compile(w.table, &q, Want{})
		fail(fmt.Sprintf("pages of %d", size), plan, got, nil)
	}
	q.Backward, q.After = true, last
	got = nil
	for last != nil {
		page, start, _ := w.page(t, &q, fail)
		got = append(got, page...)
		if start == nil {
			break
		}
		start.After = false
		if q.After = start; len(got) > len(want) {
			break
		}
	}
	slices.Reverse(got)
	if last != nil && !slices.Equal(got, want) {
		plan, _ := Compile(w.table, &q, Want{})
		fail(fmt.Sprintf("pages of %d backwards", size), plan, got, nil)
	}
}

// page reads one page and returns the positions behind its first and last
// record. It reads backwards in the order of reading.
func (w *world) page(t *testing.T, q *Query, fail func(string, *Plan, []string, error)) (keys []string, start, end *Position) {
	plan, err := Compile(w.table, q, Want{})
	if err != nil && q.Using != "" {
		q.Using = "" // it cannot serve the query
		plan, err = Compile(w.table, q, Want{})
	}
	if err != nil {
		fail("page", plan, nil, err)
	}
	tx, err := w.kv.Begin(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	rows := plan.Run(context.Background(), tx)
	defer plan.Release()
	defer rows.Release()
	for rows.Next() {
		keys = append(keys, string(rows.Row().Key))
		pos, err := rows.Position()
		if err != nil {
			fail("position", plan, keys, err)
		}
		if pos, err = ParsePosition(AppendPosition(nil, pos)); err != nil {
			t.Fatal(err)
		}
		end = pos
	}
	if rows.Err() != nil {
		fail("page", plan, keys, rows.Err())
	}
	return keys, end, end
}

// checkText prints the predicate and parses it: it must be the same.
func (w *world) checkText(t *testing.T, q *Query, plan *Plan) {
	if strings.Contains(q.Where.String(), "func()") {
		return
	}
	e, err := Parse(q.Where.String(), nil)
	if err != nil {
		t.Fatalf("%v does not parse: %v", q.Where, err)
	}
	again := *q
	again.Where = e
	same, err := Compile(w.table, &again, Want{Kind: plan.want.Kind})
	if err != nil {
		t.Fatalf("%v parsed: %v", q.Where, err)
	}
	if same.Shape() != plan.Shape() {
		t.Fatalf("%v parses to another predicate:\n%v\nnot\n%v", q.Where, same.root, plan.root)
	}
}

// rounds multiplies the rounds of random tests.
var theSeed = flag.Uint64("seed", 0, "the only seed of random tests")

var rounds = flag.Int("rounds", 1, "how many times the usual rounds")

func TestModel(t *testing.T) {
	tables, queries := testform.Of(10, 24, 80), 150
	stores := map[string]func(t *testing.T) store.Store{
		"memstore": func(t *testing.T) store.Store { return memstore.New() },
		"badgerstore": func(t *testing.T) store.Store {
			s, err := badgerstore.Open(t.TempDir(), &badgerstore.Options{NoSync: true})
			if errors.Is(err, errors.ErrUnsupported) {
				t.Skip(err) // on a 32-bit platform
			}
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	}
	round := func(t *testing.T, open func(t *testing.T) store.Store) {
		seed := rand.Uint64()
		if *theSeed != 0 {
			seed = *theSeed
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { modelRound(t, open(t), seed, queries) })
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			n := tables
			if name == "badgerstore" {
				n /= 6
			}
			for range n * *rounds {
				round(t, open)
			}
		})
	}
	if *theSeed == 0 && testform.Of(false, true, true) {
		// Some plans are rare, and many rounds have none of them.
		for more := 0; len(unseenPlans()) > 0 && more < 20*tables; more++ {
			round(t, stores["memstore"])
		}
		if list := unseenPlans(); len(list) > 0 {
			t.Errorf("no plan had any of %q: the test has lost its reach", list)
		}
	}
	t.Logf("plans with %v, looks that chose %v", planSeen, lookSeen)
}

// unseenPlans returns which of the words no plan has had yet.
func unseenPlans() []string {
	return slices.DeleteFunc(slices.Clone(planWords), func(word string) bool { return planSeen[word] > 0 })
}

// checkAll checks random queries, with random limits of looks at two indexes.
func (w *world) checkAll(t *testing.T, queries int) {
	defer func(was siftLimits) { sifting = was }(sifting)
	for range queries {
		sifting = siftLimits{
			alone: []int{0, 1, 5, 64}[w.rng.IntN(4)], few: w.rng.IntN(3) - 1,
			bytes: []int{0, 200, 1000, 16 << 20, 16 << 20, 16 << 20, 16 << 20}[w.rng.IntN(7)],
		}
		w.check(t)
	}
}

func modelRound(t *testing.T, kv store.Store, seed uint64, queries int) {
	defer kv.Close()
	rng := rand.New(rand.NewPCG(seed, 0))
	w := newWorld(t, rng, kv, []int{0, 1, 5, 40, 300}[rng.IntN(5)])
	w.checkAll(t, queries)
}
