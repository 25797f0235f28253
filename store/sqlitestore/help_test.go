package sqlitestore_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/store"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func update(s store.Store, f func(store.Tx) error) error {
	tx, err := s.Begin(ctx, true)
	if err != nil {
		return err
	}
	defer tx.Discard()
	if err := f(tx); err != nil {
		return err
	}
	_, err = tx.Commit()
	return err
}

func view(s store.Store, f func(store.Tx) error) error {
	tx, err := s.Begin(ctx, false)
	if err != nil {
		return err
	}
	defer tx.Discard()
	return f(tx)
}

// content is what a store holds.
type content map[string]string

// write writes some keys at random, of n, and notes them.
func (c content) write(t testing.TB, s store.Store, r *rand.Rand, n, writes int) {
	t.Helper()
	check(t, c.tryWrite(s, r, n, writes))
}

// tryWrite notes them also where they cannot be committed.
func (c content) tryWrite(s store.Store, r *rand.Rand, n, writes int) error {
	return update(s, func(tx store.Tx) error {
		for range writes {
			key := fmt.Sprintf("key/%05d", r.IntN(n))
			if r.IntN(4) == 0 {
				delete(c, key)
				if err := tx.Delete([]byte(key)); err != nil {
					return err
				}
				continue
			}
			c[key] = fmt.Sprint(key, strings.Repeat("v", r.IntN(40)), r.Uint64())
			if r.IntN(50) == 0 {
				c[key] += string(make([]byte, 6000)) // a page that goes on
			}
			if err := tx.Set([]byte(key), []byte(c[key])); err != nil {
				return err
			}
		}
		return nil
	})
}

// same says where a store holds something else.
func (c content) same(s store.Store) error {
	got := content{}
	err := view(s, func(tx store.Tx) error {
		cur, err := tx.Scan(store.Range{})
		if err != nil {
			return err
		}
		defer cur.Close()
		for cur.Next() {
			got[string(cur.Key())] = string(cur.Value())
		}
		return cur.Err()
	})
	if err == nil && !maps.Equal(got, c) {
		err = fmt.Errorf("it holds %d entries that are not the %d it should", len(got), len(c))
	}
	return err
}

// read returns the error at which reading a store ends, having failed t if
// anything was read that is not so.
func (c content) read(t testing.TB, s store.Store) error {
	t.Helper()
	return view(s, func(tx store.Tx) error {
		for key, want := range c {
			if got, err := tx.Get([]byte(key)); err != nil {
				return fmt.Errorf("get: %w", err)
			} else if string(got) != want {
				t.Errorf("Get(%q) is wrong", key)
			}
		}
		cur, err := tx.Scan(store.Range{})
		if err != nil {
			return err
		}
		defer cur.Close()
		for _, key := range slices.Sorted(maps.Keys(c)) {
			if !cur.Next() {
				return errors.Join(cur.Err(), fmt.Errorf("a scan ends before %q", key))
			}
			if string(cur.Key()) != key || string(cur.Value()) != c[key] {
				t.Errorf("a scan shows %q for %q", cur.Key(), key)
			}
		}
		if cur.Next() {
			t.Errorf("a scan shows %q after the end", cur.Key())
		}
		return cur.Err()
	})
}
