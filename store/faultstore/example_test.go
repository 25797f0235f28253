package faultstore_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/store/faultstore"
	"github.com/kivisdb/kivis/store/memstore"
)

// The second write fails, whatever makes it.
func ExampleNth() {
	full := errors.New("disk full")
	s := faultstore.Wrap(memstore.New(), faultstore.Nth(2, full, faultstore.Set, faultstore.Delete))
	tx, _ := s.Begin(context.Background(), true)
	defer tx.Discard()
	fmt.Println(tx.Set([]byte("a"), nil))
	fmt.Println(tx.Delete([]byte("b")))
	fmt.Println(tx.Set([]byte("c"), nil))
	// Output:
	// <nil>
	// disk full
	// <nil>
}
