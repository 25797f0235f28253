package kivis_test

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
)

// cart has lists of structs, and a pointer to one.
type cart struct {
	_ struct{} `kivis:"table=carts,index=skus(Lines.SKU:each),index=names(Lines.Item.Name:each,Total),index=city(Ship.City,-Total)"`
	_ struct{} `kivis:"unique=serials(Lines.Item.Serial:each),index=gifts(Gifts.SKU:fold:each)"`
	kivis.Auto[cart]
	Total int
	Ship  *shipTo
	Lines []cartLine
	Gifts map[string]*cartLine
}

type shipTo struct {
	City string
	Note *string
	Tags []string
	Next *shipTo
}

type cartLine struct {
	SKU  string
	N    int
	Item *cartItem
}

type cartItem struct {
	Name   string
	Serial *string
}

var (
	cartTotal  = kivis.FieldOf(func(c *cart) *int { return &c.Total })
	cartCity   = kivis.FieldOf(func(c *cart) *string { return &c.Ship.City })
	cartNote   = kivis.FieldOf(func(c *cart) **string { return &c.Ship.Note })
	cartTags   = kivis.FieldOf(func(c *cart) *[]string { return &c.Ship.Tags })
	cartFar    = kivis.FieldOf(func(c *cart) *string { return &c.Ship.Next.Next.City })
	cartLines  = kivis.FieldOf(func(c *cart) *[]cartLine { return &c.Lines })
	cartGifts  = kivis.FieldOf(func(c *cart) *map[string]*cartLine { return &c.Gifts })
	cartSKU    = kivis.EachOf(cartLines, func(l *cartLine) *string { return &l.SKU })
	cartN      = kivis.EachOf(cartLines, func(l *cartLine) *int { return &l.N })
	cartName   = kivis.EachOf(cartLines, func(l *cartLine) *string { return &l.Item.Name })
	cartSerial = kivis.EachOf(cartLines, func(l *cartLine) **string { return &l.Item.Serial })
	cartGift   = kivis.EachOf(cartGifts, func(l *cartLine) *string { return &l.SKU })
)

// city, names and gifts are what the handles give, by hand.
func (c *cart) city() (string, bool) {
	if c.Ship == nil {
		return "", false
	}
	return c.Ship.City, true
}

func (c *cart) names() (out []string) {
	for _, l := range c.Lines {
		if l.Item != nil {
			out = append(out, l.Item.Name)
		}
	}
	return out
}

func (c *cart) skus() (out []string) {
	for _, l := range c.Lines {
		out = append(out, l.SKU)
	}
	return out
}

func (c *cart) gifts() (out []string) {
	for _, l := range c.Gifts {
		if l != nil {
			out = append(out, l.SKU)
		}
	}
	return out
}

func (c *cart) serials() (out []string) {
	for _, l := range c.Lines {
		if l.Item != nil && l.Item.Serial != nil {
			out = append(out, *l.Item.Serial)
		}
	}
	return out
}

// hasSerialOf reports whether two carts have a serial in common.
func (c *cart) hasSerialOf(d *cart) bool {
	return slices.ContainsFunc(c.serials(), func(s string) bool { return slices.Contains(d.serials(), s) })
}

func randomWord(rng *rand.Rand) string { return []string{"", "a", "A", "ab", "b"}[rng.IntN(5)] }

func randomCart(rng *rand.Rand) cart {
	line := func() cartLine {
		l := cartLine{SKU: randomWord(rng), N: rng.IntN(4)}
		if rng.IntN(3) > 0 {
			l.Item = &cartItem{Name: randomWord(rng)}
			if rng.IntN(4) == 0 {
				s := fmt.Sprint(rng.IntN(80))
				l.Item.Serial = &s
			}
		}
		return l
	}
	c := cart{Total: rng.IntN(5)}
	if rng.IntN(3) > 0 {
		c.Ship = &shipTo{City: randomWord(rng)}
		if rng.IntN(2) == 0 {
			note := randomWord(rng)
			c.Ship.Note = &note
		}
		if rng.IntN(2) == 0 {
			c.Ship.Tags = []string{randomWord(rng)}
		}
		if rng.IntN(2) == 0 {
			c.Ship.Next = &shipTo{Next: &shipTo{City: "far"}}
		}
	}
	for range rng.IntN(4) {
		c.Lines = append(c.Lines, line())
	}
	if rng.IntN(3) > 0 {
		c.Gifts = map[string]*cartLine{}
		for i := range rng.IntN(4) {
			l := line()
			if c.Gifts[fmt.Sprint(i)] = &l; rng.IntN(4) == 0 {
				c.Gifts[fmt.Sprint(i)] = nil
			}
		}
	}
	return c
}

// A cartPred is a predicate, and what it says by hand.
type cartPred struct {
	pred kivis.Pred[cart]
	ok   func(c *cart) bool
}

func randomCartPred(rng *rand.Rand, depth int) cartPred {
	if depth > 0 && rng.IntN(3) == 0 {
		p, q := randomCartPred(rng, depth-1), randomCartPred(rng, depth-1)
		switch rng.IntN(3) {
		case 0:
			return cartPred{kivis.And(p.pred, q.pred), func(c *cart) bool { return p.ok(c) && q.ok(c) }}
		case 1:
			return cartPred{kivis.Or(p.pred, q.pred), func(c *cart) bool { return p.ok(c) || q.ok(c) }}
		}
		return cartPred{kivis.Not(p.pred), func(c *cart) bool { return !p.ok(c) }}
	}
	w, n := randomWord(rng), rng.IntN(4)
	inCity := func(test func(city string) bool) func(c *cart) bool {
		return func(c *cart) bool {
			city, ok := c.city()
			return ok && test(city)
		}
	}
	in := func(of func(*cart) []string, test func(s string) bool) func(c *cart) bool {
		return func(c *cart) bool { return slices.ContainsFunc(of(c), test) }
	}
	is := func(s string) bool { return s == w }
	switch rng.IntN(16) {
	case 0:
		return cartPred{cartCity.Eq(w), inCity(is)}
	case 1:
		return cartPred{cartCity.Lt(w), inCity(func(s string) bool { return s < w })}
	case 2:
		return cartPred{cartCity.Ne(w), inCity(func(s string) bool { return s != w })}
	case 3:
		return cartPred{kivis.Prefix(cartCity, w), inCity(func(s string) bool { return strings.HasPrefix(s, w) })}
	case 4:
		return cartPred{kivis.IsNil(cartCity), func(c *cart) bool { return c.Ship == nil }}
	case 5:
		return cartPred{kivis.IsNil(cartNote), func(c *cart) bool { return c.Ship == nil || c.Ship.Note == nil }}
	case 6:
		return cartPred{kivis.Deref(cartNote).Ge(w), func(c *cart) bool { return c.Ship != nil && c.Ship.Note != nil && *c.Ship.Note >= w }}
	case 7:
		return cartPred{kivis.Contains(cartTags, w), func(c *cart) bool { return c.Ship != nil && slices.Contains(c.Ship.Tags, w) }}
	case 8:
		return cartPred{cartFar.Eq("far"), func(c *cart) bool { return c.Ship != nil && c.Ship.Next != nil }}
	case 9:
		return cartPred{cartSKU.Eq(w), in((*cart).skus, is)}
	case 10:
		return cartPred{cartSKU.In(w, "b"), in((*cart).skus, func(s string) bool { return s == w || s == "b" })}
	case 11:
		return cartPred{cartN.Ge(n), func(c *cart) bool { return slices.ContainsFunc(c.Lines, func(l cartLine) bool { return l.N >= n }) }}
	case 12:
		return cartPred{cartName.Le(w), in((*cart).names, func(s string) bool { return s <= w })}
	case 13:
		return cartPred{kivis.IsNil(cartName), func(c *cart) bool {
			return slices.ContainsFunc(c.Lines, func(l cartLine) bool { return l.Item == nil })
		}}
	case 14:
		return cartPred{kivis.Fold(cartGift).Eq(w), in((*cart).gifts, func(s string) bool { return strings.EqualFold(s, w) })}
	}
	return cartPred{cartName.Eq(w), in((*cart).names, is)}
}

// TestElementsModel writes random carts, and asks for them through pointers and by
// fields of their elements.
func TestElementsModel(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 15
	}
	onStores(t, []any{&cart{}}, func(t *testing.T, db *kivis.DB) {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		defer func() {
			if t.Failed() {
				t.Log("seed", seed)
			}
		}()
		carts := kivis.TableOf[cart](db)
		model := map[kivis.ID[cart]]cart{}
		for range rounds {
			for range 5 {
				writeCart(t, rng, carts, model)
			}
			for range 20 {
				askCarts(t, randomCartPred(rng, 2), carts, model)
			}
		}
		addCarts(t, carts.Query(), model)
		addCarts(t, carts.Where(cartTotal.Ge(2)), model)
		mustBeClean(t, db)
	})
}

// writeCart writes or deletes one random cart.
func writeCart(t *testing.T, rng *rand.Rand, carts kivis.Table[cart, kivis.ID[cart]], model map[kivis.ID[cart]]cart) {
	t.Helper()
	c := randomCart(rng)
	ids := slices.Sorted(maps.Keys(model))
	if len(ids) > 0 && rng.IntN(3) == 0 {
		c.ID = ids[rng.IntN(len(ids))]
	}
	if c.ID > 0 && rng.IntN(3) == 0 {
		check(t, carts.Delete(bg, c.ID))
		delete(model, c.ID)
		return
	}
	taken := false
	for id, other := range model {
		taken = taken || id != c.ID && c.hasSerialOf(&other)
	}
	_, err := carts.Put(bg, &c)
	if errors.Is(err, kivis.ErrExists) != taken || err != nil && !taken {
		t.Fatalf("Put of %v with serials taken %t: %v", c.serials(), taken, err)
	}
	if err == nil {
		model[c.ID] = c
	}
}

// askCarts compares the answer of a predicate, typed and as text, with the carts
// for which it holds.
func askCarts(t *testing.T, p cartPred, carts kivis.Table[cart, kivis.ID[cart]], model map[kivis.ID[cart]]cart) {
	t.Helper()
	var want []kivis.ID[cart]
	for id, c := range model {
		if p.ok(&c) {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	for name, q := range map[string]kivis.Query[cart, kivis.ID[cart]]{
		"typed": carts.Where(p.pred), "as text": carts.WhereText(p.pred.String()),
	} {
		got := drain(t, q.Keys(bg))
		slices.Sort(got)
		if n := must(q.Count(bg))(t); !slices.Equal(got, want) || n != len(want) {
			plan, _ := q.Explain()
			t.Fatalf("%v, %s: %v (count %d), want %v\n%v", p.pred, name, got, n, want, &plan)
		}
	}
}

// addCarts compares aggregates with what they are by hand.
func addCarts(t *testing.T, q kivis.Query[cart, kivis.ID[cart]], model map[kivis.ID[cart]]cart) {
	t.Helper()
	skus, totals, cities, loaded := map[string]int{}, map[string]int{}, map[string]bool{}, map[string]int{}
	ns := 0
	for _, c := range must(q.Collect(bg))(t) {
		if d := model[c.ID]; fmt.Sprintf("%v %v", c.skus(), c.names()) != fmt.Sprintf("%v %v", d.skus(), d.names()) {
			t.Errorf("%+v is stored, %+v was written", c, d)
		}
		for _, s := range slices.Compact(slices.Sorted(slices.Values(c.skus()))) {
			skus[s]++
			totals[s] += c.Total
		}
		for _, s := range slices.Compact(slices.Sorted(slices.Values(c.names()))) {
			loaded[s]++
		}
		if city, ok := c.city(); ok {
			cities[city] = true
		}
		seen := map[int]bool{}
		for _, l := range c.Lines {
			if !seen[l.N] {
				ns += l.N
			}
			seen[l.N] = true
		}
	}
	if got := must(kivis.GroupCount(bg, q, cartSKU))(t); !maps.Equal(got, skus) {
		t.Errorf("GroupCount = %v, want %v", got, skus)
	}
	if got := must(kivis.GroupSum(bg, q, cartSKU, cartTotal))(t); !maps.Equal(got, totals) {
		t.Errorf("GroupSum = %v, want %v", got, totals)
	}
	if got, want := drain(t, kivis.Distinct(bg, q, cartSKU)), slices.Sorted(maps.Keys(skus)); !slices.Equal(got, want) {
		t.Errorf("Distinct = %v, want %v", got, want)
	}
	if got, want := drain(t, kivis.Distinct(bg, q, cartName)), slices.Sorted(maps.Keys(loaded)); !slices.Equal(got, want) {
		t.Errorf("Distinct behind pointers = %v, want %v", got, want)
	}
	if got, want := drain(t, kivis.Distinct(bg, q, cartCity)), slices.Sorted(maps.Keys(cities)); !slices.Equal(got, want) {
		t.Errorf("Distinct through a pointer = %v, want %v", got, want)
	}
	if got := must(kivis.Sum(bg, q, cartN))(t); got != ns {
		t.Errorf("Sum = %d, want %d", got, ns)
	}
	if got, want := must(kivis.Max(bg, q, cartCity))(t), slices.Max(slices.Collect(maps.Keys(cities))); got != want {
		t.Errorf("Max = %q, want %q", got, want)
	}
	serials := map[string]int{}
	for _, c := range must(q.Collect(bg))(t) {
		for _, s := range slices.Compact(slices.Sorted(slices.Values(c.serials()))) {
			serials[s]++
		}
	}
	if got := mapOf(must(kivis.LoadMany(bg, q, kivis.Deref(cartSerial)))(t), func(list []cart) int { return len(list) }); !maps.Equal(got, serials) {
		t.Errorf("LoadMany by what pointers have = %v, want %v", got, serials)
	}
	if got, want := drain(t, kivis.Distinct(bg, q, kivis.Deref(cartSerial))), slices.Sorted(maps.Keys(serials)); !slices.Equal(got, want) {
		t.Errorf("Distinct of what pointers have = %v, want %v", got, want)
	}
	groups := mapOf(must(kivis.LoadMany(bg, q, cartName))(t), func(list []cart) int { return len(list) })
	if !maps.Equal(groups, loaded) {
		t.Errorf("LoadMany = %v, want %v", groups, loaded)
	}
}

// TestFieldHandlesBehind reads handles without a database, asks by name, and has
// each index serve.
func TestFieldHandlesBehind(t *testing.T) {
	db := newDB(t, &cart{})
	carts := kivis.TableOf[cart](db)
	note := "ring"
	full := cart{Ship: &shipTo{City: "Oslo", Note: &note, Next: &shipTo{Next: &shipTo{City: "Bergen"}}},
		Lines: []cartLine{{SKU: "a"}, {SKU: "b", Item: &cartItem{Name: "Bolt"}}}, Gifts: map[string]*cartLine{"": {SKU: "G"}}}
	got := fmt.Sprint(cartCity.Get(&full), *cartNote.Get(&full), cartFar.Get(&full), cartSKU.Get(&full), cartName.Get(&full), cartGift.Get(&full))
	if want := "OsloringBergenaBoltG"; got != want {
		t.Errorf("Get = %s, want %s", got, want)
	}
	none := &cart{Gifts: map[string]*cartLine{"": nil}}
	if got := fmt.Sprint(cartCity.Get(none), cartNote.Get(none), cartFar.Get(none), cartSKU.Get(none), cartName.Get(none), cartGift.Get(none)); got != "<nil>" {
		t.Errorf("Get of nothing = %q", got)
	}
	town := kivis.FieldOf(func(p *parcel) *string { return &p.To.V.Town })
	for want, p := range map[string]parcel{"Oslo": {To: null(address{Town: "Oslo"})}, "": {To: sql.Null[address]{V: address{Town: "gone"}}}} {
		if got := town.Get(&p); got != want {
			t.Errorf("Get in a nullable = %q, want %q", got, want)
		}
	}
	must(carts.Insert(bg, &full))(t)
	must(carts.Insert(bg, none))(t)
	for pred, index := range map[string]string{
		"any(Lines.SKU) = 'a'": "skus", "Lines.SKU contains 'a'": "skus", "any(Lines.Item.Name) = 'Bolt' and Total = 0": "names",
		"Ship.City = 'Oslo'": "city", "fold(any(Gifts.SKU)) = 'g'": "gifts", "any(Lines.Item.Serial) = 'x'": "serials",
	} {
		q := kivis.TableNamed(db, "carts").Where(pred)
		want := 1
		if index == "serials" {
			want = 0
		}
		plan, err := q.Explain()
		if err != nil || !strings.Contains(plan.String(), "carts."+index+"(") {
			t.Errorf("%s: %v, %v", pred, &plan, err)
		}
		if n, err := q.Count(bg); n != want || err != nil {
			t.Errorf("%s: %d, %v", pred, n, err)
		}
	}
}

// TestElementsBuilt registers an index of elements over records that are there, and
// then another in its place.
func TestElementsBuilt(t *testing.T) {
	type line struct{ SKU, Name string }
	before := func() any {
		type order struct {
			ID    int `kivis:"key"`
			Lines []line
		}
		return &order{}
	}()
	type order struct {
		_     struct{} `kivis:"index=lines(Lines.SKU:each)"`
		ID    int      `kivis:"key"`
		Lines []line
	}
	after := func() any {
		type order struct {
			_     struct{} `kivis:"index=lines(Lines.Name:each)"`
			ID    int      `kivis:"key"`
			Lines []line
		}
		return &order{}
	}()
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			st := &unclosed{s.open(t)}
			for _, tt := range []struct {
				record any
				pred   string
				want   int
			}{{before, "any(Lines.SKU) = '3'", 43}, {&order{}, "any(Lines.SKU) = '3'", 43}, {after, "any(Lines.Name) = 'n3'", 60}} {
				db := must(kivis.Open(st, nil))(t)
				check(t, db.Register(tt.record))
				named := kivis.TableNamed(db, "order")
				for i := range 300 {
					if tt.record != before {
						break
					}
					rec := named.New()
					check(t, rec.Set("ID", i))
					check(t, rec.Set("Lines", []map[string]any{{"SKU": fmt.Sprint(i % 7)}, {"SKU": fmt.Sprint(i % 7), "Name": fmt.Sprint("n", i%5)}}))
					must(named.Insert(bg, rec))(t)
				}
				q := named.Where(tt.pred)
				plan := must(q.Explain())(t)
				if n := must(q.Count(bg))(t); n != tt.want || strings.Contains(plan.String(), "order.lines(") == (tt.record == before) {
					t.Errorf("%s: %d, want %d\n%v", tt.pred, n, tt.want, &plan)
				}
				mustBeClean(t, db)
				check(t, db.Close())
			}
			check(t, st.Store.Close())
		})
	}
}

// TestBadHandles has handles that lead nowhere: each query with one says why.
func TestBadHandles(t *testing.T) {
	carts := kivis.TableOf[cart](newDB(t, &cart{}))
	var zero kivis.Field[cart, []cartLine]
	for _, tt := range []struct {
		pred kivis.Pred[cart]
		want string
	}{
		{kivis.EachOf(cartTotal, func(l *cartLine) *string { return &l.SKU }).Eq("a"), "EachOf is for slices and maps: it is int"},
		{kivis.EachOf(cartLines, func(l *cartItem) *string { return &l.Name }).Eq("a"), "takes a *kivis_test.cartItem, and the elements are of type kivis_test.cartLine"},
		{kivis.EachOf(cartLines, (func(l *cartLine) *string)(nil)).Eq("a"), "the selector given to EachOf is nil"},
		{kivis.EachOf(cartLines, func(l *cartLine) *string { return nil }).Eq("a"), "the selector given to EachOf returns nil"},
		{kivis.EachOf(zero, func(l *cartLine) *string { return &l.SKU }).Eq("a"), "a zero Field is no field"},
		{kivis.EachOf(carts.Key(), func(l *cartLine) *string { return &l.SKU }).Eq("a"), "EachOf of what FieldOf has not made"},
		{kivis.EachOf(cartSKU, func(l *cartLine) *string { return &l.SKU }).Eq("a"), "a handle goes through one list"},
		{cartSKU.Ne("a"), "!= on elements says little"},
		{kivis.IsNil(cartSKU), "a string is never nil"},
		{kivis.FieldOf(func(c *cart) *string { return &c.Lines[0].SKU }).Eq("a"), "a field of elements is EachOf's"},
	} {
		_, err := carts.Where(tt.pred).Count(bg)
		var qe *kivis.QueryError
		if !errors.As(err, &qe) {
			t.Errorf("%s: %v is no QueryError", tt.want, err)
		}
		wantText(t, err, tt.want)
	}
}
