package sqlitestore_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/sqlitestore"
)

// Airport is a record with a key of its own.
type Airport struct {
	Code string
	City string `kivis:"index"`
}

// PrimaryKey returns the code.
func (a Airport) PrimaryKey() string { return a.Code }

// A database in one file.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	st, err := sqlitestore.Open(filepath.Join(dir, "airports.db"), nil)
	if err != nil {
		log.Fatal(err)
	}
	db, err := kivis.Open(st, nil) // which closes the store, too
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if err := db.Register(&Airport{}); err != nil {
		log.Fatal(err)
	}
	airports := kivis.TableOf[Airport](db)
	ctx := context.Background()
	for _, a := range []Airport{{"ORD", "Chicago"}, {"MDW", "Chicago"}, {"JFK", "New York"}} {
		if _, err := airports.Insert(ctx, &a); err != nil {
			log.Fatal(err)
		}
	}
	city := kivis.FieldOf(func(a *Airport) *string { return &a.City })
	for a, err := range airports.Where(city.Eq("Chicago")).All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(a.Code)
	}
	// Output:
	// MDW
	// ORD
}
