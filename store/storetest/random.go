package storetest

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
)

var seedFlag = flag.Uint64("storetest.seed", 0, "seed of the random tests; 0 for a new one")

// random returns a source of random numbers with its seed, which it logs.
func random(t testing.TB) (*rand.Rand, uint64) {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-storetest.seed=%d", seed)
	return rand.New(rand.NewPCG(seed, 0)), seed
}

// update runs f in write transactions until one commits. It is for goroutines
// of a test: it reports an error, but does not stop the test.
func update(t testing.TB, s store.Store, f func(tx store.Tx) error) (uint64, bool) {
	for {
		version, err := try(s, f)
		if err == nil {
			return version, true
		}
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("update: %v", err)
			return 0, false
		}
	}
}

func try(s store.Store, f func(tx store.Tx) error) (uint64, error) {
	tx, err := s.Begin(context.Background(), true)
	if err != nil {
		return 0, err
	}
	defer tx.Discard()
	if err := f(tx); err != nil {
		return 0, err
	}
	return tx.Commit()
}

// increment appends a byte to the values of keys.
func increment(t testing.TB, s store.Store, keys ...string) bool {
	_, ok := update(t, s, func(tx store.Tx) error {
		for _, key := range keys {
			value, err := tx.Get([]byte(key))
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if err := tx.Set([]byte(key), append(value[:len(value):len(value)], 'x')); err != nil {
				return err
			}
		}
		return nil
	})
	return ok
}
