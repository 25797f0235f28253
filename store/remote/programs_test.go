package remote_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/remote"
	"github.com/kivisdb/kivis/store/remote/remotetest"
)

// Two programs, of which the newer one has more fields, indexes and tables.
type (
	oldTicket struct {
		_ struct{} `kivis:"table=tickets"`
		kivis.Auto[oldTicket]
		Title string
	}
	newTicket struct {
		_ struct{} `kivis:"table=tickets,unique=title(Title)"`
		kivis.Auto[newTicket]
		Title string
		Place string `kivis:"index"`
	}
	otherNote struct {
		_ struct{} `kivis:"table=notes"`
		kivis.Auto[otherNote]
		Text string
	}
)

// program opens a database as a process of its own would.
func program(t *testing.T, b *remotetest.Backend) *kivis.DB {
	t.Helper()
	db, err := kivis.Open(must(remote.Open(background, b, nil))(t), nil)
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })
	return db
}

// must returns v, or fails the test.
func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		check(t, err)
		return v
	}
}

// check fails the test on an error.
func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mustBeClean has a database checked.
func mustBeClean(t testing.TB, db *kivis.DB) {
	t.Helper()
	if report := must(db.Check(background, nil))(t); len(report.Faults) > 0 {
		t.Errorf("Check finds %v", report.Faults)
	}
}

// autoKey is a record with a generated key.
type autoKey[R any] interface{ PrimaryKey() kivis.ID[R] }

// tableFor registers a type and returns its table.
func tableFor[R autoKey[R]](t *testing.T, db *kivis.DB) kivis.Table[R, kivis.ID[R]] {
	t.Helper()
	check(t, db.Register(new(R)))
	return kivis.TableOf[R](db)
}

// insertSome registers a type and inserts as many records as make returns. Where
// another program has changed the table so that the type no longer fits, which is
// told, it registers anew.
func insertSome[R autoKey[R]](db *kivis.DB, make func(i int) R) error {
	err := db.Register(new(R))
	for i := 0; err == nil && i < 30; i++ {
		rec := make(i)
		_, err = kivis.TableOf[R](db).Insert(background, &rec)
		if errors.Is(err, kivis.ErrNotRegistered) {
			i--
			err = db.Register(new(R))
		}
	}
	return err
}

// insert inserts a record.
func insert[R autoKey[R]](t *testing.T, tb kivis.Table[R, kivis.ID[R]], rec *R) {
	t.Helper()
	must(tb.Insert(background, rec))(t)
}

// TestSharedCatalog: what one program changes in the catalog the other follows in
// its next transaction, also one that knows nothing of the change.
func TestSharedCatalog(t *testing.T) {
	b := remotetest.New()
	older, newer := program(t, b), program(t, b)
	old := tableFor[oldTicket](t, older)
	before := oldTicket{Title: "before"}
	insert(t, old, &before)
	tx := must(older.Begin(background, true))(t)
	defer tx.Discard()
	late := oldTicket{Title: "begun before"}
	insert(t, old.With(tx), &late)

	tickets := tableFor[newTicket](t, newer)
	if err := tx.Commit(); !errors.Is(err, kivis.ErrConflict) {
		t.Errorf("a transaction from before the change commits: %v, want ErrConflict", err)
	}
	after := oldTicket{Title: "after"}
	insert(t, old, &after)
	var unique *kivis.UniqueError
	if _, err := old.Insert(background, &oldTicket{Title: "after"}); !errors.As(err, &unique) {
		t.Errorf("an older program passes by the unique index: %v", err)
	}
	if got := must(old.Get(background, after.ID))(t); got.Title != "after" {
		t.Errorf("the older program reads %+v", got)
	}
	if got := must(tickets.Get(background, kivis.ID[newTicket](before.ID)))(t); got.Title != "before" {
		t.Errorf("the newer program reads %+v", got)
	}
	insert(t, tickets, &newTicket{Title: "new", Place: "here"})
	mustBeClean(t, newer)
	mustBeClean(t, older)
}

// TestSharedRegister has programs make one database at a time, with schemas that differ,
// and write meanwhile: no write goes past another's catalog.
func TestSharedRegister(t *testing.T) {
	for round := range 5 {
		b := remotetest.New()
		b.Fail(remotetest.Faults{Delay: 50_000}, uint64(round))
		var wg sync.WaitGroup
		run := func(f func(db *kivis.DB) error) {
			wg.Go(func() {
				s, err := remote.Open(background, b, nil)
				if err == nil {
					var db *kivis.DB
					if db, err = kivis.Open(s, nil); err == nil {
						err = errors.Join(f(db), db.Close())
					}
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		run(func(db *kivis.DB) error {
			return insertSome(db, func(i int) oldTicket { return oldTicket{Title: fmt.Sprint("old", i)} })
		})
		run(func(db *kivis.DB) error {
			return insertSome(db, func(i int) newTicket { return newTicket{Title: fmt.Sprint("new", i), Place: "here"} })
		})
		run(func(db *kivis.DB) error {
			return insertSome(db, func(i int) otherNote { return otherNote{Text: fmt.Sprint(i)} })
		})
		wg.Wait()
		db := program(t, b)
		mustBeClean(t, db)
		for table, want := range map[string]int{"tickets": 60, "notes": 30} {
			if n, err := kivis.TableNamed(db, table).Count(background); n != want || err != nil {
				t.Errorf("round %d: %d records in %s, error %v; want %d", round, n, table, err, want)
			}
		}
	}
}

// uniqueNote cannot be registered where notes have one text more than once.
type uniqueNote struct {
	_ struct{} `kivis:"table=notes"`
	kivis.Auto[uniqueNote]
	Text string `kivis:"unique"`
}

// atRequest has f run once, before the nth request that the program makes with do.
// It reports whether there were as many.
func atRequest(b *remotetest.Backend, n int64, f func(), do func()) bool {
	var count atomic.Int64
	b.Before(func(call string) {
		if call != "Wait" && call != "Changes" && count.Add(1) == n {
			f()
		}
	})
	do()
	b.Before(nil)
	return count.Load() >= n
}

// TestSharedRegisterBetween has another program register between any two requests of a
// Register, one that fails too: what it has registered and written stays.
func TestSharedRegisterBetween(t *testing.T) {
	registers := map[string]func(db *kivis.DB) error{
		"succeeds": func(db *kivis.DB) error { return db.Register(&newTicket{}, &otherNote{}) },
		"fails": func(db *kivis.DB) error {
			if err := db.Register(&newTicket{}, &uniqueNote{}); err == nil {
				return errors.New("a text that is there twice is taken for unique")
			}
			return nil
		},
	}
	others := map[string]func(db *kivis.DB) error{
		"older": func(db *kivis.DB) error {
			return insertSome(db, func(i int) oldTicket { return oldTicket{Title: fmt.Sprint("old", i)} })
		},
		"the same": func(db *kivis.DB) error {
			return insertSome(db, func(i int) newTicket { return newTicket{Title: fmt.Sprint("same", i)} })
		},
	}
	for way, register := range registers {
		for what, other := range others {
			for n := int64(1); registerBetween(t, fmt.Sprintf("%s, %s, request %d", way, what, n), n, register, other); n++ {
			}
		}
	}
}

// registerBetween has other run before the nth request of register, and reports whether
// there were as many.
func registerBetween(t *testing.T, name string, n int64, register, other func(db *kivis.DB) error) bool {
	b := remotetest.New()
	notes := tableFor[otherNote](t, program(t, b))
	insert(t, notes, &otherNote{Text: "twice"})
	insert(t, notes, &otherNote{Text: "twice"})
	one, two := program(t, b), program(t, b)
	var between error
	more := atRequest(b, n, func() { between = other(two) }, func() {
		if err := register(one); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	if between != nil {
		t.Errorf("%s: the other: %v", name, between)
	}
	mustBeClean(t, one)
	if got, err := kivis.TableNamed(program(t, b), "tickets").Count(background); more && (err != nil || got != 30) {
		t.Errorf("%s: %d tickets, error %v; want 30", name, got, err)
	}
	return more
}

// TestSharedIds has programs draw ids of one table.
func TestSharedIds(t *testing.T) {
	b := remotetest.New()
	var wg sync.WaitGroup
	for range 3 {
		db := program(t, b)
		notes := tableFor[otherNote](t, db)
		wg.Go(func() {
			for range 50 {
				if _, err := notes.Insert(background, &otherNote{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	db := program(t, b)
	if n, err := kivis.TableNamed(db, "notes").Count(background); n != 150 || err != nil {
		t.Errorf("%d records, error %v; want 150", n, err)
	}
}

// TestSharedLive: a live query of one program shows what another commits.
func TestSharedLive(t *testing.T) {
	b := remotetest.New()
	reader, writer := program(t, b), program(t, b)
	shown := tableFor[otherNote](t, reader)
	notes := tableFor[otherNote](t, writer)
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	n := 0
	for r, err := range shown.Where().Watch(ctx) {
		check(t, err)
		if len(r.Records) != n {
			continue
		}
		if n == 5 {
			return
		}
		n++
		insert(t, notes, &otherNote{Text: fmt.Sprint(n)})
	}
	t.Errorf("the query ends after %d records", n)
}
