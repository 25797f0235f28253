package sharedtest

import (
	"context"
	"errors"
	"testing"

	"github.com/kivisdb/kivis/store"
)

// Update runs f in a transaction until it does not conflict, and returns the version of its
// commit.
func Update(s store.Store, f func(tx store.Tx) error) (uint64, error) {
	for {
		version, err := transact(s, true, f)
		if !errors.Is(err, store.ErrConflict) {
			return version, err
		}
	}
}

func transact(s store.Store, write bool, f func(tx store.Tx) error) (uint64, error) {
	tx, err := s.Begin(context.Background(), write)
	if err != nil {
		return 0, err
	}
	defer tx.Discard()
	if err := f(tx); err != nil {
		return 0, err
	}
	return tx.Commit()
}

// Set commits one value.
func Set(t testing.TB, s store.Store, key, value string) uint64 {
	t.Helper()
	version, err := Update(s, func(tx store.Tx) error { return tx.Set([]byte(key), []byte(value)) })
	if err != nil {
		t.Fatalf("setting %s: %v", key, err)
	}
	return version
}

// Get returns the value of key, or "" where there is none.
func Get(t testing.TB, s store.Store, key string) string {
	t.Helper()
	tx, err := s.Begin(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	value, err := tx.Get([]byte(key))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return string(value)
}
