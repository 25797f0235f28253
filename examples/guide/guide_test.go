package guide

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
	"github.com/kivisdb/kivis/store/badgerstore"
)

var bg = context.Background()

// monday is when things happen here.
var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// shop returns a database with three customers and four orders.
func shop(t *testing.T) *kivis.DB {
	t.Helper()
	db := kivistest.New(t, records...)
	ann := Customer{Email: "ann@example.com", Name: "Ann", Tags: []string{"early", "vip"}, Address: Address{City: "Oslo"}}
	bob := Customer{Email: "bob@example.com", Name: "Bob", Address: Address{City: "Bergen"}}
	cleo := Customer{Email: "Cleo@example.com", Name: "Cleo", Tags: []string{"vip"}, Address: Address{City: "Oslo"}}
	for _, c := range []*Customer{&ann, &bob, &cleo} {
		if _, err := customers.With(db).Insert(bg, c); err != nil {
			t.Fatal(err)
		}
	}
	_, err := orders.With(db).InsertMany(bg, []Order{
		{Customer: ann.ID, Placed: monday, Cents: 10_00, Open: true},
		{Customer: ann.ID, Placed: monday.Add(time.Hour), Cents: 99_00},
		{Customer: bob.ID, Placed: monday.Add(2 * time.Hour), Cents: 5_00, Open: true},
		{Customer: ann.ID, Placed: monday.Add(3 * time.Hour), Cents: 20_00, Agent: &cleo.ID},
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// names returns what customers are called.
func names(list []Customer) (names []string) {
	for _, c := range list {
		names = append(names, c.Name)
	}
	return names
}

// openShop opens a database on disk.
func openShop(dir string) (*kivis.DB, error) {
	st, err := badgerstore.Open(dir, nil)
	if err != nil {
		return nil, err
	}
	db, err := kivis.Open(st, nil)
	if err != nil {
		return nil, err
	}
	if err := db.Register(&Customer{}, &Order{}); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		db, err := openShop(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}
