package sharedtest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/store"
)

// Work does Append and takes from one of two, so many times.
func Work(s store.Store, own string, rounds int) error {
	for i := range rounds {
		if err := Append(s, own, 1); err != nil {
			return err
		}
		if _, err := Update(s, func(tx store.Tx) error { return oneOfTwo(tx, i) }); err != nil {
			return err
		}
	}
	return nil
}

// Append appends to a list, whose end it looks for, and adds to counters of its own and
// of all, so many times, each in a transaction.
func Append(s store.Store, own string, times int) error {
	for range times {
		_, err := Update(s, func(tx store.Tx) error {
			return errors.Join(appendNext(tx, own), Add(tx, "all"), Add(tx, "own/"+own))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Add adds one to a counter.
func Add(tx store.Tx, key string) error {
	n, err := number(tx, key)
	if err != nil {
		return err
	}
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
		if _, err := fmt.Sscanf(string(c.Key()), "list/%d", &n); err != nil {
			return err
		}
	}
	if err := c.Err(); err != nil {
		return err
	}
	return tx.Set(fmt.Appendf(nil, "list/%06d", n+1), []byte(own))
}

// oneOfTwo has one of two be gone where both are there, and be there where one is gone:
// who reads both, and writes one, must not be alone with another who does.
func oneOfTwo(tx store.Tx, i int) error {
	const gone = 1
	names := [2]string{"two/x", "two/y"}
	x, err1 := number(tx, names[0])
	y, err2 := number(tx, names[1])
	switch {
	case err1 != nil || err2 != nil:
		return errors.Join(err1, err2)
	case x == gone && y == gone:
		return errors.New("both of two are gone")
	case x == gone:
		return tx.Set([]byte(names[0]), []byte("0"))
	case y == gone:
		return tx.Set([]byte(names[1]), []byte("0"))
	}
	return tx.Set([]byte(names[i%2]), strconv.AppendInt(nil, gone, 10))
}

// WantWork checks what writers have left, each of so many rounds of Work.
func WantWork(t *testing.T, s store.Store, writers, rounds int) {
	t.Helper()
	_, err := transact(s, false, func(tx store.Tx) error {
		if got, err := number(tx, "all"); got != writers*rounds || err != nil {
			t.Errorf("the common counter stands at %d, error %v; want %d", got, err, writers*rounds)
		}
		elements, counters := 0, 0
		err := each(tx, "list/", "own0", func(key, value string) {
			if strings.HasPrefix(key, "list/") {
				elements++
				if want := fmt.Sprintf("list/%06d", elements); key != want {
					t.Errorf("element %d of the list is %s", elements, key)
				}
				return
			}
			if counters++; value != strconv.Itoa(rounds) {
				t.Errorf("%s stands at %s, want %d", key, value, rounds)
			}
		})
		if elements != writers*rounds || counters != writers {
			t.Errorf("the list has %d elements and there are %d counters; want %d and %d", elements, counters, writers*rounds, writers)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
