package kivis_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// The structs of one table, with fields that widen, go and come back.
type (
	wide1 struct {
		_  struct{} `kivis:"table=wide"`
		ID int      `kivis:"key"`
		N  int32
		F  float32
		L  []uint16
	}
	wide2 struct {
		_  struct{} `kivis:"table=wide"`
		ID int      `kivis:"key"`
		N  int64
		F  float64
		L  []uint16
		B  string
	}
	wide3 struct {
		_  struct{} `kivis:"table=wide"`
		ID int      `kivis:"key"`
		F  float64
		L  []uint16
		B  string
	}
	wide4 struct {
		_  struct{} `kivis:"table=wide"`
		ID int      `kivis:"key"`
		F  float64
		L  []uint16
		B  string
		N  string
	}
)

// openAs opens the database in st as a program with the records.
func openAs(t *testing.T, st store.Store, opts *kivis.Options, records ...any) *kivis.DB {
	t.Helper()
	db, err := kivis.Open(st, opts)
	check(t, err)
	check(t, db.Register(records...))
	return db
}

// TestOlderProgramReads has an older program read what it can, and not take
// for damage what it cannot.
func TestOlderProgramReads(t *testing.T) {
	type narrow struct {
		_  struct{} `kivis:"table=wide"`
		ID int      `kivis:"key"`
		N  int8
		U  uint8
		F  float32
		M  map[string]int16
	}
	type newer struct {
		_  struct{} `kivis:"table=wide"`
		ID int      `kivis:"key"`
		N  int64
		U  int16
		F  float64
		M  map[string]int32
	}
	st := kept{stores[0].open(t)}
	db := openAs(t, st, nil, &narrow{})
	must(kivis.TableBy[narrow, int](db).Insert(bg, &narrow{ID: 1, N: 1, F: 0.1}))(t)
	check(t, db.Close())
	db = openAs(t, st, nil, &newer{})
	for i, rec := range []newer{{N: 300}, {U: -1}, {F: 0.1}, {M: map[string]int32{"a": 1 << 20}}, {N: -128, U: 255, F: 0.5, M: map[string]int32{"a": -1}}, {F: math.Inf(1)}, {F: math.NaN()}} {
		rec.ID = 2 + i
		must(kivis.TableBy[newer, int](db).Insert(bg, &rec))(t)
	}
	check(t, db.Close())
	db = openAs(t, st, &kivis.Options{AllowOlder: true}, &narrow{})
	defer db.Close()
	table := kivis.TableBy[narrow, int](db)
	for id, fits := range map[int]bool{1: true, 2: false, 3: false, 4: false, 5: false, 6: true, 7: true, 8: true} {
		rec, err := table.Get(bg, id)
		var damage *kivis.CorruptError
		switch {
		case fits && err != nil:
			t.Errorf("record %d: %v", id, err)
		case !fits && (errors.As(err, &damage) || err == nil || !strings.Contains(err.Error(), "older program cannot hold")):
			t.Errorf("record %d is %+v, %v, want an error that is not about damage", id, rec, err)
		}
	}
	if rep := must(db.Check(bg, nil))(t); len(rep.Faults) > 0 {
		t.Errorf("faults: %v", rep.Faults)
	}
}

// TestOlderProgramWrites has an older program drop what it does not know where
// it changes something, and only there.
func TestOlderProgramWrites(t *testing.T) {
	st := kept{stores[0].open(t)}
	db := openAs(t, st, nil, &wide1{})
	check(t, db.Close())
	db = openAs(t, st, nil, &wide2{})
	for id := range 3 {
		must(kivis.TableBy[wide2, int](db).Insert(bg, &wide2{ID: id, B: "b"}))(t)
	}
	check(t, db.Close())
	db = openAs(t, st, &kivis.Options{AllowOlder: true}, &wide1{})
	table := kivis.TableBy[wide1, int](db)
	must(table.Modify(bg, 0, func(*wide1) error { return nil }))(t)
	must(table.Modify(bg, 1, func(w *wide1) error { w.N = 1; return nil }))(t)
	must(table.Query().Modify(bg, func(*wide1) error { return nil }))(t)
	check(t, db.Close())
	db = openAs(t, st, nil, &wide2{})
	defer db.Close()
	for id, want := range []string{"b", "", "b"} {
		if got := must(kivis.TableBy[wide2, int](db).Get(bg, id))(t); got.B != want {
			t.Errorf("record %d has %q, want %q", id, got.B, want)
		}
	}
}

// TestRegisterBindsFirst fails for a type that does not fit, after nothing has
// been written of the others.
func TestRegisterBindsFirst(t *testing.T) {
	type Fresh struct {
		ID int `kivis:"key"`
	}
	st := kept{stores[0].open(t)}
	for _, rec := range []any{&wide2{}, &wide3{}, &wide4{}} {
		check(t, openAs(t, st, nil, rec).Close())
	}
	db, err := kivis.Open(st, &kivis.Options{AllowOlder: true})
	check(t, err)
	defer db.Close()
	if err := db.Register(&Fresh{}, &wide2{}); err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("error = %v, want one about the field N, which is another now", err)
	}
	if tables := db.Tables(); len(tables) != 1 {
		t.Errorf("%d tables, want the one from before", len(tables))
	}
	check(t, db.Register(&Fresh{}))
}

// wide2Valid is a wide2 whose program has a rule.
type wide2Valid wide2

func (*wide2Valid) Validate() error { return nil }

func TestRegisterReadOnly(t *testing.T) {
	dir := t.TempDir()
	check(t, openAs(t, reopenBadger(t, dir), nil, &wide1{}).Close())
	db := openAs(t, reopenBadger(t, dir), nil, &wide2{})
	must(kivis.TableBy[wide2, int](db).Insert(bg, &wide2{ID: 1, B: "b"}))(t)
	check(t, db.Close())
	for _, test := range []struct {
		name string
		rec  any
		want string // of the error
	}{
		{"as stored", &wide2{}, ""},
		{"older", &wide1{}, ""},
		{"with a rule", &wide2Valid{}, ""},
		{"newer", &wide3{}, "removed field N"},
		{"new table", &mail1{}, "r: new table"},
	} {
		st, err := badgerstore.Open(dir, &badgerstore.Options{ReadOnly: true})
		check(t, err)
		db, err := kivis.Open(st, &kivis.Options{AllowOlder: true})
		check(t, err)
		err = db.Register(test.rec)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (!errors.Is(err, kivis.ErrReadOnly) || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: error = %v, want ErrReadOnly that says %s", test.name, err, test.want)
		}
		check(t, db.Close())
	}
}

// TestOpenNothingReadOnly: what is no database cannot become one where nothing may be
// written, and the error says which of the two it is.
func TestOpenNothingReadOnly(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		key  string // that is put into the store first
		want string
	}{
		{"", "the store holds no database yet"},
		{"x", "holds keys but no Kivis database"},
	} {
		st := reopenBadger(t, dir)
		if test.key != "" {
			tx := must(st.Begin(bg, true))(t)
			check(t, tx.Set([]byte(test.key), nil))
			must(tx.Commit())(t)
		}
		check(t, st.Close())
		st, err := badgerstore.Open(dir, &badgerstore.Options{ReadOnly: true})
		check(t, err)
		_, err = kivis.Open(st, nil)
		if err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, kivis.ErrReadOnly) != (test.key == "") {
			t.Errorf("with the key %q: %v; want %q", test.key, err, test.want)
		}
	}
}

// TestFailedBackgroundBuild shows a build that failed in Stats and Diff, has the
// next Register return it, and once more until what is stored is mended.
func TestFailedBackgroundBuild(t *testing.T) {
	type plain struct {
		_    struct{} `kivis:"table=things"`
		ID   kivis.ID[plain]
		Mail string
	}
	type unique struct {
		_    struct{} `kivis:"table=things"`
		ID   kivis.ID[unique]
		Mail string `kivis:"unique"`
	}
	st := kept{stores[0].open(t)}
	db := openAs(t, st, nil, &plain{})
	must(kivis.TableByID[plain](db).InsertMany(bg, []plain{{Mail: "a"}, {Mail: "a"}}))(t)
	check(t, db.Close())
	db = openAs(t, st, &kivis.Options{BackgroundBuilds: true}, &unique{})
	defer db.Close()
	ctx, cancel := context.WithTimeout(bg, 30*time.Second)
	defer cancel()
	for db.Stats().FailedBuilds == 0 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if d := must(db.Diff(bg, &unique{}))(t); !strings.Contains(d.String(), "unique index Mail") {
		t.Errorf("Diff = %v, want the failed build", d)
	}
	var change *kivis.SchemaChangeError
	for range 2 {
		if err := db.Register(&unique{}); !errors.As(err, &change) || !strings.Contains(err.Error(), "Mail") {
			t.Errorf("error = %v, want a SchemaChangeError for Mail", err)
		}
	}
	check(t, kivis.TableByID[unique](db).Delete(bg, 2))
	check(t, db.Register(&unique{}))
	if d := must(db.Diff(bg, &unique{}))(t); !d.Empty() || db.Stats().FailedBuilds > 0 {
		t.Errorf("Diff = %v and %d failed builds after the build", d, db.Stats().FailedBuilds)
	}
	_, err := kivis.TableByID[unique](db).Insert(bg, &unique{Mail: "a"})
	wantErr(t, err, kivis.ErrExists)
	mustBeClean(t, db)
}
