package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// A transaction reads its own writes, and scans in key order.
func Example() {
	s := memstore.New()
	defer s.Close()
	tx, err := s.Begin(context.Background(), true)
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Discard()
	for _, k := range []string{"b", "a", "c"} {
		if err := tx.Set([]byte(k), []byte("value of "+k)); err != nil {
			log.Fatal(err)
		}
	}
	c, err := tx.Scan(store.Range{Lo: []byte("a"), Hi: []byte("c")})
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
	// a: value of a
	// b: value of b
}

// Two transactions that read what the other writes cannot both commit.
func Example_conflict() {
	s := memstore.New()
	defer s.Close()
	ctx := context.Background()
	a, _ := s.Begin(ctx, true)
	b, _ := s.Begin(ctx, true)
	_, _ = a.Get([]byte("on call"))
	_, _ = b.Get([]byte("on call"))
	_ = a.Set([]byte("on call"), []byte("a"))
	_ = b.Set([]byte("on call"), []byte("b"))
	_, err := a.Commit()
	fmt.Println(err)
	_, err = b.Commit()
	fmt.Println(errors.Is(err, store.ErrConflict))
	// Output:
	// <nil>
	// true
}
