package pgstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pgstore"
	"github.com/kivisdb/kivis/store/pgstore/pgtest"
)

// cluster starts a server and some that follow it.
func cluster(t *testing.T, standbys int) (primary *pgtest.Server, followers []*pgtest.Server) {
	t.Helper()
	running(t)
	start := func(f func() (*pgtest.Server, error)) *pgtest.Server {
		s, err := f()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Stop() })
		return s
	}
	primary = start(pgtest.Start)
	for range standbys {
		followers = append(followers, start(primary.Standby))
	}
	return primary, followers
}

// ask has a server answer a statement with one value.
func ask[T any](t *testing.T, server *pgtest.Server, statement string) (value T) {
	t.Helper()
	conn, err := pgx.Connect(background, server.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(background)
	if err := conn.QueryRow(background, statement).Scan(&value); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return value
}

// following waits until a replica has what its server has.
func following(t *testing.T, primary, replica *pgtest.Server) {
	t.Helper()
	at := ask[string](t, primary, "select pg_current_wal_flush_lsn()::text")
	for until := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if ask[bool](t, replica, "select coalesce(pg_last_wal_replay_lsn() >= '"+at+"', false)") {
			return
		}
		if time.Now().After(until) {
			t.Fatal("the replica does not follow")
		}
	}
}

// readAll reads in one transaction, by key and by scan, and returns k.
func readAll(t *testing.T, s store.Store) string {
	t.Helper()
	tx, err := s.Begin(background, false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	value, err := tx.Get([]byte("k"))
	if err != nil {
		t.Fatal(err)
	}
	values := make([][]byte, 2)
	if err := tx.GetMany([][]byte{[]byte("k"), []byte("l")}, values); err != nil {
		t.Fatal(err)
	}
	c, err := tx.Scan(store.Range{Lo: []byte("k"), Hi: []byte("l")})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !c.Next() || string(c.Value()) != string(value) || string(values[0]) != string(value) {
		t.Errorf("a transaction reads %q, together with others %q, and scans %q, error %v", value, values[0], c.Value(), c.Err())
	}
	return string(value)
}

// TestReplica has read-only transactions read from a replica: while it follows it
// answers, and whatever becomes of it, they see what was committed before they began.
func TestReplica(t *testing.T) {
	primary, followers := cluster(t, 1)
	replica := followers[0]
	s := open(t, primary.URL("x"), &pgstore.Options{Replicas: []string{replica.URL("")}})
	other := open(t, primary.URL("x"), nil)
	n := 0
	changed := func() string {
		n++
		set(t, other, "k", fmt.Sprint(n))
		return fmt.Sprint(n)
	}
	for range 50 { // as far as it has come
		if want, got := changed(), readAll(t, s); got != want {
			t.Fatalf("while the replica follows k is %q, want %q", got, want)
		}
	}
	answers := func(what string) {
		t.Helper()
		want := changed()
		following(t, primary, replica)
		for until := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) { // it may rest
			s.Served(0)
			if got := readAll(t, s); got != want {
				t.Fatalf("%s k is %q, want %q", what, got, want)
			}
			if n := s.Served(0); n == 3 {
				return
			} else if time.Now().After(until) {
				t.Fatalf("%s the replica answers %d requests of 3", what, n)
			}
		}
	}
	answers("once it has followed")
	tx, err := s.Begin(background, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Get([]byte("k")); err != nil || s.Served(0) != 0 {
		t.Errorf("a write transaction reads from the replica, error %v", err)
	}
	tx.Discard()

	ask[string](t, replica, "select pg_wal_replay_pause()::text")
	for range 20 {
		if want, got := changed(), readAll(t, s); got != want {
			t.Fatalf("while the replica stands still k is %q, want %q", got, want)
		}
	}
	if n := s.Served(0); n != 0 {
		t.Errorf("a replica that stands still answers %d requests", n)
	}
	ask[string](t, replica, "select pg_wal_replay_resume()::text")
	answers("once it goes on")

	if err := replica.Kill(); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if want, got := changed(), readAll(t, s); got != want {
			t.Fatalf("without the replica k is %q, want %q", got, want)
		}
	}
	if err := replica.Run(); err != nil {
		t.Fatal(err)
	}
	answers("once it is back")
}

// TestReplicaOfOther has replicas that have other versions by the same numbers, as one
// has that was ahead of the server that has taken the place of its own.
func TestReplicaOfOther(t *testing.T) {
	primary, followers := cluster(t, 2)
	set(t, open(t, primary.URL("x"), nil), "k", "before")
	for _, f := range followers {
		following(t, primary, f)
		if err := f.Promote(); err != nil {
			t.Fatal(err)
		}
	}
	set(t, open(t, followers[0].URL("x"), nil), "k", "lost")
	set(t, open(t, followers[1].URL("x"), nil), "k", "kept")
	s := open(t, followers[1].URL("x"), &pgstore.Options{Replicas: []string{followers[0].URL(""), primary.URL("")}})
	for range 10 {
		if got := readAll(t, s); got != "kept" {
			t.Fatalf("k is %q, want kept", got)
		}
	}
	for i := range 2 {
		if n := s.Served(i); n != 0 {
			t.Errorf("replica %d, which is of another server, answers %d requests", i, n)
		}
	}
}

// TestReplicaOptions has replicas that are none.
func TestReplicaOptions(t *testing.T) {
	url := newURL(t)
	for _, replica := range []string{"postgres://u@h/d?kivis_db=x", "postgres://u@h/d?pool_max_conns=many"} {
		_, err := pgstore.Open(background, url, &pgstore.Options{Replicas: []string{replica}})
		if err == nil || !strings.Contains(err.Error(), "Options.Replicas") {
			t.Errorf("Open with replica %s: %v, want an error that names Options.Replicas", replica, err)
		}
	}
	s := open(t, url, &pgstore.Options{Replicas: []string{"postgres://u@/d?host=/nowhere"}})
	set(t, s, "k", "1")
	if got := readAll(t, s); got != "1" {
		t.Errorf("with a replica that is not there k is %q", got)
	}
	tx, err := s.Begin(background, false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Discard()
	if _, err := tx.Get([]byte("absent")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get of what is absent: %v, want ErrNotFound", err)
	}
}
