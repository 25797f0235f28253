package remote_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
	"github.com/kivisdb/kivis/store/remote/remotetest"
)

// delayed holds the first answer of Changes back once hold is set.
type delayed struct {
	*remotetest.Backend
	hold          atomic.Bool
	held, release chan bool
}

func (d *delayed) Changes(ctx context.Context, after uint64, yield func(store.Commit) bool) error {
	var list []store.Commit
	err := d.Backend.Changes(ctx, after, func(c store.Commit) bool { list = append(list, c); return true })
	if d.hold.CompareAndSwap(true, false) {
		d.held <- true
		<-d.release
	}
	for _, c := range list {
		if !yield(c) {
			break
		}
	}
	return err
}

// TestRoundTrips counts requests.
func TestRoundTrips(t *testing.T) {
	b := remotetest.New()
	s := open(t, b, nil)
	lagging := open(t, b, &remote.Options{Lag: time.Hour})
	update(t, s, func(tx store.Tx) error {
		for i := range 3500 {
			if err := tx.Set(fmt.Appendf(nil, "k%04d", i), []byte("v")); err != nil {
				return err
			}
		}
		return nil
	})
	get(t, lagging, "a")
	tx, err := s.Begin(background, true)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	keys, values := make([][]byte, 1000), make([][]byte, 1000)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "k%04d", i)
	}
	for _, test := range []struct {
		name string
		do   func() error
		want int
	}{
		{"Begin", func() error { _, err := s.Begin(background, false); return err }, 1},
		{"Begin with Lag", func() error { _, err := lagging.Begin(background, false); return err }, 0},
		{"Begin to write with Lag", func() error { _, err := lagging.Begin(background, true); return err }, 1},
		{"Get", func() error { _, err := tx.Get(keys[0]); return err }, 1},
		{"GetMany of 1000", func() error { return tx.GetMany(keys, values) }, 1},
		{"newest value", func() error { _, err := store.Get(background, s, keys[0]); return err }, 1},
		{"scan of 50", func() error { return scan(tx, 50) }, 1},
		{"scan of 1000", func() error { return scan(tx, 1000) }, 2},
		{"scan of 1600", func() error { return scan(tx, 1600) }, 3},
		{"scan of 2000", func() error { return scan(tx, 2000) }, 4}, // the last of them ahead
		{"guard and write", func() error { return tx.Guard(keys[0], keys[9]) }, 0},
		{"write", func() error { return tx.Set(keys[0], nil) }, 0},
		{"Commit", func() error { _, err := tx.Commit(); return err }, 1},
	} {
		b.Calls()
		if err := test.do(); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		time.Sleep(5 * time.Millisecond) // what is asked for ahead
		n := 0
		calls := b.Calls()
		for _, k := range calls {
			n += k
		}
		if n != test.want {
			t.Errorf("%s makes %d requests, %v; want %d", test.name, n, calls, test.want)
		}
	}
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

// TestCommitAfterOthers: a commit that others have come before takes one request
// more, to learn what they have written.
func TestCommitAfterOthers(t *testing.T) {
	b := remotetest.New()
	s, other := open(t, b, nil), open(t, b, nil)
	tx, err := s.Begin(background, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Set([]byte("a"), nil); err != nil {
		t.Fatal(err)
	}
	set(t, other, "b", "1")
	b.Calls()
	if _, err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if calls := b.Calls(); calls["Commit"] != 1 || calls["Changes"] != 1 || len(calls) != 2 {
		t.Errorf("a commit after another process' makes requests %v", calls)
	}
}
