package memstore_test

import (
	"context"
	"fmt"
	"log"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

func Example() {
	s := memstore.New()
	defer s.Close()
	ctx := context.Background()

	tx, err := s.Begin(ctx, true)
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Discard()
	for _, code := range []string{"JFK", "LAX", "LHR"} {
		if err := tx.Set([]byte(code), []byte("an airport")); err != nil {
			log.Fatal(err)
		}
	}
	if _, err := tx.Commit(); err != nil {
		log.Fatal(err)
	}

	read, err := s.Begin(ctx, false)
	if err != nil {
		log.Fatal(err)
	}
	defer read.Discard()
	c, err := read.Scan(store.Range{Lo: []byte("L"), Hi: []byte("M"), Reverse: true})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for c.Next() {
		fmt.Printf("%s: %s\n", c.Key(), c.Value())
	}
	if err := c.Err(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// LHR: an airport
	// LAX: an airport
}
