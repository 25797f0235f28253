package tikvtest_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
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

// get returns the value of key, or "" where there is none.
func get(t testing.TB, s store.Store, key string) string {
	t.Helper()
	tx, err := s.Begin(background, false)
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

// work appends to a list, whose end it looks for, adds to counters of its own and of all,
// and takes from one of a pair, so many times.
func work(s store.Store, own string, rounds int) error {
	for i := range rounds {
		_, err := update(s, func(tx store.Tx) error {
			return errors.Join(appendNext(tx, own), add(tx, "all"), add(tx, "own/"+own))
		})
		if err == nil {
			_, err = update(s, func(tx store.Tx) error { return take(tx, i) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func add(tx store.Tx, key string) error {
	n, err := number(tx, key)
	if err != nil {
		return err
	}
	return tx.Set([]byte(key), strconv.AppendInt(nil, int64(n+1), 10))
}

func number(tx store.Tx, key string) (int, error) {
	value, err := tx.Get([]byte(key))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return 0, err
	}
	n, _ := strconv.Atoi(string(value))
	return n, nil
}

// take has one of a pair be gone where both are there, and be there where one is gone: who
// reads both, and writes one, must not be alone with another who does.
func take(tx store.Tx, i int) error {
	names := [2]string{"pair/x", "pair/y"}
	x, err := number(tx, names[0])
	if err != nil {
		return err
	}
	y, err := number(tx, names[1])
	if err != nil {
		return err
	}
	switch {
	case x == 2 && y == 2:
		return fmt.Errorf("both of the pair are gone")
	case x == 2:
		return tx.Set([]byte(names[0]), []byte("1"))
	case y == 2:
		return tx.Set([]byte(names[1]), []byte("1"))
	}
	return tx.Set([]byte(names[i%2]), []byte("2"))
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

// wantWork checks what writers have left.
func wantWork(t *testing.T, s store.Store, writers, rounds int) {
	t.Helper()
	if got, want := get(t, s, "all"), strconv.Itoa(writers*rounds); got != want {
		t.Errorf("the common counter stands at %s, want %s", got, want)
	}
	tx, err := s.Begin(background, false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	c, err := tx.Scan(store.Range{Lo: []byte("list/"), Hi: []byte("own0")})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	elements := 0
	for c.Next() {
		switch key := string(c.Key()); {
		case strings.HasPrefix(key, "list/"):
			elements++
			if want := fmt.Sprintf("list/%06d", elements); key != want {
				t.Fatalf("element %d of the list is %s", elements, key)
			}
		case string(c.Value()) != strconv.Itoa(rounds):
			t.Errorf("%s stands at %s, want %d", key, c.Value(), rounds)
		}
	}
	if err := c.Err(); err != nil || elements != writers*rounds {
		t.Errorf("the list has %d elements, error %v; want %d", elements, err, writers*rounds)
	}
}
