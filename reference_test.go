package kivis_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
)

func TestReferences(t *testing.T) {
	onStores(t, []any{&Flight{}, &Airport{}}, func(t *testing.T, db *kivis.DB) {
		airports, flights := kivis.TableBy[Airport, IATA](db), kivis.TableOf[Flight](db)
		must(airports.InsertMany(bg, []Airport{{Code: "ORD"}, {Code: "JFK"}}))(t)

		_, err := flights.Insert(bg, &Flight{Origin: "ORD", Destination: "XXX"})
		wantErr(t, err, kivis.ErrReference)
		var r *kivis.ReferenceError
		if !errors.As(err, &r) || r.Table != "flights" || r.Field != "Destination" || r.Target != "airports" || r.Action != "insert" || r.Key != IATA("XXX") {
			t.Errorf("error = %#v", r)
		}
		_, err = flights.Insert(bg, &Flight{Origin: "ORD"})
		wantErr(t, err, kivis.ErrReference)
		if !strings.Contains(err.Error(), "optional") {
			t.Errorf("error %q for a reference left zero does not mention optional", err)
		}
		id := must(flights.Insert(bg, &Flight{Origin: "ORD", Destination: "JFK"}))(t)
		_, err = flights.Modify(bg, id, func(f *Flight) error { f.Origin = "YYY"; return nil })
		if !errors.As(err, &r) || r.Action != "update" || r.Key != IATA("YYY") {
			t.Errorf("error = %v", err)
		}
		err = airports.Delete(bg, "JFK")
		if !errors.As(err, &r) || r.Action != "delete" || r.Target != "airports" || r.Table != "flights" || r.Key != IATA("JFK") {
			t.Errorf("error = %v, want a ReferenceError", err)
		}
		check(t, flights.Delete(bg, id))
		check(t, airports.Delete(bg, "JFK"))
	})
}

// Chain refers to itself with each delete rule in turn.
type Chain struct {
	kivis.Auto[Chain]
	Restrict kivis.ID[Chain]  `kivis:"optional"`
	Cascade  kivis.ID[Chain]  `kivis:"optional,ondelete=cascade"`
	Null     *kivis.ID[Chain] `kivis:"optional,ondelete=setnull"`
	Loose    kivis.ID[Chain]  `kivis:"optional,ondelete=noaction"`
}

func TestDeleteRules(t *testing.T) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			db, err := kivis.Open(s.open(t), nil)
			check(t, err)
			defer db.Close()
			check(t, db.Register(&Chain{}))
			chains := kivis.TableOf[Chain](db)
			add := func(c Chain) kivis.ID[Chain] { return must(chains.Insert(bg, &c))(t) }
			root := add(Chain{})
			child := add(Chain{Cascade: root})
			grandchild := add(Chain{Cascade: child})
			null := add(Chain{Null: &grandchild})
			loose := add(Chain{Loose: root})
			// a cycle of cascades ends
			_, err = chains.Modify(bg, root, func(c *Chain) error { c.Cascade = grandchild; c.Restrict = child; return nil })
			check(t, err)
			guard := add(Chain{Restrict: grandchild})
			wantErr(t, chains.Delete(bg, root), kivis.ErrReference)
			if n := must(chains.Count(bg))(t); n != 6 {
				t.Fatalf("a refused delete left %d records of 6", n)
			}
			check(t, chains.Delete(bg, guard))
			check(t, chains.Delete(bg, root)) // what restricts it goes with it
			if got := must(chains.Get(bg, null))(t); got.Null != nil {
				t.Errorf("setnull left %d", *got.Null)
			}
			if got := must(chains.Get(bg, loose))(t); got.Loose != root {
				t.Errorf("noaction changed the reference to %d", got.Loose)
			}
			if n := must(chains.Count(bg))(t); n != 2 {
				t.Errorf("Count = %d, want 2", n)
			}
			report := must(db.Check(bg, nil))(t)
			if len(report.Faults) != 1 || report.Faults[0].Kind != kivis.FaultNoAction || !report.Clean() {
				t.Errorf("Check = %v, want one unchecked dangler", report.Faults)
			}
			// a record may refer to itself, and go
			self := add(Chain{})
			_, err = chains.Modify(bg, self, func(c *Chain) error { c.Restrict = self; return nil })
			check(t, err)
			check(t, chains.Delete(bg, self))
		})
	}
}

type Tenant struct {
	Name string `kivis:"key"`
}

type CustomerKey struct {
	Tenant string
	Number int64
}

type Customer struct {
	Tenant string `kivis:"key,ref=Tenant,ondelete=cascade"`
	Number int64  `kivis:"key"`
	Name   string
}

type Order struct {
	_ struct{} `kivis:"ref=Customer(Tenant,CustomerID):optional:ondelete=setnull"`
	kivis.Auto[Order]
	Tenant     string
	CustomerID int64
}

func TestCompositeReference(t *testing.T) {
	onStores(t, []any{&Order{}, &Customer{}, &Tenant{}}, func(t *testing.T, db *kivis.DB) {
		tenants, customers, orders := kivis.TableBy[Tenant, string](db), kivis.TableBy[Customer, CustomerKey](db), kivis.TableOf[Order](db)
		must(tenants.Insert(bg, &Tenant{"acme"}))(t)
		key := must(customers.Insert(bg, &Customer{"acme", -7, "Wile"}))(t)
		if key != (CustomerKey{"acme", -7}) {
			t.Errorf("key = %v", key)
		}
		_, err := orders.Insert(bg, &Order{Tenant: "acme", CustomerID: 8})
		wantErr(t, err, kivis.ErrReference)
		if k, ok := kivis.KeyOf[CustomerKey](err); !ok || k != (CustomerKey{"acme", 8}) {
			t.Errorf("KeyOf(%v) = %v, %t", err, k, ok)
		}
		id := must(orders.Insert(bg, &Order{Tenant: "acme", CustomerID: -7}))(t)
		must(orders.Insert(bg, &Order{Tenant: "acme"}))(t) // to nobody
		check(t, tenants.Delete(bg, "acme"))
		got := must(orders.Get(bg, id))(t)
		if got.CustomerID != 0 || got.Tenant != "acme" {
			t.Errorf("after setnull: %+v, want the tenant kept and the customer cleared", got)
		}
	})
}

func TestRulesHoldForUnregisteredTables(t *testing.T) {
	dirs := t.TempDir()
	db := openDB(t, reopenBadger(t, dirs), &User{}, &Post{}, &Flight{}, &Airport{})
	users := kivis.TableOf[User](db)
	a := must(users.Insert(bg, &User{Email: "a"}))(t)
	must(kivis.TableOf[Post](db).Insert(bg, &Post{Author: a}))(t)
	airports := kivis.TableBy[Airport, IATA](db)
	must(airports.Insert(bg, &Airport{Code: "A"}))(t)
	must(kivis.TableOf[Flight](db).Insert(bg, &Flight{Origin: "A", Destination: "A"}))(t)
	check(t, db.Close())

	db = openDB(t, reopenBadger(t, dirs), &User{}, &Airport{})
	err := kivis.TableBy[Airport, IATA](db).Delete(bg, "A")
	wantErr(t, err, kivis.ErrReference)
	check(t, kivis.TableOf[User](db).Delete(bg, a))
	check(t, db.Register(&Post{}))
	n := must(kivis.TableOf[Post](db).Count(bg))(t)
	if n != 0 {
		t.Errorf("%d posts are left", n)
	}
}

// TestParentChildRace has one goroutine delete a parent that it found without
// children, and another insert a child: never may both commit.
func TestParentChildRace(t *testing.T) {
	rounds := 2000
	if testing.Short() {
		rounds = 150
	}
	onStores(t, []any{&Flight{}, &Airport{}}, func(t *testing.T, db *kivis.DB) {
		airports, flights := kivis.TableBy[Airport, IATA](db), kivis.TableOf[Flight](db)
		must(airports.Insert(bg, &Airport{Code: "HUB"}))(t)
		for i := range rounds {
			must(airports.Put(bg, &Airport{Code: "X"}))(t)
			deleted := make(chan error)
			go func() { deleted <- airports.Delete(bg, "X") }()
			id, insertErr := flights.Insert(bg, &Flight{Origin: "HUB", Destination: "X"})
			deleteErr := <-deleted
			if (insertErr == nil) == (deleteErr == nil) {
				t.Fatalf("round %d: insert: %v, delete: %v", i, insertErr, deleteErr)
			}
			if insertErr == nil {
				check(t, flights.Delete(bg, id))
			}
		}
		_ = must(airports.Has(bg, "X"))(t)
	})
}

// TestUniqueRace has two goroutines insert the same unique value.
func TestUniqueRace(t *testing.T) {
	rounds := 2000
	if testing.Short() {
		rounds = 150
	}
	onStores(t, []any{&User{}}, func(t *testing.T, db *kivis.DB) {
		users := kivis.TableOf[User](db)
		for i := range rounds {
			mail := strings.Repeat("x", i%20+1) + string(rune('a'+i%26)) + strings.Repeat("y", i/26)
			mail = mail[:min(len(mail), 300)]
			other := make(chan error)
			go func() { _, err := users.Insert(bg, &User{Email: mail}); other <- err }()
			_, err1 := users.Insert(bg, &User{Email: mail})
			err2 := <-other
			if (err1 == nil) == (err2 == nil) {
				t.Fatalf("round %d: %v, %v", i, err1, err2)
			}
			for _, err := range []error{err1, err2} {
				if err != nil {
					wantErr(t, err, kivis.ErrExists)
				}
			}
			_, err := users.Where(email.Eq(mail)).Delete(bg)
			check(t, err)
		}
	})
}

var email = kivis.FieldOf(func(u *User) *string { return &u.Email })
