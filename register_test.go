package kivis_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/faultstore"
	"github.com/kivisdb/kivis/store/memstore"
)

// The versions of one table, as a program's struct changes over time.
type (
	person1 struct {
		_    struct{} `kivis:"table=people"`
		ID   kivis.ID[person1]
		Name string
		Age  int16
		Old  string `kivis:"index"`
	}
	person2 struct { // reordered, widened, renamed, a field gone, fields and indexes new
		_       struct{} `kivis:"table=people"`
		Age     int64    `kivis:"index"`
		ID      kivis.ID[person2]
		Full    string `kivis:"unique,was=Name"`
		Comment *string
		Score   float64 `kivis:"index"`
		Where   struct{ City, Zip string }
	}
	person3 struct { // narrowed, another type, another key
		_    struct{} `kivis:"table=people"`
		Age  int8
		Full int    `kivis:"key"`
		Text string `kivis:"name=Comment"`
	}
)

func seedPeople(t *testing.T, db *kivis.DB, n int) {
	t.Helper()
	people := kivis.TableByID[person1](db)
	recs := make([]person1, n)
	for i := range recs {
		recs[i] = person1{Name: fmt.Sprint("p", i), Age: int16(i % 90), Old: "old"}
	}
	must(people.InsertMany(bg, recs))(t)
}

func TestSchemaChanges(t *testing.T) {
	dir := t.TempDir()
	db := openDB(t, reopenBadger(t, dir), &person1{})
	const n = 2500 // more than two chunks
	seedPeople(t, db, n)
	check(t, db.Close())

	db = openDB(t, reopenBadger(t, dir))
	diff := must(db.Diff(bg, &person2{}))(t)
	if diff.Empty() || !strings.Contains(diff.String(), "Score") {
		t.Errorf("Diff = %v", diff)
	}
	check(t, db.Register(&person2{}))
	people := kivis.TableByID[person2](db)
	got := must(people.Get(bg, 7))(t)
	if got.Full != "p6" || got.Age != 6 || got.Comment != nil || got.Score != 0 || got.ID != 7 {
		t.Errorf("an old record reads as %+v", got)
	}
	age := kivis.FieldOf(func(p *person2) *int64 { return &p.Age })
	score := kivis.FieldOf(func(p *person2) *float64 { return &p.Score })
	q := people.Where(age.Eq(33))
	if plan := must(q.Explain())(t); !strings.Contains(plan.String(), "index range") {
		t.Errorf("the new index is not used: %v", plan)
	}
	if c := must(q.Count(bg))(t); c != 28 {
		t.Errorf("Count = %d, want 28", c)
	}
	if c := must(people.Where(score.Eq(0)).Count(bg))(t); c != n {
		t.Errorf("Count over the new field = %d, want %d", c, n)
	}
	_, err := people.Modify(bg, 7, func(p *person2) error { p.Where.City = "Rome"; p.Score = 1; return nil })
	check(t, err)
	check(t, people.Delete(bg, 8))
	_, err = people.Insert(bg, &person2{Full: "p6"})
	wantErr(t, err, kivis.ErrExists)
	mustBeClean(t, db)
	if again := must(db.Diff(bg, &person2{}))(t); !again.Empty() {
		t.Errorf("Diff after Register = %v", again)
	}
	check(t, db.Register(&person2{}))
	check(t, db.Close())

	db = openDB(t, reopenBadger(t, dir))
	err = db.Register(&person3{})
	var change *kivis.SchemaChangeError
	if !errors.As(err, &change) || change.Table != "people" || len(change.Changes) < 3 {
		t.Fatalf("error = %v, want a SchemaChangeError with every difference", err)
	}
	for _, word := range []string{"Age", "Full", "Comment", "key"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error does not mention %s:\n%v", word, err)
		}
	}
	// nothing has changed
	check(t, db.Register(&person2{}))
	people = kivis.TableByID[person2](db)
	if got := must(people.Get(bg, 7))(t); got.Where.City != "Rome" {
		t.Errorf("record = %+v", got)
	}
}

func TestOlderProgram(t *testing.T) {
	dir := t.TempDir()
	type old struct {
		_  struct{} `kivis:"table=things"`
		ID kivis.ID[old]
		A  string
	}
	type newer struct {
		_  struct{} `kivis:"table=things"`
		ID kivis.ID[newer]
		A  string
		B  string
	}
	db := openDB(t, reopenBadger(t, dir), &old{})
	must(kivis.TableByID[old](db).Insert(bg, &old{A: "a"}))(t)
	check(t, db.Close())
	db = openDB(t, reopenBadger(t, dir), &newer{})
	must(kivis.TableByID[newer](db).Insert(bg, &newer{A: "a", B: "b"}))(t)
	check(t, db.Close())

	db, err := kivis.Open(reopenBadger(t, dir), nil)
	check(t, err)
	var change *kivis.SchemaChangeError
	if err := db.Register(&old{}); !errors.As(err, &change) {
		t.Errorf("error = %v, want a SchemaChangeError: the program is older", err)
	}
	check(t, db.Close())
	db, err = kivis.Open(reopenBadger(t, dir), &kivis.Options{AllowOlder: true})
	check(t, err)
	defer db.Close()
	check(t, db.Register(&old{}))
	if got := must(kivis.TableByID[old](db).Get(bg, 2))(t); got.A != "a" {
		t.Errorf("record = %+v", got)
	}
	must(kivis.TableByID[old](db).Insert(bg, &old{A: "c"}))(t)
}

func TestUniqueOverDuplicates(t *testing.T) {
	type plain struct {
		_    struct{} `kivis:"table=things"`
		ID   kivis.ID[plain]
		Mail string
	}
	type unique struct {
		_    struct{} `kivis:"table=things"`
		ID   kivis.ID[unique]
		Mail string `kivis:"unique"`
		Note string
	}
	dir := t.TempDir()
	db := openDB(t, reopenBadger(t, dir), &plain{})
	must(kivis.TableByID[plain](db).InsertMany(bg, []plain{{Mail: "a"}, {Mail: "b"}, {Mail: "a"}}))(t)
	check(t, db.Close())
	db = openDB(t, reopenBadger(t, dir))
	var change *kivis.SchemaChangeError
	err := db.Register(&unique{})
	if !errors.As(err, &change) || !strings.Contains(err.Error(), "Mail") {
		t.Fatalf("error = %v, want a SchemaChangeError for Mail", err)
	}
	// the old program goes on as before, and may mend the data
	check(t, db.Register(&plain{}))
	table := kivis.TableByID[plain](db)
	_, err = table.Modify(bg, 3, func(p *plain) error { p.Mail = "c"; return nil })
	check(t, err)
	check(t, db.Close())
	db = openDB(t, reopenBadger(t, dir), &unique{})
	_, err = kivis.TableByID[unique](db).Insert(bg, &unique{Mail: "c"})
	wantErr(t, err, kivis.ErrExists)
}

func TestReferenceOverDanglers(t *testing.T) {
	type plain struct {
		_    struct{} `kivis:"table=things"`
		ID   kivis.ID[plain]
		Home IATA
	}
	type referring struct {
		_    struct{} `kivis:"table=things"`
		ID   kivis.ID[referring]
		Home IATA `kivis:"ref"`
	}
	dir := t.TempDir()
	db := openDB(t, reopenBadger(t, dir), &plain{}, &Airport{})
	must(kivis.TableBy[Airport, IATA](db).Insert(bg, &Airport{Code: "A"}))(t)
	must(kivis.TableByID[plain](db).InsertMany(bg, []plain{{Home: "A"}, {Home: "B"}}))(t)
	check(t, db.Close())
	db = openDB(t, reopenBadger(t, dir), &Airport{})
	err := db.Register(&referring{})
	var change *kivis.SchemaChangeError
	if !errors.As(err, &change) || !strings.Contains(err.Error(), "Home") || !strings.Contains(err.Error(), "B") {
		t.Fatalf("error = %v, want a SchemaChangeError for Home", err)
	}
	must(kivis.TableBy[Airport, IATA](db).Insert(bg, &Airport{Code: "B"}))(t)
	check(t, db.Register(&referring{}))
	wantErr(t, kivis.TableBy[Airport, IATA](db).Delete(bg, "B"), kivis.ErrReference)
}

// TestInterruptedBuild fails the store at every operation of a Register that
// builds and drops indexes: after each, a second Register finishes the work.
func TestInterruptedBuild(t *testing.T) {
	dir := t.TempDir()
	db := openDB(t, reopenBadger(t, dir), &person1{})
	seedPeople(t, db, 50)
	check(t, db.Close())
	for n := 0; ; n += 1 + n/4 {
		left := n
		fault := func(op faultstore.Op) error {
			if op.Kind == faultstore.Close || op.Kind == faultstore.Verify {
				return nil
			}
			if left--; left < 0 {
				return errInvalid
			}
			return nil
		}
		st := copyOf(t, dir)
		armed := false
		db, err := kivis.Open(faultstore.Wrap(st, func(op faultstore.Op) error {
			if !armed {
				return nil
			}
			return fault(op)
		}), nil)
		check(t, err)
		armed = true
		err = db.Register(&person2{})
		armed = false
		if err != nil {
			wantErr(t, err, errInvalid)
			if err := db.Register(&person2{}); err != nil {
				t.Fatalf("Register after a fault at operation %d: %v", n, err)
			}
		}
		mustBeClean(t, db)
		if c := must(kivis.TableByID[person2](db).Query().Count(bg))(t); c != 50 {
			t.Fatalf("%d records", c)
		}
		check(t, db.Close())
		if err == nil && left > 0 {
			break
		}
	}
}

// copyOf returns a store in memory with everything in the Badger store in dir.
func copyOf(t *testing.T, dir string) store.Store {
	t.Helper()
	from := reopenBadger(t, dir)
	defer from.Close()
	to := stores[0].open(t)
	src, dst := must(from.Begin(bg, false))(t), must(to.Begin(bg, true))(t)
	defer src.Discard()
	c := must(src.Scan(store.Range{}))(t)
	defer c.Close()
	for c.Next() {
		check(t, dst.Set(c.Key(), c.Value()))
	}
	check(t, c.Err())
	_, err := dst.Commit()
	check(t, err)
	return to
}

func TestForeignStore(t *testing.T) {
	st := stores[0].open(t)
	tx := must(st.Begin(bg, true))(t)
	check(t, tx.Set([]byte("k"), []byte("v")))
	must(tx.Commit())(t)
	if _, err := kivis.Open(st, nil); err == nil || !strings.Contains(err.Error(), "no Kivis database") {
		t.Errorf("error = %v", err)
	}
	for _, none := range []store.Store{nil, (*memstore.Store)(nil)} {
		if _, err := kivis.Open(none, nil); err == nil || !strings.Contains(err.Error(), "nil") {
			t.Errorf("Open(%#v): error = %v", none, err)
		}
	}
	if _, err := kivis.Open(stores[0].open(t), &kivis.Options{MaxAttempts: -1, Slow: -1}); err == nil || !strings.Contains(err.Error(), "Slow") {
		t.Errorf("error = %v, want both options named", err)
	}
}

func TestOneDBPerStore(t *testing.T) {
	for _, s := range stores {
		st := s.open(t)
		db := openDB(t, st, &User{})
		_, err := kivis.Open(st, nil)
		wantErr(t, err, kivis.ErrInUse)
		must(kivis.TableOf[User](db).Insert(bg, &User{}))(t) // it is still open
		check(t, db.Close())
		_, err = kivis.Open(st, nil)
		wantErr(t, err, kivis.ErrClosed)
		_, err = kivis.Open(st, nil)
		wantErr(t, err, kivis.ErrClosed)
	}
}

// TestBackgroundBuild writes and queries while an index is being built.
func TestBackgroundBuild(t *testing.T) {
	dir := t.TempDir()
	db := openDB(t, reopenBadger(t, dir), &person1{})
	const n = 3000
	seedPeople(t, db, n)
	check(t, db.Close())
	db, err := kivis.Open(reopenBadger(t, dir), &kivis.Options{BackgroundBuilds: true})
	check(t, err)
	defer db.Close()
	check(t, db.Register(&person2{}))
	people := kivis.TableByID[person2](db)
	age := kivis.FieldOf(func(p *person2) *int64 { return &p.Age })
	deadline := time.Now().Add(30 * time.Second)
	for i := 0; ; i++ {
		must(people.Insert(bg, &person2{Full: fmt.Sprint("new", i), Age: 500}))(t)
		q := people.Where(age.Eq(500))
		if c := must(q.Count(bg))(t); c != i+1 {
			t.Fatalf("Count = %d, want %d", c, i+1)
		}
		if plan := must(q.Explain())(t); strings.Contains(plan.String(), "index range") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the index did not become ready")
		}
	}
	mustBeClean(t, db)
}
