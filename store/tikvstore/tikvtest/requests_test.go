package tikvtest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/tikvstore"
)

// TestRequests counts requests, to the servers and to PD, in one region.
func TestRequests(t *testing.T) {
	l := local(t)
	name := newName()
	s, other := open(t, l, name, nil), open(t, l, name, nil)
	lagging := open(t, l, name, &tikvstore.Options{Lag: time.Hour})
	_, err := update(s, func(tx store.Tx) error {
		for i := range 1500 {
			if err := tx.Set(fmt.Appendf(nil, "k%04d", i), []byte("v")); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	get(t, lagging, "a")
	time.Sleep(100 * time.Millisecond) // what is committed behind the first key
	var tx store.Tx
	begin := func(s store.Store, write bool) func() error {
		return func() (err error) {
			tx, err = s.Begin(background, write)
			return err
		}
	}
	write := func() error { return tx.Set([]byte("k0001"), []byte("w")) }
	commit := func() error { _, err := tx.Commit(); return err }
	keys, values := make([][]byte, 1000), make([][]byte, 1000)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "k%04d", i)
	}
	for _, test := range []struct {
		name        string
		do          func() error
		servers, pd int
	}{
		{"begin with Lag", begin(lagging, false), 0, 0},
		{"begin to write with Lag", begin(lagging, true), 1, 0},
		{"begin", begin(s, true), 1, 0},
		{"get", func() error { _, err := tx.Get(keys[0]); return err }, 1, 0},
		{"get of 1000", func() error { return tx.GetMany(keys, values) }, 1, 0},
		{"newest value", func() error { _, err := store.Get(background, s, keys[0]); return err }, 1, 0},
		{"scan of 50", func() error { return scan(tx, 50) }, 1, 0},
		{"scan of 1000", func() error { return scan(tx, 1000) }, 2, 0},
		{"write", write, 0, 0},
		{"commit", commit, 2, 2},
		{"begin and write", func() error { return firstError(begin(s, true), write) }, 1, 0},
		{"another's commit", func() error {
			_, err := update(other, func(tx store.Tx) error { return tx.Set([]byte("z"), nil) })
			return err
		}, 4, 3},
		{"commit after another's", commit, 7, 4}, // one of them beside the others: what was written in vain is taken back
		{"begin after another's", begin(other, false), 2, 1},
		{"get after another's", func() error { _, err := tx.Get(keys[0]); return err }, 1, 0},
	} {
		l.Requests()
		if err := test.do(); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		time.Sleep(20 * time.Millisecond) // what is asked for ahead
		kinds, times := l.Requests()
		n := 0
		for _, k := range kinds {
			n += k
		}
		if n != test.servers || times != test.pd {
			t.Errorf("%s makes %d requests to the servers, %v, and %d to PD; want %d and %d", test.name, n, kinds, times, test.servers, test.pd)
		}
	}
}

func firstError(list ...func() error) error {
	for _, f := range list {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func scan(tx store.Tx, n int) error {
	c, err := tx.Scan(store.Range{})
	if err != nil {
		return err
	}
	defer c.Close()
	for range n {
		if !c.Next() {
			return fmt.Errorf("the scan ends early: %v", c.Err())
		}
	}
	return nil
}
