package objectstore_test

import (
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/kivisdb/kivis/store"
)

// update runs f in a transaction until it does not conflict.
func update(s store.Store, f func(tx store.Tx) error) (uint64, error) {
	for {
		version, err := once(s, f)
		if !errors.Is(err, store.ErrConflict) {
			return version, err
		}
	}
}

func once(s store.Store, f func(tx store.Tx) error) (uint64, error) {
	tx, err := s.Begin(background, true)
	if err != nil {
		return 0, err
	}
	defer tx.Discard()
	if err := f(tx); err != nil {
		return 0, err
	}
	return tx.Commit()
}

// set commits one value.
func set(t testing.TB, s store.Store, key, value string) uint64 {
	t.Helper()
	version, err := update(s, func(tx store.Tx) error { return tx.Set([]byte(key), []byte(value)) })
	if err != nil {
		t.Fatalf("setting %s: %v", key, err)
	}
	return version
}

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

// get returns the value of key, or "" where there is none.
func get(t testing.TB, s store.Store, key string) string {
	t.Helper()
	return read(t, begin(t, s, false), key)
}

// work appends to a list, whose end it looks for, and adds to counters of its own
// and of all, so many times.
func work(s store.Store, own string, rounds int) error {
	for range rounds {
		_, err := update(s, func(tx store.Tx) error {
			if err := appendNext(tx, own); err != nil {
				return err
			}
			return errors.Join(add(tx, "all"), add(tx, "own/"+own))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func add(tx store.Tx, key string) error {
	value, err := tx.Get([]byte(key))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	n, _ := strconv.Atoi(string(value))
	return tx.Set([]byte(key), strconv.AppendInt(nil, int64(n+1), 10))
}

func appendNext(tx store.Tx, own string) error {
	c, err := tx.Scan(store.Range{Lo: []byte("list/"), Hi: []byte("list0"), Reverse: true})
	if err != nil {
		return err
	}
	defer c.Close()
	n := 0
	if c.Next() {
		fmt.Sscanf(string(c.Key()), "list/%d", &n)
	}
	if err := c.Err(); err != nil {
		return err
	}
	return tx.Set(fmt.Appendf(nil, "list/%06d", n+1), []byte(own))
}

// wantWork checks what writers have left, each of so many rounds.
func wantWork(t *testing.T, s store.Store, writers, rounds int) {
	t.Helper()
	tx := begin(t, s, false)
	if got, want := read(t, tx, "all"), strconv.Itoa(writers*rounds); got != want {
		t.Errorf("the common counter stands at %s, want %s", got, want)
	}
	elements, own := 0, 0
	for _, e := range contents(t, tx) {
		switch {
		case e[0] == "all":
		case len(e[0]) > 4 && e[0][:4] == "own/":
			if own++; e[1] != strconv.Itoa(rounds) {
				t.Errorf("%s stands at %s, want %d", e[0], e[1], rounds)
			}
		default:
			elements++
			if want := fmt.Sprintf("list/%06d", elements); e[0] != want {
				t.Fatalf("element %d of the list is %s", elements, e[0])
			}
		}
	}
	if elements != writers*rounds || own != writers {
		t.Errorf("the list has %d elements and there are %d counters; want %d and %d", elements, own, writers*rounds, writers)
	}
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
