package sharedtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
)

// Run tests what several programs do to one database. origin makes an empty one, and
// returns what opens it as a process of its own would; the stores are closed by
// whoever opens them, at the end of the test, or by the database over them before.
func Run(t *testing.T, origin func(t testing.TB) (open func() store.Store)) {
	for name, test := range map[string]func(t *testing.T, open func() store.Store){
		"Slots": slots, "Pairs": pairs, "ParentChild": parentChild, "Unique": unique, "Register": register,
	} {
		t.Run(name, func(t *testing.T) { test(t, origin(t)) })
	}
}

// rounds is how often each race is run.
func rounds() int {
	if testing.Short() {
		return 10
	}
	return 100
}

// The records: what programs of an older and a newer release make of one table, and a
// parent with children.
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
	parent struct {
		_    struct{} `kivis:"table=parents"`
		Name string   `kivis:"key"`
	}
	child struct {
		_ struct{} `kivis:"table=children"`
		kivis.Auto[child]
		Parent string `kivis:"ref=parents"`
	}
)

// program opens a database as a program of its own would.
func program(t *testing.T, open func() store.Store, records ...any) *kivis.DB {
	t.Helper()
	db, err := kivis.Open(open(), &kivis.Options{AllowOlder: true}) // whichever comes first
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if len(records) > 0 {
		if err := db.Register(records...); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// mustBeClean has a database checked.
func mustBeClean(t *testing.T, db *kivis.DB) {
	t.Helper()
	report, err := db.Check(context.Background(), nil)
	if err != nil || len(report.Faults) > 0 {
		t.Errorf("Check finds %+v, error %v", report, err)
	}
}

// both runs two functions at a time and returns their errors.
func both(f, g func() error) (err1, err2 error) {
	var wg sync.WaitGroup
	wg.Go(func() { err1 = f() })
	err2 = g()
	wg.Wait()
	return err1, err2
}

// parentChild has one program delete a parent, and another insert a child of it: never
// may both succeed.
func parentChild(t *testing.T, open func() store.Store) {
	ctx := context.Background()
	one, two := program(t, open, &parent{}, &child{}), program(t, open, &parent{}, &child{})
	parents := kivis.TableBy[parent, string](one)
	children := kivis.TableOf[child](two)
	deleted := 0
	for i := range rounds() {
		name := fmt.Sprint("p", i)
		if _, err := parents.Insert(ctx, &parent{Name: name}); err != nil {
			t.Fatal(err)
		}
		deleteErr, insertErr := both(
			func() error { return parents.Delete(ctx, name) },
			func() error { _, err := children.Insert(ctx, &child{Parent: name}); return err },
		)
		failed := deleteErr
		if deleteErr == nil {
			deleted++
			failed = insertErr
		}
		if (deleteErr == nil) == (insertErr == nil) || !errors.Is(failed, kivis.ErrReference) {
			t.Fatalf("round %d: delete: %v, insert: %v; want one to be ErrReference", i, deleteErr, insertErr)
		}
	}
	t.Logf("the parent was deleted in %d of %d rounds", deleted, rounds())
	mustBeClean(t, one)
}

// unique has two programs insert a value that may be there once.
func unique(t *testing.T, open func() store.Store) {
	ctx := context.Background()
	one, two := program(t, open, &newTicket{}), program(t, open, &newTicket{})
	insert := func(db *kivis.DB, title string) func() error {
		return func() error {
			_, err := kivis.TableOf[newTicket](db).Insert(ctx, &newTicket{Title: title})
			return err
		}
	}
	for i := range rounds() {
		err1, err2 := both(insert(one, fmt.Sprint(i)), insert(two, fmt.Sprint(i)))
		if failed := errors.Join(err1, err2); (err1 == nil) == (err2 == nil) || !errors.Is(failed, kivis.ErrExists) {
			t.Fatalf("round %d: %v, %v; want one to be ErrExists", i, err1, err2)
		}
	}
	mustBeClean(t, two)
}

// register has programs of different releases make one database at a time, and write.
func register(t *testing.T, open func() store.Store) {
	const each = 10
	var wg sync.WaitGroup
	run := func(insert func(db *kivis.DB) error) {
		db := program(t, open)
		wg.Go(func() {
			if err := insert(db); err != nil {
				t.Error(err)
			}
		})
	}
	run(func(db *kivis.DB) error {
		return insertSome(db, each, func(i int) oldTicket { return oldTicket{Title: fmt.Sprint("old", i)} })
	})
	run(func(db *kivis.DB) error {
		return insertSome(db, each, func(i int) newTicket { return newTicket{Title: fmt.Sprint("new", i)} })
	})
	run(func(db *kivis.DB) error {
		return errors.Join(db.Register(&parent{}), insertSome(db, each, func(i int) oldTicket { return oldTicket{Title: fmt.Sprint("other", i)} }))
	})
	wg.Wait()
	db := program(t, open)
	mustBeClean(t, db)
	if n, err := kivis.TableNamed(db, "tickets").Count(context.Background()); n != 3*each || err != nil {
		t.Errorf("%d tickets, error %v; want %d", n, err, 3*each)
	}
}

// insertSome registers a type and inserts n records. Where another program has
// changed the table so that the type no longer fits, which is told, it registers anew.
func insertSome[R interface{ PrimaryKey() kivis.ID[R] }](db *kivis.DB, n int, make func(i int) R) error {
	err := db.Register(new(R))
	for i := 0; err == nil && i < n; i++ {
		rec := make(i)
		_, err = kivis.TableOf[R](db).Insert(context.Background(), &rec)
		if errors.Is(err, kivis.ErrNotRegistered) {
			i--
			err = db.Register(new(R))
		}
	}
	return err
}
