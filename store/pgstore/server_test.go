package pgstore_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pgstore"
	"github.com/kivisdb/kivis/store/pgstore/pgtest"
)

// TestServerKilled kills the server under writers, twice, and starts it again:
// nothing that was acknowledged is lost, and nothing is there twice.
func TestServerKilled(t *testing.T) {
	running(t)
	own, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer own.Stop()
	s := open(t, own.URL("x"), &pgstore.Options{Patience: time.Minute})
	const writers = 4
	var wg sync.WaitGroup
	for g := range writers {
		wg.Go(func() {
			if err := work(s, fmt.Sprint(g), perWriter); err != nil {
				t.Error(err)
			}
		})
	}
	for range 2 {
		time.Sleep(50 * time.Millisecond)
		if err := own.Kill(); err != nil {
			t.Errorf("killing the server: %v", err)
		}
		if err := own.Run(); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	wantWork(t, s, writers, perWriter)
}

// TestConnectionsCut has the server end all connections, again and again.
func TestConnectionsCut(t *testing.T) {
	url := newURL(t)
	s, other := open(t, url, &pgstore.Options{Patience: time.Minute}), open(t, url, nil)
	const writers = 4
	var wg sync.WaitGroup
	for g := range writers {
		wg.Go(func() {
			if err := work(s, fmt.Sprint(g), perWriter); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range 20 {
		time.Sleep(time.Duration(i) * 5 * time.Millisecond)
		err := other.Exec(background, "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and application_name = 'kivis'")
		if err != nil {
			t.Logf("cutting: %v", err)
		}
	}
	wg.Wait()
	wantWork(t, s, writers, perWriter)
}

// TestServerAway: without a server calls fail, and go on when it is back.
func TestServerAway(t *testing.T) {
	running(t)
	own, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer own.Stop()
	s := open(t, own.URL("x"), &pgstore.Options{Patience: 50 * time.Millisecond})
	set(t, s, "a", "1")
	tx, err := s.Begin(background, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Set([]byte("a"), []byte("2")); err != nil {
		t.Fatal(err)
	}
	if err := own.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(); !errors.Is(err, store.ErrUnreachable) && !errors.Is(err, store.ErrCommitUnknown) {
		t.Errorf("Commit: %v, want ErrUnreachable or ErrCommitUnknown", err)
	}
	if _, err := s.Begin(background, false); !errors.Is(err, store.ErrUnreachable) {
		t.Errorf("Begin: %v, want ErrUnreachable", err)
	}
	if _, err := pgstore.Open(background, own.URL("x"), &pgstore.Options{Patience: -1}); !errors.Is(err, store.ErrUnreachable) {
		t.Errorf("Open: %v, want ErrUnreachable", err)
	}
	if err := own.Run(); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s, "a"); got != "1" {
		t.Errorf("a is %q, want 1: the commit was not made", got)
	}
	set(t, s, "a", "3")
}

// TestCollect drops versions, and then has transactions on them refused.
func TestCollect(t *testing.T) {
	url := newURL(t)
	s := open(t, url, nil)
	first := set(t, s, "gone", "x")
	old, err := s.Begin(background, false)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 450 {
		set(t, s, fmt.Sprint("k", i%3), fmt.Sprint(i))
	}
	if _, err := update(s, func(tx store.Tx) error { return tx.Delete([]byte("gone")) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Collect(background, time.Hour); err != nil {
		t.Fatal(err)
	}
	if value, err := old.Get([]byte("gone")); string(value) != "x" || err != nil {
		t.Errorf("an old transaction within the time reads %q, %v", value, err)
	}
	if err := s.Collect(background, 0); err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]int{"entries": 3, "log": 0} {
		if n, err := s.Count(background, table); n != want || err != nil {
			t.Errorf("%d rows in %s, error %v; want %d", n, table, err, want)
		}
	}
	_, err = old.Get([]byte("k0"))
	if !errors.Is(err, store.ErrSnapshotTooOld) {
		t.Errorf("Get of a version that is gone: %v, want ErrSnapshotTooOld", err)
	}
	c, err := old.Scan(store.Range{Lo: []byte("x")}) // where there is nothing
	if err == nil && (c.Next() || !errors.Is(c.Err(), store.ErrSnapshotTooOld)) {
		t.Errorf("a scan of a version that is gone: %v, want ErrSnapshotTooOld", c.Err())
	}
	for i := range 3 {
		if got, want := get(t, s, fmt.Sprint("k", i)), fmt.Sprint(447+i); got != want {
			t.Errorf("k%d is %q, want %s", i, got, want)
		}
	}
	if got := get(t, s, "gone"); got != "" {
		t.Errorf("a deleted key is %q", got)
	}
	var gap *store.GapError
	late := open(t, url, nil)
	if err := late.Changes(background, first, func(store.Commit) bool { return true }); !errors.As(err, &gap) {
		t.Errorf("Changes from before: %v, want a GapError", err)
	}
}

// TestKeyTooLarge has a key that no index of the server's takes.
func TestKeyTooLarge(t *testing.T) {
	s := open(t, newURL(t), nil)
	key := make([]byte, 5000)
	rand.Read(key)
	_, err := update(s, func(tx store.Tx) error { return tx.Set(key, nil) })
	if !errors.Is(err, store.ErrKeyTooLarge) {
		t.Errorf("Commit: %v, want ErrKeyTooLarge", err)
	}
	if _, err := update(s, func(tx store.Tx) error { return tx.Set(key[:2500], []byte("v")) }); err != nil {
		t.Errorf("a key of 2500 bytes: %v", err)
	}
}

// TestLargePages scans values of which a page has less than it might.
func TestLargePages(t *testing.T) {
	s := open(t, newURL(t), nil)
	const n, size = 40, 700 << 10
	value := bytes.Repeat([]byte("0123456789"), size/10)
	for i := range n / 10 {
		_, err := update(s, func(tx store.Tx) error {
			for k := range 10 {
				if err := tx.Set(fmt.Appendf(nil, "%03d", 10*i+k), value); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	tx, err := s.Begin(background, false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	for _, r := range []store.Range{{}, {Reverse: true}, {KeysOnly: true}} {
		c, err := tx.Scan(r)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			want := i
			if r.Reverse {
				want = n - 1 - i
			}
			if !c.Next() || string(c.Key()) != fmt.Sprintf("%03d", want) || !r.KeysOnly && !bytes.Equal(c.Value(), value) {
				t.Fatalf("entry %d is %q of %d bytes, error %v", i, c.Key(), len(c.Value()), c.Err())
			}
		}
		if c.Next() || c.Err() != nil {
			t.Errorf("the scan goes on to %q, error %v", c.Key(), c.Err())
		}
		c.Close()
	}
}

// TestNewerFormat is of a schema that a later release has made.
func TestNewerFormat(t *testing.T) {
	url := newURL(t)
	s := open(t, url, nil)
	if err := s.Exec(background, "update @.head set format = 99"); err != nil {
		t.Fatal(err)
	}
	if _, err := pgstore.Open(background, url, nil); err == nil || !strings.Contains(err.Error(), "format 99") {
		t.Errorf("Open: %v, want an error that names format 99", err)
	}
}

// TestSeveralStores are in one database, and do not see each other.
func TestSeveralStores(t *testing.T) {
	a, b := open(t, newURL(t), nil), open(t, newURL(t), nil)
	set(t, a, "k", "a")
	if got := get(t, b, "k"); got != "" {
		t.Errorf("the other store has %q", got)
	}
	if size, err := a.Size(); size <= 0 || err != nil {
		t.Errorf("Size = %d, %v", size, err)
	}
}
