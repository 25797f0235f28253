package objectstore_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/faultstore"
	"github.com/kivisdb/kivis/store/memstore"
	"github.com/kivisdb/kivis/store/objectstore"
	"github.com/kivisdb/kivis/store/storetest"
)

// TestStoreOverState is TestStore with a state that outlives the process.
func TestStoreOverState(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	server := newServer(t)
	all := urls{server, map[string]string{}}
	over := func(t testing.TB, url, dir string) store.Store {
		return open(t, url, &objectstore.Options{State: badger(t, dir)})
	}
	storetest.Run(t,
		func(t testing.TB) store.Store { return over(t, newURL(server), t.TempDir()) },
		storetest.Reopen(func(t testing.TB, dir string) store.Store {
			if all.of[dir] == "" {
				all.of[dir] = newURL(server)
			}
			return over(t, all.of[dir], dir)
		}),
	)
}

// badger opens a local store in a directory.
func badger(t testing.TB, dir string) store.Store {
	t.Helper()
	s, err := badgerstore.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestStateOutlives has a process go on with the state of an earlier one: it reads
// what it has missed and no more, unless that is gone.
func TestStateOutlives(t *testing.T) {
	url := newURL(newServer(t))
	dir := t.TempDir()
	other := open(t, url, nil)
	n := &network{}
	again := func() *objectstore.Store {
		n.count()
		return open(t, url, &objectstore.Options{State: badger(t, dir), Transport: n})
	}
	s := again()
	set(t, s, "a", "1")
	s.Close()

	set(t, other, "b", "2")
	set(t, other, "c", "3")
	s = again()
	if calls := n.count(); calls["GET log"] != 2 || calls["GET checkpoint"] > 0 {
		t.Errorf("with two commits missed there were these requests: %v", calls)
	}
	if a, b, c := get(t, s, "a"), get(t, s, "b"), get(t, s, "c"); a != "1" || b != "2" || c != "3" {
		t.Errorf("it reads %q, %q and %q", a, b, c)
	}
	s.Close()

	goOn(t, other, "x")
	s = again()
	if calls := n.count(); calls["GET checkpoint"] == 0 {
		t.Errorf("with the log gone there were these requests: %v", calls)
	}
	if a, k := get(t, s, "a"), get(t, s, "k4"); a != "1" || k != "x" {
		t.Errorf("from a checkpoint it reads %q and %q", a, k)
	}
	s.Close()

	s = again()
	if calls := n.count(); calls["GET checkpoint"] > 0 {
		t.Errorf("with nothing missed there were these requests: %v", calls)
	}
	if got := len(contents(t, begin(t, s, false))); got != 8 {
		t.Errorf("it has %d entries, want 8", got)
	}
}

// TestStateOfAnother has a local store that holds something else: what is another
// store's state is dropped, and what is no state is left alone.
func TestStateOfAnother(t *testing.T) {
	server := newServer(t)
	kept := unclosed{memstore.New()}
	first := open(t, newURL(server), &objectstore.Options{State: kept})
	set(t, first, "a", "1")
	get(t, first, "a")
	first.Close()
	url := newURL(server)
	second := open(t, url, &objectstore.Options{State: kept})
	if got := contents(t, begin(t, second, false)); len(got) > 0 {
		t.Errorf("a new store shows %q", got)
	}
	set(t, second, "b", "2")
	second.Close()
	if got := contents(t, begin(t, open(t, url, &objectstore.Options{State: kept}), false)); len(got) != 1 {
		t.Errorf("opened again it shows %q, want b", got)
	}

	if db, err := kivis.Open(kept, nil); err == nil {
		db.Close()
		t.Error("a state is taken for a database")
	}

	foreign := memstore.New()
	set(t, foreign, "mine", "1")
	if _, err := objectstore.Open(background, url, keyed(&objectstore.Options{State: unclosed{foreign}})); err == nil {
		t.Error("Open takes a store that holds something else as its state")
	}
	if got := contents(t, begin(t, foreign, false)); len(got) != 1 {
		t.Errorf("it then has %q", got)
	}
	for _, key := range []string{"short", "\x8bkv-sta\n____damaged____"} {
		damaged := memstore.New()
		set(t, damaged, "\x00", key)
		if _, err := objectstore.Open(background, url, keyed(&objectstore.Options{State: damaged})); err == nil {
			t.Errorf("Open takes a state whose mark is %q", key)
		}
	}
}

// TestOffline has a bucket that cannot be reached: who asks for what is here gets
// that, and nobody else.
func TestOffline(t *testing.T) {
	url := newURL(newServer(t))
	kept := unclosed{memstore.New()}
	n := &network{}
	options := &objectstore.Options{State: kept, Transport: n, Patience: -1}
	s := open(t, url, options)
	set(t, s, "a", "1")
	get(t, s, "a")
	n.on(func(string) fate { return cut })
	for range 2 {
		tx, err := s.Begin(store.Offline(background), false)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, tx, "a"); got != "1" {
			t.Errorf("offline it reads %q", got)
		}
		tx.Discard()
		if _, err := s.Begin(background, false); !errors.Is(err, store.ErrUnreachable) {
			t.Errorf("Begin: %v, want ErrUnreachable", err)
		}
		if _, err := s.Begin(store.Offline(background), true); !errors.Is(err, store.ErrUnreachable) {
			t.Errorf("Begin to write, offline: %v, want ErrUnreachable", err)
		}
		if age := s.Age(); age <= 0 {
			t.Errorf("Age = %v", age)
		}
		s.Close()
		if _, err := objectstore.Open(background, url, keyed(options)); !errors.Is(err, store.ErrUnreachable) {
			t.Errorf("Open: %v, want ErrUnreachable", err)
		}
		if s, err = objectstore.Open(store.Offline(background), url, keyed(options)); err != nil {
			t.Fatal(err)
		}
		defer s.Close()
	}
	empty := &objectstore.Options{Transport: n, Patience: -1}
	if _, err := objectstore.Open(store.Offline(background), url, keyed(empty)); !errors.Is(err, store.ErrUnreachable) {
		t.Errorf("Open offline with nothing here: %v, want ErrUnreachable", err)
	}
	n.on(nil)
	set(t, s, "b", "2")
	if a, b := get(t, s, "a"), get(t, s, "b"); a != "1" || b != "2" {
		t.Errorf("once the bucket is back it reads %q and %q", a, b)
	}
}

// TestStateFails has the local store fail in the middle of a large commit that is
// being applied: the commit stands, nobody sees a part of it, and the state goes on
// once the local store does, in this process or in the next.
func TestStateFails(t *testing.T) {
	server := newServer(t)
	for fails := range int32(3) {
		for _, next := range []bool{false, true} {
			url := newURL(server)
			kept := unclosed{memstore.New()}
			var left atomic.Int32
			faulty := faultstore.Wrap(kept, func(op faultstore.Op) error {
				if op.Kind == faultstore.Commit && left.Add(-1) == 0 {
					return errLost
				}
				return nil
			})
			s := open(t, url, &objectstore.Options{State: faulty, Patience: time.Millisecond})
			set(t, s, "a", "1")
			get(t, s, "a")
			if err := setMany(s, 20_000); err != nil {
				t.Fatal(err)
			}
			left.Store(fails + 1)
			if _, err := s.Begin(background, false); !errors.Is(err, errLost) {
				t.Fatalf("Begin, commit %d of the local store failing: %v", fails, err)
			}
			if next {
				s.Close()
				s = open(t, url, &objectstore.Options{State: kept})
			}
			if n := len(contents(t, begin(t, s, false))); n != 20_001 {
				t.Errorf("commit %d failed; then, in the next process: %v, there are %d entries, want 20001", fails, next, n)
			}
		}
	}
}

// TestTornStateOffline: what is of no version is shown to nobody.
func TestTornStateOffline(t *testing.T) {
	url := newURL(newServer(t))
	kept := unclosed{memstore.New()}
	var left atomic.Int32
	left.Store(1 << 20)
	faulty := faultstore.Wrap(kept, func(op faultstore.Op) error {
		if op.Kind == faultstore.Commit && left.Add(-1) < 0 {
			return errLost
		}
		return nil
	})
	s := open(t, url, &objectstore.Options{State: faulty})
	if err := setMany(s, 20_000); err != nil {
		t.Fatal(err)
	}
	left.Store(1)
	if _, err := s.Begin(background, false); err == nil {
		t.Fatal("Begin does not fail")
	}
	s.Close()
	n := &network{}
	n.on(func(string) fate { return cut })
	_, err := objectstore.Open(store.Offline(background), url, keyed(&objectstore.Options{State: kept, Transport: n, Patience: -1}))
	if !errors.Is(err, store.ErrUnreachable) {
		t.Errorf("Open offline with a torn state: %v, want ErrUnreachable", err)
	}
}

func setMany(s store.Store, n int) error {
	_, err := update(s, func(tx store.Tx) error {
		for i := range n {
			if err := tx.Set(fmt.Appendf(nil, "k%05d", i), []byte("v")); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}
