package objectstore_test

import (
	"errors"
	"testing"

	"github.com/kivisdb/kivis/internal/sharedtest"
	"github.com/kivisdb/kivis/store"
)

// What is done to a store that several processes have open.
var (
	update   = sharedtest.Update
	set      = sharedtest.Set
	get      = sharedtest.Get
	work     = sharedtest.Work
	wantWork = sharedtest.WantWork
)

// begin begins a transaction, discarded at the end of the test.
func begin(t testing.TB, s store.Store, write bool) store.Tx {
	t.Helper()
	tx, err := s.Begin(background, write)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tx.Discard)
	return tx
}

// read returns the value of key in tx, or "" where there is none.
func read(t testing.TB, tx store.Tx, key string) string {
	t.Helper()
	value, err := tx.Get([]byte(key))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return string(value)
}

// contents returns all entries that tx sees.
func contents(t testing.TB, tx store.Tx) (all [][2]string) {
	t.Helper()
	c, err := tx.Scan(store.Range{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for c.Next() {
		all = append(all, [2]string{string(c.Key()), string(c.Value())})
	}
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
