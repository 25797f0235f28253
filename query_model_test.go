package kivis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/kivisdb/kivis"
)

// TestQueryModel asks random queries of a table with indexes and of one
// without, and compares both with a naive filter and sort: records, keys,
// counts, aggregates, texts, and pages of 1, 2 and 7 in both directions.
func TestQueryModel(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 60
	}
	onStores(t, []any{&Thing{}, &PlainThing{}}, func(t *testing.T, db *kivis.DB) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		g := &thingGen{rng: rand.New(rand.NewPCG(seed, 0))}
		things, plain := kivis.TableBy[Thing, ThingKey](db), kivis.TableBy[PlainThing, ThingKey](db)
		for range 150 {
			rec := g.thing()
			if _, err := things.Insert(bg, &rec); err != nil {
				t.Fatal(err)
			}
			p := PlainThing(rec)
			if _, err := plain.Insert(bg, &p); err != nil {
				t.Fatal(err)
			}
			g.recs = append(g.recs, rec)
		}
		sort.Slice(g.recs, func(i, j int) bool { return compareThingKeys(keyOfThing(&g.recs[i]), keyOfThing(&g.recs[j])) < 0 })
		for range rounds {
			g.check(t, things, plain)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	})
}

func (g *thingGen) check(t *testing.T, things kivis.Table[Thing, ThingKey], plain kivis.Table[PlainThing, ThingKey]) {
	t.Helper()
	p := g.pred(2)
	var want []Thing
	for i := range g.recs {
		if p.ok(&g.recs[i]) {
			want = append(want, g.recs[i])
		}
	}
	q, u := things.Where(p.indexed), plain.Where(p.plain)
	if p.text != "" && g.rng.IntN(3) == 0 {
		q = things.WhereText(p.text, p.args...)
	}
	var terms []thingOrder
	for range g.rng.IntN(3) {
		terms = append(terms, g.term())
	}
	ordered := len(terms) > 0
	if ordered {
		var a []kivis.Order[Thing]
		var b []kivis.Order[PlainThing]
		for _, o := range terms {
			a, b = append(a, o.indexed), append(b, o.plain)
		}
		q, u = q.OrderBy(a...), u.OrderBy(b...)
		sort.SliceStable(want, func(i, j int) bool {
			for _, o := range terms {
				if c := o.compare(&want[i], &want[j]); c != 0 {
					return c < 0
				}
			}
			return false
		})
	}
	keys := keysOfThings(want)
	fail := func(format string, args ...any) {
		t.Helper()
		plan, err := q.Explain()
		t.Errorf("%s\nwhere %s\nwant %v\nplan\n%v\n%v", fmt.Sprintf(format, args...), p.indexed, keys, plan, err)
	}
	got, err := q.Collect(bg)
	if err != nil || !sameThings(keysOfThings(got), keys, ordered) {
		fail("got %v (%v)", keysOfThings(got), err)
	}
	bare, err := u.Collect(bg)
	if err != nil || len(bare) != len(keys) {
		fail("without indexes %d records (%v)", len(bare), err)
	}
	if ordered {
		for i := range bare {
			if (ThingKey{bare[i].Tenant, bare[i].Number}) != keys[i] {
				fail("without indexes record %d is %v", i, bare[i])
				break
			}
		}
	}
	g.checkWindow(t, q, keys, ordered, fail)
	g.checkAggregates(t, q, want, fail)
	g.checkThingPages(t, q, want, ordered, fail)
}

func keysOfThings(recs []Thing) []ThingKey {
	keys := make([]ThingKey, len(recs))
	for i := range recs {
		keys[i] = keyOfThing(&recs[i])
	}
	return keys
}

// sameThings reports whether two lists are the same, but for their order where
// none was asked for.
func sameThings(a, b []ThingKey, ordered bool) bool {
	if !ordered {
		a, b = slices.Clone(a), slices.Clone(b)
		slices.SortFunc(a, compareThingKeys)
		slices.SortFunc(b, compareThingKeys)
	}
	return slices.Equal(a, b)
}

type thingQuery = kivis.Query[Thing, ThingKey]

func (g *thingGen) checkWindow(t *testing.T, q thingQuery, keys []ThingKey, ordered bool, fail func(string, ...any)) {
	t.Helper()
	limit, offset := g.rng.IntN(8), g.rng.IntN(4)
	want := keys[min(offset, len(keys)):]
	want = want[:min(limit, len(want))]
	var got []ThingKey
	for k, err := range q.Limit(limit).Offset(offset).Keys(bg) {
		if err != nil {
			fail("keys: %v", err)
			return
		}
		got = append(got, k)
	}
	if ordered && !slices.Equal(got, want) || len(got) != len(want) {
		fail("limit %d offset %d: %v", limit, offset, got)
	}
	if n, err := q.Limit(limit).Offset(offset).Count(bg); n != len(want) || err != nil {
		fail("count with limit %d offset %d: %d (%v)", limit, offset, n, err)
	}
	if n, err := q.Count(bg); n != len(keys) || err != nil {
		fail("count: %d (%v)", n, err)
	}
	if ok, err := q.Exists(bg); ok != (len(keys) > 0) || err != nil {
		fail("exists: %t (%v)", ok, err)
	}
	first, err := q.First(bg)
	if len(keys) == 0 != errors.Is(err, kivis.ErrNotFound) || len(keys) > 0 && ordered && keyOfThing(&first) != keys[0] {
		fail("first: %v (%v)", first, err)
	}
	if a, err := q.Analyze(bg); err != nil {
		fail("analyze: %v", err)
	} else if an, ok := a.Analysis(); !ok || an.Rows != len(keys) {
		fail("analyze: %+v", an)
	}
}

func (g *thingGen) checkAggregates(t *testing.T, q thingQuery, want []Thing, fail func(string, ...any)) {
	t.Helper()
	sum, least, groups, tags := 0, 0, map[string]int{}, map[string]int{}
	nicks := map[string]int{}
	for i, r := range want {
		sum += r.N
		if i == 0 || r.N < least {
			least = r.N
		}
		groups[r.Kind]++
		seen := slices.Clone(r.Tags)
		slices.Sort(seen)
		for _, tag := range slices.Compact(seen) {
			tags[tag]++
		}
		if r.Nick != nil {
			nicks[*r.Nick]++
		}
	}
	if got, err := kivis.Sum(bg, q, thingFields.n); got != sum || err != nil {
		fail("sum %d (%v), want %d", got, err, sum)
	}
	if got, err := kivis.Min(bg, q, thingFields.n); got != least || (len(want) == 0) != errors.Is(err, kivis.ErrNotFound) {
		fail("min %d (%v), want %d", got, err, least)
	}
	maxNick := ""
	for nick := range nicks {
		maxNick = max(maxNick, nick)
	}
	if got, err := kivis.Max(bg, q, kivis.Deref(thingFields.nick)); got != maxNick || (len(nicks) == 0) != errors.Is(err, kivis.ErrNotFound) {
		fail("max nick %q (%v), want %q", got, err, maxNick)
	}
	for name, test := range map[string]struct {
		field kivis.Field[Thing, string]
		want  map[string]int
	}{"kind": {thingFields.kind, groups}, "tags": {kivis.Each(thingFields.tags), tags}, "nick": {kivis.Deref(thingFields.nick), nicks}} {
		got, err := kivis.GroupCount(bg, q, test.field)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(test.want) {
			fail("group by %s: %v (%v), want %v", name, got, err, test.want)
		}
	}
}

// checkThingPages reads all pages forward, and then back.
func (g *thingGen) checkThingPages(t *testing.T, q thingQuery, want []Thing, ordered bool, fail func(string, ...any)) {
	t.Helper()
	size := pick(g, 1, 2, 7)
	if len(want) > 12*size {
		return
	}
	keys := keysOfThings(want)
	if !ordered {
		slices.SortFunc(keys, compareThingKeys)
	}
	var got []ThingKey
	var last kivis.Page[Thing]
	for cursor := ""; ; {
		page, err := q.Page(bg, size, cursor)
		if err != nil || len(got) > len(keys) {
			fail("page of %d: %v, so far %v", size, err, got)
			return
		}
		got = append(got, keysOfThings(page.Records)...)
		last = page
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if !slices.Equal(got, keys) {
		fail("pages of %d: %v", size, got)
	}
	back := keysOfThings(last.Records)
	for cursor := last.Prev; cursor != ""; {
		page, err := q.Page(bg, size, cursor)
		if err != nil || len(back) > len(keys) {
			fail("page of %d back: %v, so far %v", size, err, back)
			return
		}
		back = append(keysOfThings(page.Records), back...)
		cursor = page.Prev
	}
	if !slices.Equal(back, keys) {
		fail("pages of %d back: %v", size, back)
	}
}

// TestQueryInTx asks in a transaction, on top of its writes, and writes while
// it iterates.
func TestQueryInTx(t *testing.T) {
	onStores(t, []any{&Thing{}}, func(t *testing.T, db *kivis.DB) {
		seed := rand.Uint64()
		g := &thingGen{rng: rand.New(rand.NewPCG(seed, 0))}
		for range 10 {
			err := db.Update(bg, func(ctx context.Context, tx *kivis.Tx) error { return g.inTx(ctx, t, tx) })
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	})
}

func (g *thingGen) inTx(ctx context.Context, t *testing.T, tx *kivis.Tx) error {
	things := kivis.TableBy[Thing, ThingKey](tx)
	for range 30 {
		rec := g.thing()
		if _, err := things.Insert(ctx, &rec); err != nil {
			return err
		}
		g.recs = append(g.recs, rec)
	}
	q := things.Where(thingFields.kind.Eq("x")).OrderBy(thingFields.n.Asc())
	want, err := q.Collect(ctx)
	if err != nil {
		return err
	}
	i := 0
	for rec, err := range q.All(ctx) {
		if err != nil {
			return err
		}
		if keyOfThing(&rec) != keyOfThing(&want[i]) || rec.N != want[i].N {
			t.Fatalf("record %d is %v, want %v", i, rec, want[i])
		}
		i++
		if _, err := things.Modify(ctx, keyOfThing(&rec), func(r *Thing) error { r.N, r.Kind = r.N+5, "x"; return nil }); err != nil {
			return err
		}
	}
	if i != len(want) {
		t.Fatalf("%d records while they were changed, %d before", i, len(want))
	}
	sum, err := kivis.Sum(ctx, q, thingFields.n)
	if err != nil {
		return err
	}
	for _, rec := range want {
		sum -= rec.N + 5
	}
	if sum != 0 {
		t.Fatalf("the sum is off by %d", sum)
	}
	n, err := things.Where(thingFields.kind.Eq("y")).Delete(ctx)
	if err != nil {
		return err
	}
	if left, err := things.Where(thingFields.kind.Eq("y")).Count(ctx); err != nil || left != 0 || n == 0 {
		t.Fatalf("%d deleted, %d left (%v)", n, left, err)
	}
	return nil
}
