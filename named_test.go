package kivis_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// setThing sets a record by name to the values of a Thing.
func setThing(t testing.TB, rec *kivis.Record, x *Thing) {
	t.Helper()
	for name, v := range map[string]any{
		"Tenant": x.Tenant, "Number": x.Number, "Kind": x.Kind, "Name": x.Name, "N": x.N, "At": x.At, "Nick": deref(x.Nick),
		"Tags": x.Tags, "Attrs": x.Attrs, "Place.City": x.Place.City, "Place.Street": x.Place.Street,
		"Ratio": x.Ratio, "Done": x.Done, "Lasts": x.Lasts, "Fingered": x.Fingered,
	} {
		if err := rec.Set(name, v); err != nil {
			t.Fatal(err)
		}
	}
}

// deref returns what p points to, or nil.
func deref[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// namedWorld is two databases that are to stay the same: calls by type go to
// one, the same calls by name to the other.
type namedWorld struct {
	*thingGen
	t             *testing.T
	typed, byName *kivis.DB
	things        kivis.Table[Thing, ThingKey]
	named         kivis.NamedTable
}

// same fails the test unless two errors are of one kind.
func (w *namedWorld) same(what string, a, b error) bool {
	for _, kind := range []error{kivis.ErrNotFound, kivis.ErrExists, kivis.ErrKeyChanged, kivis.ErrReference} {
		if errors.Is(a, kind) != errors.Is(b, kind) {
			w.t.Fatalf("%s: by type %v, by name %v", what, a, b)
		}
	}
	if (a == nil) != (b == nil) {
		w.t.Fatalf("%s: by type %v, by name %v", what, a, b)
	}
	return a == nil
}

func (w *namedWorld) key(k ThingKey) kivis.Key {
	return must(w.named.KeyOf(k.Tenant, k.Number))(w.t)
}

// step makes one random call on both.
func (w *namedWorld) step(ctx context.Context) {
	x := w.thing()
	rec := w.named.New()
	setThing(w.t, &rec, &x)
	key := ThingKey{x.Tenant, w.rng.IntN(30)}
	if w.rng.IntN(2) == 0 {
		x.Number = key.Number
		check(w.t, rec.Set("Number", x.Number))
	}
	switch w.rng.IntN(7) {
	case 0, 1:
		k, err := w.things.Insert(ctx, &x)
		n, nameErr := w.named.Insert(ctx, rec)
		if w.same("insert", err, nameErr) && w.key(k) != n {
			w.t.Fatalf("insert: key %v, by name %v", k, n)
		}
	case 2:
		k, err := w.things.Put(ctx, &x)
		n, nameErr := w.named.Put(ctx, rec)
		if w.same("put", err, nameErr) && w.key(k) != n {
			w.t.Fatalf("put: key %v, by name %v", k, n)
		}
	case 3:
		w.same("replace", w.things.Replace(ctx, &x), w.named.Replace(ctx, rec))
	case 4:
		w.same("delete", w.things.Delete(ctx, key), w.named.Delete(ctx, w.key(key)))
	case 5:
		_, err := w.things.Modify(ctx, key, func(r *Thing) error { r.Kind, r.Nick = x.Kind, x.Nick; return nil })
		_, nameErr := w.named.Modify(ctx, w.key(key), func(r *kivis.Record) error {
			return errors.Join(r.Set("Kind", x.Kind), r.Set("Nick", deref(x.Nick)))
		})
		w.same("modify", err, nameErr)
	case 6:
		w.changeByQuery(ctx)
	}
}

// changeByQuery deletes or modifies what a random predicate finds.
func (w *namedWorld) changeByQuery(ctx context.Context) {
	p := w.pred(2)
	if p.text == "" {
		return
	}
	q, named := w.things.Where(p.indexed), w.named.Where(p.text, p.args...)
	if w.rng.IntN(4) == 0 {
		n, err := q.Delete(ctx)
		m, nameErr := named.Delete(ctx)
		if w.same("delete by "+p.text, err, nameErr) && n != m {
			w.t.Fatalf("delete by %s: %d, by name %d", p.text, n, m)
		}
		return
	}
	n, err := q.Modify(ctx, func(r *Thing) error { r.N++; return nil })
	m, nameErr := named.Modify(ctx, func(r *kivis.Record) error {
		v, err := r.Get("N")
		if err != nil {
			return err
		}
		return r.Set("N", v.(int64)+1)
	})
	if w.same("modify by "+p.text, err, nameErr) && n != m {
		w.t.Fatalf("modify by %s: %d, by name %d", p.text, n, m)
	}
}

// ask asks both the same question.
func (w *namedWorld) ask(ctx context.Context) {
	p := w.pred(2)
	if p.text == "" {
		return
	}
	q, named := w.things.Where(p.indexed), w.named.Where(p.text, p.args...)
	kivisN := kivis.FieldOf(func(r *Thing) *int { return &r.N })
	q, named = q.OrderBy(kivisN.Desc()), named.OrderBy("-N")
	n, err := q.Count(ctx)
	m, nameErr := named.Count(ctx)
	if !w.same("count of "+p.text, err, nameErr) {
		return
	}
	if n != m {
		w.t.Fatalf("count of %s: %d, by name %d", p.text, n, m)
	}
	recs, names := must(q.Collect(ctx))(w.t), must(named.Collect(ctx))(w.t)
	if len(recs) != len(names) {
		w.t.Fatalf("%s: %d records, by name %d", p.text, len(recs), len(names))
	}
	var keys []kivis.Key
	for key, err := range named.Keys(ctx) {
		check(w.t, err)
		keys = append(keys, key)
	}
	many := must(w.named.GetMany(ctx, keys...))(w.t)
	for i := range recs {
		want := w.named.New()
		setThing(w.t, &want, &recs[i])
		got := names[i]
		again := w.named.New()
		if err := json.Unmarshal(must(json.Marshal(got))(w.t), &again); err != nil || !again.Equal(got) {
			w.t.Fatalf("%s: by way of JSON %s, %v", got, again, err)
		}
		if !got.Equal(want) || got.Key() != w.key(keyOfThing(&recs[i])) || keys[i] != got.Key() || !many[keys[i]].Equal(got) {
			w.t.Fatalf("%s: record %d is %v, by name %v", p.text, i, recs[i], got.Key())
		}
	}
	w.pages(ctx, named, names)
	if plan, byName := must(q.Explain())(w.t), must(named.Explain())(w.t); plan.String() != byName.String() {
		w.t.Fatalf("%s: plan\n%s\nby name\n%s", p.text, plan.String(), byName.String())
	}
}

// pages reads what a query finds by pages.
func (w *namedWorld) pages(ctx context.Context, q kivis.NamedQuery, want []kivis.Record) {
	var got []kivis.Record
	for cursor := ""; ; {
		page := must(q.Page(ctx, 7, cursor))(w.t)
		got = append(got, page.Records...)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if !slices.EqualFunc(got, want, kivis.Record.Equal) {
		w.t.Fatalf("pages give %d records, want %d", len(got), len(want))
	}
}

// TestNamedModel has random calls by type on one database and the same by name
// on another, in which no type is registered: they stay the same, byte by byte.
func TestNamedModel(t *testing.T) {
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	seed := rand.Uint64()
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			for round := range rounds {
				a, b := s.open(t), s.open(t)
				typed := openDB(t, a, &Thing{}, &PlainThing{})
				check(t, openOnly(t, b, &Thing{}, &PlainThing{}))
				byName := openDB(t, b)
				w := &namedWorld{
					thingGen: &thingGen{rng: rand.New(rand.NewPCG(seed, uint64(round)))}, t: t, typed: typed, byName: byName,
					things: kivis.TableBy[Thing, ThingKey](typed), named: kivis.TableNamed(byName, "things"),
				}
				t.Logf("seed %d, round %d", seed, round)
				w.run()
				before, after := dump(t, a), dump(t, b)
				for key, value := range before {
					if key[0] != 0x80 && after[key] != value { // of the catalog the secret differs
						t.Fatalf("key %x: %x, by name %x", key, value, after[key])
					}
				}
				if len(before) != len(after) {
					t.Errorf("%d keys, by name %d", len(before), len(after))
				}
			}
		})
	}
}

// run makes calls on the databases and in transactions of them.
func (w *namedWorld) run() {
	things, named := w.things, w.named
	for range 12 {
		for range 12 {
			w.step(bg)
		}
		w.ask(bg)
		check(w.t, w.typed.Update(bg, func(ctx context.Context, tx *kivis.Tx) error {
			return w.byName.Update(bg, func(byName context.Context, other *kivis.Tx) error {
				w.things, w.named = things.With(tx), named.With(other)
				for range 8 {
					w.step(bg)
				}
				w.ask(bg)
				return nil
			})
		}))
		w.things, w.named = things, named
	}
}

// TestNamedWithoutTypes: references, delete rules and unique indexes hold where
// no type is registered.
func TestNamedWithoutTypes(t *testing.T) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			st := s.open(t)
			check(t, openOnly(t, st, &User{}, &Post{}))
			db := openWith(t, st, &kivis.Options{AllowUntyped: true})
			users, posts := kivis.TableNamed(db, "User"), kivis.TableNamed(db, "Post")
			user := func(email string) kivis.Record {
				rec := users.New()
				check(t, rec.Set("Email", email))
				return rec
			}
			ada := must(users.Insert(bg, user("ada")))(t)
			if ada.String() != "1" || ada != must(users.Key("1"))(t) || ada.Values()[0] != uint64(1) {
				t.Errorf("the first key is %v", ada)
			}
			_, err := users.Insert(bg, user("ada"))
			wantErr(t, err, kivis.ErrExists)
			bob := user("bob")
			check(t, bob.Set("Boss", 1))
			second := must(users.Insert(bg, bob))(t)
			if ada.Compare(second) != -1 || second.Compare(ada) != 1 || ada.Compare(must(users.Key("1"))(t)) != 0 || must(posts.Key("9"))(t).Compare(ada) != -1 {
				t.Errorf("the keys %v and %v are not in the order of their table, and that behind posts", ada, second)
			}
			post := posts.New()
			check(t, post.Set("Author", 7))
			_, err = posts.Insert(bg, post)
			wantErr(t, err, kivis.ErrReference)
			check(t, post.Set("Author", 1))
			must(posts.Insert(bg, post))(t)

			check(t, users.Delete(bg, ada))
			if n := must(posts.Count(bg))(t); n != 0 {
				t.Errorf("%d posts are left of a cascade", n)
			}
			rec := must(users.Get(bg, second))(t)
			if boss := must(rec.Get("Boss"))(t); boss != uint64(0) {
				t.Errorf("the boss is %v after setnull", boss)
			}
			wantErr(t, users.Delete(bg, ada), kivis.ErrNotFound)
			if has := must(users.Has(bg, ada))(t); has {
				t.Error("Has finds what was deleted")
			}
		})
	}
}

// TestNamedValidate: by name, too, a record of a registered type is validated,
// and what Validate changes is stored.
func TestNamedValidate(t *testing.T) {
	onStores(t, []any{&User{}, &Tidy{}}, func(t *testing.T, db *kivis.DB) {
		users := kivis.TableNamed(db, "User")
		rec := users.New()
		check(t, rec.Set("Name", "invalid"))
		_, err := users.Insert(bg, rec)
		wantErr(t, err, errInvalid)
		tidy := kivis.TableNamed(db, "Tidy")
		rec = tidy.New()
		check(t, rec.Set("Name", "  a  "))
		check(t, rec.Set("N", 5))
		key := must(tidy.Insert(bg, rec))(t)
		got := must(kivis.TableOf[Tidy](db).Get(bg, 1))(t)
		if got.Name != "a" || got.N != 5 || key.String() != "1" {
			t.Errorf("stored %+v under %v", got, key)
		}
	})
}

// Tidy is a record whose Validate changes it.
type Tidy struct {
	kivis.Auto[Tidy]
	Name string
	N    int
}

func (r *Tidy) Validate() error {
	r.Name = strings.TrimSpace(r.Name)
	return nil
}

// TestNamedMistakes: what is wrong says so, and what to do.
func TestNamedMistakes(t *testing.T) {
	db := openDB(t, memstore.New(), &User{}, &Thing{})
	users, things := kivis.TableNamed(db, "User"), kivis.TableNamed(db, "things")
	rec := users.New()
	second := func(_ any, err error) error { return err }
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"no such table", second(kivis.TableNamed(db, "Usr").Count(bg)), `did you mean "User"?`},
		{"a record of none", func() error { r := kivis.TableNamed(db, "x").New(); return r.Set("a", 1) }(), `no table named "x"`},
		{"zero record", second(users.Insert(bg, kivis.Record{})), "belongs to no table"},
		{"zero key", second(users.Get(bg, kivis.Key{})), "zero Key"},
		{"key of another table", second(users.Get(bg, must(things.Key("a,1"))(t))), "one of table things"},
		{"record of another table", second(things.Insert(bg, rec)), "one of table User"},
		{"no such field", rec.Set("Nmae", 1), "Name"},
		{"wrong value", rec.Set("Email", 5), "wants a string"},
		{"negative id", rec.Set("Boss", -1), "integer from 0"},
		{"key of too many parts", second(users.KeyOf(1, 2)), "2 values for a key of 1 parts"},
		{"key of a wrong value", second(things.KeyOf("a", "b")), "Number"},
		{"JSON of an unknown field", json.Unmarshal([]byte(`{"Nmae": 1}`), &rec), "Nmae"},
		{"JSON without a table", json.Unmarshal([]byte(`{}`), new(kivis.Record)), "belongs to no table"},
		{"key text", second(things.Key("a")), "key"},
		{"where", second(users.Where("Nmae = 1").Count(bg)), "Name"},
		{"order", second(users.Query().OrderBy("-").Collect(bg)), "order by"},
		{"order by no field", second(users.Query().OrderBy("Nmae").Collect(bg)), "Name"},
		{"limit", second(users.Query().Limit(-1).Collect(bg)), "negative"},
		{"nil function", second(users.Query().Modify(bg, nil)), "function is nil"},
		{"unbound", second(kivis.NamedTable{}.Count(bg)), "not bound"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: error = %v, want one with %q", c.name, c.err, c.want)
		}
	}
	wantErr(t, second(kivis.TableNamed(db, "Usr").Count(bg)), kivis.ErrNoTable)
	if n := must(users.Count(bg))(t); n != 0 {
		t.Errorf("%d users", n)
	}
}

// TestTables: a database lists its tables without types.
func TestTables(t *testing.T) {
	st := memstore.New()
	check(t, openOnly(t, st, &User{}, &Thing{}))
	db := openDB(t, st)
	names := map[string]*schema.Table{}
	for _, tb := range db.Tables() {
		names[tb.Name] = tb
	}
	if got := slices.Sorted(maps.Keys(names)); !slices.Equal(got, []string{"User", "things"}) {
		t.Errorf("tables %v", got)
	}
	tb := must(kivis.TableNamed(db, "things").Schema(bg))(t)
	if tb != names["things"] || tb.Type != nil || len(tb.Columns) != 14 {
		t.Errorf("the schema of things is %v", tb)
	}
	rec := kivis.TableNamed(db, "things").New()
	check(t, rec.Set("Place", map[string]any{"City": "x"}))
	for name, v := range rec.All() {
		if p, ok := v.(codec.Members); ok && name == "Place" {
			if city, _ := p.Get("City"); city != "x" {
				t.Errorf("the city is %v", city)
			}
		}
	}
}

// openOnly registers records in a store, which stays open for another DB.
func openOnly(t testing.TB, st store.Store, records ...any) error {
	t.Helper()
	db, err := kivis.Open(kept{st}, nil)
	if err != nil {
		return err
	}
	if err := db.Register(records...); err != nil {
		return err
	}
	return db.Close()
}
