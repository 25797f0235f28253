package badgerstore_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	s, err := badgerstore.Open(dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	tx, err := s.Begin(context.Background(), true)
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Discard()
	if err := tx.Set([]byte("answer"), []byte("42")); err != nil {
		log.Fatal(err)
	}
	version, err := tx.Commit() // on the disk when it returns
	fmt.Println(version, err)
	// Output: 1 <nil>
}

// A store for tests, or for data that can be made again, does without waiting
// for the disk, and with little memory.
func ExampleOptions_noSync() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	s, err := badgerstore.Open(dir, &badgerstore.Options{NoSync: true, Memory: 16 << 20})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	// Another handle has to wait until this one is closed.
	_, err = badgerstore.Open(dir, nil)
	fmt.Println(errors.Is(err, store.ErrInUse))
	// Output: true
}
