package kivis_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/kivisdb/kivis"
)

// Thing is a record with an index of every sort, for random queries.
type Thing struct {
	_        struct{} `kivis:"table=things,index=byplace(Place.City,-At),index=bytag(Tags:each,-At),index=mix(Kind,-N,Nick)"`
	Tenant   string   `kivis:"key"`
	Number   int      `kivis:"key,auto"`
	Kind     string   `kivis:"index"`
	Name     string   `kivis:"index,fold"`
	N        int      `kivis:"index,desc"`
	At       time.Time
	Nick     *string        `kivis:"index"`
	Tags     []string       `kivis:"index,each"`
	Attrs    map[string]int `kivis:"index,each"`
	Place    ThingPlace
	Ratio    float64 `kivis:"index"`
	Done     bool    `kivis:"index"`
	Lasts    time.Duration
	Fingered [2]byte
}

type ThingPlace struct{ City, Street string }

type ThingKey struct {
	Tenant string
	Number int
}

// The same records without an index.
type PlainThing struct {
	_        struct{} `kivis:"table=plain"`
	Tenant   string   `kivis:"key"`
	Number   int      `kivis:"key,auto"`
	Kind     string
	Name     string
	N        int
	At       time.Time
	Nick     *string
	Tags     []string
	Attrs    map[string]int
	Place    ThingPlace
	Ratio    float64
	Done     bool
	Lasts    time.Duration
	Fingered [2]byte
}

// thingLike is what the test asks of both.
type thingLike interface{ Thing | PlainThing }

// handles are the fields of one of the two records.
type handles[R thingLike] struct {
	kind, name, city kivis.Field[R, string]
	n                kivis.Field[R, int]
	at               kivis.Field[R, time.Time]
	nick             kivis.Field[R, *string]
	tags             kivis.Field[R, []string]
	attrs            kivis.Field[R, map[string]int]
	ratio            kivis.Field[R, float64]
	done             kivis.Field[R, bool]
	lasts            kivis.Field[R, time.Duration]
	fingered         kivis.Field[R, [2]byte]
	key              kivis.Field[R, ThingKey]
}

var (
	thingFields = handles[Thing]{
		kivis.FieldOf(func(r *Thing) *string { return &r.Kind }), kivis.FieldOf(func(r *Thing) *string { return &r.Name }),
		kivis.FieldOf(func(r *Thing) *string { return &r.Place.City }), kivis.FieldOf(func(r *Thing) *int { return &r.N }),
		kivis.FieldOf(func(r *Thing) *time.Time { return &r.At }), kivis.FieldOf(func(r *Thing) **string { return &r.Nick }),
		kivis.FieldOf(func(r *Thing) *[]string { return &r.Tags }), kivis.FieldOf(func(r *Thing) *map[string]int { return &r.Attrs }),
		kivis.FieldOf(func(r *Thing) *float64 { return &r.Ratio }), kivis.FieldOf(func(r *Thing) *bool { return &r.Done }),
		kivis.FieldOf(func(r *Thing) *time.Duration { return &r.Lasts }), kivis.FieldOf(func(r *Thing) *[2]byte { return &r.Fingered }),
		kivis.TableBy[Thing, ThingKey](nil).Key(),
	}
	plainFields = handles[PlainThing]{
		kivis.FieldOf(func(r *PlainThing) *string { return &r.Kind }), kivis.FieldOf(func(r *PlainThing) *string { return &r.Name }),
		kivis.FieldOf(func(r *PlainThing) *string { return &r.Place.City }), kivis.FieldOf(func(r *PlainThing) *int { return &r.N }),
		kivis.FieldOf(func(r *PlainThing) *time.Time { return &r.At }), kivis.FieldOf(func(r *PlainThing) **string { return &r.Nick }),
		kivis.FieldOf(func(r *PlainThing) *[]string { return &r.Tags }), kivis.FieldOf(func(r *PlainThing) *map[string]int { return &r.Attrs }),
		kivis.FieldOf(func(r *PlainThing) *float64 { return &r.Ratio }), kivis.FieldOf(func(r *PlainThing) *bool { return &r.Done }),
		kivis.FieldOf(func(r *PlainThing) *time.Duration { return &r.Lasts }), kivis.FieldOf(func(r *PlainThing) *[2]byte { return &r.Fingered }),
		kivis.TableBy[PlainThing, ThingKey](nil).Key(),
	}
)

// thingPred is a predicate on both records, and what it says by itself.
type thingPred struct {
	indexed kivis.Pred[Thing]
	plain   kivis.Pred[PlainThing]
	ok      func(r *Thing) bool
	text    string // as WhereText has it; "" where it cannot
	args    []any
}

// thingOrder is a term of an order.
type thingOrder struct {
	indexed kivis.Order[Thing]
	plain   kivis.Order[PlainThing]
	compare func(a, b *Thing) int
}

type thingGen struct {
	rng  *rand.Rand
	recs []Thing
}

func pick[T any](g *thingGen, list ...T) T { return list[g.rng.IntN(len(list))] }

func (g *thingGen) word() string { return pick(g, "", "a", "A", "ab", "aB", "b", "k", "\u212a", "ß") }

func (g *thingGen) time() time.Time {
	return time.Date(2001, 1, 1+g.rng.IntN(4), 0, 0, 0, g.rng.IntN(2), time.UTC)
}

func (g *thingGen) thing() Thing {
	t := Thing{
		Tenant: pick(g, "t", "u", "v"), Kind: pick(g, "x", "y", "z"), Name: g.word(), N: g.rng.IntN(8) - 3, At: g.time(),
		Place: ThingPlace{City: g.word()}, Ratio: pick(g, 0, -1.5, 2.25, 1e9), Done: g.rng.IntN(2) == 0,
		Lasts: time.Duration(g.rng.IntN(3)) * time.Hour, Fingered: [2]byte{byte(g.rng.IntN(2))},
	}
	if g.rng.IntN(3) > 0 {
		nick := g.word()
		t.Nick = &nick
	}
	for range g.rng.IntN(4) {
		t.Tags = append(t.Tags, g.word())
	}
	for range g.rng.IntN(3) {
		if t.Attrs == nil {
			t.Attrs = map[string]int{}
		}
		t.Attrs[g.word()] = 1
	}
	return t
}

// values makes a predicate of a field and a value that a random operator
// compares.
func values[V any](g *thingGen, name string, h kivis.Field[Thing, V], p kivis.Field[PlainThing, V], v, w V, compare func(a, b V) int, get func(r *Thing) V) thingPred {
	switch g.rng.IntN(10) {
	case 0:
		return thingPred{h.In(v, w), p.In(v, w), func(r *Thing) bool { return compare(get(r), v) == 0 || compare(get(r), w) == 0 }, name + " in (?, ?)", []any{v, w}}
	case 1:
		return thingPred{h.Range(v, w), p.Range(v, w), func(r *Thing) bool { return compare(get(r), v) >= 0 && compare(get(r), w) < 0 }, name + " in [?, ?)", []any{v, w}}
	case 2:
		return thingPred{h.Between(v, w), p.Between(v, w), func(r *Thing) bool { return compare(get(r), v) >= 0 && compare(get(r), w) <= 0 }, name + " between ? and ?", []any{v, w}}
	case 3:
		return thingPred{h.Ne(v), p.Ne(v), func(r *Thing) bool { return compare(get(r), v) != 0 }, name + " != ?", []any{v}}
	case 4:
		return thingPred{h.Lt(v), p.Lt(v), func(r *Thing) bool { return compare(get(r), v) < 0 }, name + " < ?", []any{v}}
	case 5:
		return thingPred{h.Le(v), p.Le(v), func(r *Thing) bool { return compare(get(r), v) <= 0 }, name + " <= ?", []any{v}}
	case 6:
		return thingPred{h.Gt(v), p.Gt(v), func(r *Thing) bool { return compare(get(r), v) > 0 }, name + " > ?", []any{v}}
	case 7:
		return thingPred{h.Ge(v), p.Ge(v), func(r *Thing) bool { return compare(get(r), v) >= 0 }, name + " >= ?", []any{v}}
	}
	return thingPred{h.Eq(v), p.Eq(v), func(r *Thing) bool { return compare(get(r), v) == 0 }, name + " = ?", []any{v}}
}

func comparePtr(a, b *string) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return strings.Compare(*a, *b)
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func compareThingKeys(a, b ThingKey) int {
	return cmp.Or(strings.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Number, b.Number))
}

func keyOfThing(r *Thing) ThingKey { return ThingKey{r.Tenant, r.Number} }

func (g *thingGen) leaf() thingPred {
	t, p, a, b := &thingFields, &plainFields, g.thing(), g.thing()
	if len(g.recs) > 0 && g.rng.IntN(3) > 0 {
		a, b = pick(g, g.recs...), pick(g, g.recs...)
	}
	switch g.rng.IntN(16) {
	case 0, 1:
		return values(g, "Kind", t.kind, p.kind, a.Kind, b.Kind, strings.Compare, func(r *Thing) string { return r.Kind })
	case 2:
		return values(g, "name", t.name, p.name, a.Name, b.Name, strings.Compare, func(r *Thing) string { return r.Name })
	case 3, 4:
		return values(g, "n", t.n, p.n, a.N, b.N, cmp.Compare, func(r *Thing) int { return r.N })
	case 5:
		return values(g, "At", t.at, p.at, a.At, b.At, time.Time.Compare, func(r *Thing) time.Time { return r.At })
	case 6:
		return values(g, "Nick", t.nick, p.nick, a.Nick, b.Nick, comparePtr, func(r *Thing) *string { return r.Nick })
	case 7:
		return values(g, "Place.City", t.city, p.city, a.Place.City, b.Place.City, strings.Compare, func(r *Thing) string { return r.Place.City })
	case 8:
		return values(g, "Ratio", t.ratio, p.ratio, a.Ratio, b.Ratio, cmp.Compare, func(r *Thing) float64 { return r.Ratio })
	case 9:
		return values(g, "Done", t.done, p.done, a.Done, b.Done, compareBools, func(r *Thing) bool { return r.Done })
	case 10:
		return values(g, "Lasts", t.lasts, p.lasts, a.Lasts, b.Lasts, cmp.Compare, func(r *Thing) time.Duration { return r.Lasts })
	case 11:
		return values(g, "key()", t.key, p.key, keyOfThing(&a), keyOfThing(&b), compareThingKeys, keyOfThing)
	case 12:
		return values(g, "Fingered", t.fingered, p.fingered, a.Fingered, b.Fingered, func(x, y [2]byte) int { return slices.Compare(x[:], y[:]) }, func(r *Thing) [2]byte { return r.Fingered })
	}
	return g.special(g.word())
}

// special makes a predicate of one of the functions.
func (g *thingGen) special(v string) thingPred {
	t, p := &thingFields, &plainFields
	switch g.rng.IntN(10) {
	case 0:
		return thingPred{kivis.Prefix(t.kind, v), kivis.Prefix(p.kind, v), func(r *Thing) bool { return strings.HasPrefix(r.Kind, v) }, "kind prefix ?", []any{v}}
	case 1:
		return thingPred{kivis.EqualFold(t.name, v), kivis.EqualFold(p.name, v), func(r *Thing) bool { return strings.EqualFold(r.Name, v) }, "fold(Name) = ?", []any{v}}
	case 2:
		ok := func(r *Thing) bool {
			a, b := []rune(r.Name), []rune(v)
			return len(a) >= len(b) && strings.EqualFold(string(a[:len(b)]), v)
		}
		return thingPred{kivis.PrefixFold(t.name, v), kivis.PrefixFold(p.name, v), ok, "fold(Name) prefix ?", []any{v}}
	case 3:
		return thingPred{kivis.Substring(t.name, v), kivis.Substring(p.name, v), func(r *Thing) bool { return strings.Contains(r.Name, v) }, "Name contains ?", []any{v}}
	case 4:
		return thingPred{kivis.Contains(t.tags, v), kivis.Contains(p.tags, v), func(r *Thing) bool { return slices.Contains(r.Tags, v) }, "tags contains ?", []any{v}}
	case 5:
		ok := func(r *Thing) bool { _, ok := r.Attrs[v]; return ok }
		return thingPred{kivis.HasKey(t.attrs, v), kivis.HasKey(p.attrs, v), ok, "attrs contains ?", []any{v}}
	case 6:
		return thingPred{kivis.IsNil(t.nick), kivis.IsNil(p.nick), func(r *Thing) bool { return r.Nick == nil }, "nick is nil", nil}
	case 7:
		ok := func(r *Thing) bool { return r.Nick != nil && *r.Nick >= v }
		return thingPred{kivis.Deref(t.nick).Ge(v), kivis.Deref(p.nick).Ge(v), ok, "deref(Nick) >= ?", []any{v}}
	case 8:
		ok := func(r *Thing) bool { return slices.ContainsFunc(r.Tags, func(s string) bool { return s < v }) }
		return thingPred{kivis.Each(t.tags).Lt(v), kivis.Each(p.tags).Lt(v), ok, "any(Tags) < ?", []any{v}}
	}
	return thingPred{
		kivis.Func(func(r *Thing) bool { return r.N%2 == 0 && r.Name != v }), kivis.Func(func(r *PlainThing) bool { return r.N%2 == 0 && r.Name != v }),
		func(r *Thing) bool { return r.N%2 == 0 && r.Name != v }, "", nil,
	}
}

func (g *thingGen) pred(depth int) thingPred {
	if depth == 0 || g.rng.IntN(3) == 0 {
		return g.leaf()
	}
	var kids []thingPred
	var indexed []kivis.Pred[Thing]
	var plain []kivis.Pred[PlainThing]
	var texts []string
	var args []any
	for range 1 + g.rng.IntN(3) {
		k := g.pred(depth - 1)
		kids, indexed, plain = append(kids, k), append(indexed, k.indexed), append(plain, k.plain)
		texts, args = append(texts, "("+k.text+")"), append(args, k.args...)
	}
	text := func(sep string) string {
		if slices.ContainsFunc(kids, func(k thingPred) bool { return k.text == "" }) {
			return ""
		}
		return strings.Join(texts, sep)
	}
	switch g.rng.IntN(4) {
	case 0:
		k := kids[0]
		t := ""
		if k.text != "" {
			t = "not (" + k.text + ")"
		}
		return thingPred{kivis.Not(k.indexed), kivis.Not(k.plain), func(r *Thing) bool { return !k.ok(r) }, t, k.args}
	case 1:
		return thingPred{kivis.Or(indexed...), kivis.Or(plain...), func(r *Thing) bool {
			return slices.ContainsFunc(kids, func(k thingPred) bool { return k.ok(r) })
		}, text(" or "), args}
	}
	return thingPred{kivis.And(indexed...), kivis.And(plain...), func(r *Thing) bool {
		return !slices.ContainsFunc(kids, func(k thingPred) bool { return !k.ok(r) })
	}, text(" and "), args}
}

func order[V any](g *thingGen, h kivis.Field[Thing, V], p kivis.Field[PlainThing, V], compare func(a, b *Thing) int) thingOrder {
	if g.rng.IntN(2) == 0 {
		return thingOrder{h.Desc(), p.Desc(), func(a, b *Thing) int { return compare(b, a) }}
	}
	return thingOrder{h.Asc(), p.Asc(), compare}
}

func (g *thingGen) term() thingOrder {
	t, p := &thingFields, &plainFields
	switch g.rng.IntN(7) {
	case 0:
		return order(g, t.kind, p.kind, func(a, b *Thing) int { return strings.Compare(a.Kind, b.Kind) })
	case 1:
		return order(g, t.n, p.n, func(a, b *Thing) int { return cmp.Compare(a.N, b.N) })
	case 2:
		return order(g, t.at, p.at, func(a, b *Thing) int { return a.At.Compare(b.At) })
	case 3:
		return order(g, t.nick, p.nick, func(a, b *Thing) int { return comparePtr(a.Nick, b.Nick) })
	case 4:
		return order(g, t.city, p.city, func(a, b *Thing) int { return strings.Compare(a.Place.City, b.Place.City) })
	case 5:
		return order(g, t.key, p.key, func(a, b *Thing) int { return compareThingKeys(keyOfThing(a), keyOfThing(b)) })
	}
	return order(g, kivis.Deref(t.nick), kivis.Deref(p.nick), func(a, b *Thing) int { return comparePtr(a.Nick, b.Nick) })
}
