package pgstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pgstore"
)

// TestRoundTrips counts what goes over the wire, once the connection knows the
// statements.
func TestRoundTrips(t *testing.T) {
	p, url := newProxy(t), newURL(t)
	through := p.url(url) + "&pool_max_conns=1"
	s, other := open(t, through, nil), open(t, url, nil)
	lagging := open(t, through, &pgstore.Options{Lag: time.Hour})
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
	layered, err := cache.Stack(open(t, through, nil), cache.Memory(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer layered.Close()
	layeredLag, err := cache.New(open(t, through, nil), &cache.Options{Lag: time.Hour}, cache.Memory(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer layeredLag.Close()
	key := []byte("k0001")
	beginAndGet := func(s store.Store) func() error {
		return func() error {
			tx, err := s.Begin(background, false)
			if err != nil {
				return err
			}
			defer tx.Discard()
			_, err = tx.Get(key)
			return err
		}
	}
	newest := func() error { _, err := store.Get(background, s, key); return err }
	commit := func(between func()) func() error {
		return func() error {
			tx, err := s.Begin(background, true)
			if err != nil {
				return err
			}
			defer tx.Discard()
			if err := tx.Set([]byte("own"), nil); err != nil {
				return err
			}
			between()
			p.count()
			_, err = tx.Commit()
			return err
		}
	}
	scanned := func() error {
		tx, err := s.Begin(background, false)
		if err != nil {
			return err
		}
		defer tx.Discard()
		p.count()
		return scan1000(tx, store.Range{})
	}
	for _, test := range []struct {
		name string
		do   func() error
		want int64
	}{
		{"Begin and Get", beginAndGet(s), 2},
		{"Begin and Get with Lag", beginAndGet(lagging), 1},
		{"Begin and Get from a layer", beginAndGet(layered), 1},
		{"Begin and Get from a layer with Lag", beginAndGet(layeredLag), 0},
		{"the newest value", newest, 1},
		{"the newest value after a rest", func() error { time.Sleep(1100 * time.Millisecond); return newest() }, 1},
		{"commit", commit(func() {}), 1},
		{"commit after another's", commit(func() { set(t, other, "other", "1") }), 2},
		{"scan of 1000", scanned, 2},
	} {
		for range 2 { // the first time the statements are made known
			p.count()
			if err := test.do(); err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			time.Sleep(20 * time.Millisecond) // what is asked for ahead
		}
		if n := p.count(); n != test.want {
			t.Errorf("%s: %d round trips, want %d", test.name, n, test.want)
		}
	}
}
