package kivis_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
)

var bg = context.Background()

type IATA string

type Airport struct {
	_         struct{} `kivis:"table=airports"`
	Code      IATA     `kivis:"key"`
	Name      string
	City      string `kivis:"index"`
	State     string `kivis:"index"`
	Latitude  float64
	Longitude float64
}

type Flight struct {
	_                  struct{}  `kivis:"table=flights,index=route(Origin,Destination,-Departs)"`
	kivis.Auto[Flight]           // ID
	Departs            time.Time `kivis:"index"`
	Delay              int       `kivis:"index"`
	Distance           int
	Origin             IATA `kivis:"ref"`
	Destination        IATA `kivis:"ref"`
}

type User struct {
	kivis.Auto[User]
	Email string         `kivis:"unique"`
	Name  string         `kivis:"index,fold"`
	Nick  *string        `kivis:"unique"`
	Tags  []string       `kivis:"index,each"`
	Boss  kivis.ID[User] `kivis:"optional,ondelete=setnull"`
}

func (u User) Validate() error {
	if u.Name == "invalid" {
		return errInvalid
	}
	return nil
}

var errInvalid = errors.New("the name is invalid")

// Post belongs to a user and goes with him.
type Post struct {
	kivis.Auto[Post]
	Author kivis.ID[User] `kivis:"ondelete=cascade"`
	Title  string
	Likes  int
}

// stores are the stores that every test of the root package runs on.
var stores = []struct {
	name string
	open func(t testing.TB) store.Store
}{
	{"mem", func(testing.TB) store.Store { return memstore.New() }},
	{"badger", openBadger},
}

func openBadger(t testing.TB) store.Store {
	t.Helper()
	st, err := badgerstore.Open(t.TempDir(), &badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// onStores runs fn on a database over each store.
func onStores(t *testing.T, records []any, fn func(t *testing.T, db *kivis.DB)) {
	t.Helper()
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			db := openDB(t, s.open(t), records...)
			fn(t, db)
		})
	}
}

// onStoresWith is onStores with options.
func onStoresWith(t *testing.T, opts *kivis.Options, records []any, fn func(t *testing.T, db *kivis.DB)) {
	t.Helper()
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) { fn(t, openWith(t, s.open(t), opts, records...)) })
	}
}

// openDB opens a database that is checked and closed when the test ends.
func openDB(t testing.TB, st store.Store, records ...any) *kivis.DB {
	t.Helper()
	return openWith(t, st, nil, records...)
}

// openWith is openDB with options.
func openWith(t testing.TB, st store.Store, opts *kivis.Options, records ...any) *kivis.DB {
	t.Helper()
	db, err := kivis.Open(st, opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Register(records...); err != nil {
		db.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		mustBeClean(t, db)
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// mustBeClean fails the test if Check finds anything, unless db is closed.
func mustBeClean(t testing.TB, db *kivis.DB) {
	t.Helper()
	report, err := db.Check(bg, nil)
	if errors.Is(err, kivis.ErrClosed) {
		return
	}
	if err != nil {
		t.Error(err)
	}
	for _, f := range report.Faults {
		t.Error(f)
	}
}

func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantErr fails the test unless err matches want.
func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error = %v, want %v", err, want)
	}
}

func newDB(t testing.TB, records ...any) *kivis.DB { return kivistest.New(t, records...) }

// wantText fails the test where err is nil, or its text lacks part.
func wantText(t testing.TB, err error, part string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), part) {
		t.Errorf("error = %v, want %q in it", err, part)
	}
}
