package pebblestore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pebblestore"
)

// fillAndThin writes so many values of a thousand random bytes and deletes all but
// each tenth.
func fillAndThin(t *testing.T, s store.Store, n int) {
	t.Helper()
	rnd := rand.NewChaCha8([32]byte{1})
	write := func(i int, do func(tx store.Tx, key []byte) error) {
		check(t, update(s, func(tx store.Tx) error {
			for j := i; j < min(i+500, n); j++ {
				if err := do(tx, fmt.Appendf(nil, "key %07d", j)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	for i := 0; i < n; i += 500 {
		write(i, func(tx store.Tx, key []byte) error {
			value := make([]byte, 1000)
			rnd.Read(value)
			return tx.Set(key, value)
		})
	}
	for i := 0; i < n; i += 500 {
		write(i, func(tx store.Tx, key []byte) error {
			if key[len(key)-1] == '0' {
				return nil
			}
			return tx.Delete(key)
		})
	}
}

// What was deleted is given back, and what is left is as it was.
func TestCompact(t *testing.T) {
	const n = 20_000
	s, err := pebblestore.Open(filepath.Join(t.TempDir(), "db"), &pebblestore.Options{Memory: 16 << 20, NoSync: true})
	check(t, err)
	defer s.Close()
	fillAndThin(t, s, n)
	before, err := s.Size()
	check(t, err)
	check(t, s.Compact(ctx))
	after, err := s.Size()
	check(t, err)
	if after > before/2 || after < n*100 {
		t.Errorf("%d bytes, and after Compact %d; %d of values are left", before, after, n*100)
	}
	tx, err := s.Begin(ctx, false)
	check(t, err)
	defer tx.Discard()
	for i := range n {
		_, err := tx.Get(fmt.Appendf(nil, "key %07d", i))
		if found := err == nil; found != (i%10 == 0) || err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("key %d: %v", i, err)
		}
	}
}

// What ends a compaction, or keeps it from beginning.
func TestCompactEnds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "db")
	s, err := pebblestore.Open(dir, &pebblestore.Options{Memory: 16 << 20, NoSync: true})
	check(t, err)
	fillAndThin(t, s, 2000)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Compact(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Compact with a context that has ended = %v", err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := s.Compact(ctx); err != nil && !errors.Is(err, store.ErrClosed) {
				t.Errorf("Compact beside Close = %v", err)
			}
		})
	}
	check(t, s.Close())
	wg.Wait()
	if err := s.Compact(ctx); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Compact after Close = %v", err)
	}
	s, err = pebblestore.Open(dir, &pebblestore.Options{ReadOnly: true})
	check(t, err)
	defer s.Close()
	if err := s.Compact(ctx); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Compact of a store that only reads = %v", err)
	}
}
