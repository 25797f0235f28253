package migrate_test

import (
	"database/sql"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store/memstore"
)

// What releases stored as structs before nullables were values of their own, and what
// the same fields are now. The structs of the first have no methods, so that they are
// stored as those of package sql were then.
type (
	nullOld struct {
		_    struct{} `kivis:"table=nulls,index=age(Age)"`
		ID   int      `kivis:"key"`
		Name struct {
			String string
			Valid  bool
		}
		Age struct {
			V     int64
			Valid bool
		}
		Seen struct {
			Time  time.Time
			Valid bool
		}
		List []struct {
			Float64 float64
			Valid   bool
		}
		Box struct {
			V     struct{ A, B int }
			Valid bool
		}
	}
	nullNew struct {
		_    struct{}       `kivis:"table=nulls,index=age(Age)"`
		ID   int            `kivis:"key"`
		Name sql.NullString `kivis:"unique"`
		Age  sql.Null[int64]
		Seen sql.NullTime
		List []sql.NullFloat64
		Box  sql.Null[struct{ A, B int }]
	}
	nullCustom struct {
		_     struct{} `kivis:"table=nulls"`
		ID    int      `kivis:"key"`
		Name  string
		Known bool
	}
)

// TestNullStructs reads a database in which sql.NullString and its like are structs.
func TestNullStructs(t *testing.T) {
	ctx := t.Context()
	st := kept{memstore.New()}
	db := open(t, st, nil, &nullOld{})
	var want []nullNew
	seen := time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC)
	for i := range 1500 {
		o := nullOld{ID: i}
		n := nullNew{ID: i, List: []sql.NullFloat64{{Float64: 1.5, Valid: true}, {}}}
		o.List = make([]struct {
			Float64 float64
			Valid   bool
		}, 2)
		o.List[0].Float64, o.List[0].Valid = 1.5, true
		o.Name.String = strings.Repeat("n", i%7) + string(rune('a'+i))
		if i%2 == 0 { // else there is a value that is not valid, which was never to be seen
			o.Name.Valid, n.Name = true, sql.NullString{String: o.Name.String, Valid: true}
		}
		if i%3 == 0 {
			o.Age.V, o.Age.Valid, n.Age = int64(i%10), true, sql.Null[int64]{V: int64(i % 10), Valid: true}
			o.Seen.Time, o.Seen.Valid, n.Seen = seen, true, sql.NullTime{Time: seen, Valid: true}
			o.Box.V.A, o.Box.Valid, n.Box.V.A, n.Box.Valid = i, true, i, true
		}
		must(kivis.TableBy[nullOld, int](db).Insert(ctx, &o))(t)
		want = append(want, n)
	}
	check(t, db.Close())

	db = open(t, st, nil)
	diff := must(db.Diff(ctx, &nullNew{}))(t)
	if text := diff.String(); diff.Class() != schema.Build || !strings.Contains(text, "value or nothing Name: a struct of a value and Valid") || strings.Contains(text, "removed field") {
		t.Errorf("Diff:\n%s", text)
	}
	check(t, db.Register(&nullNew{}))
	rows := kivis.TableBy[nullNew, int](db)
	for round := range 2 { // as they were stored, and rewritten
		n := 0
		for got, err := range rows.All(ctx) {
			if check(t, err); !reflect.DeepEqual(got, want[n]) {
				t.Fatalf("round %d: record %d is %+v, want %+v", round, n, got, want[n])
			}
			n++
		}
		if n != len(want) {
			t.Errorf("%d records", n)
		}
		if got := must(rows.WhereText("Age = 3").Using("age").Count(ctx))(t); got != 50 {
			t.Errorf("%d records with the age of 3, want 50", got)
		}
		if got := must(rows.WhereText("Name is nil").Count(ctx))(t); got != 750 {
			t.Errorf("%d records without a name, want 750", got)
		}
		clean(t, db)
		check(t, db.Register(&nullNew{}, kivis.Rewrite[nullNew]()))
	}
	check(t, db.Close())

	db = open(t, st, nil)
	if err := db.Register(&nullOld{}); err == nil || !strings.Contains(err.Error(), "changed type Name") {
		t.Errorf("the program before: %v", err)
	}
	check(t, db.Close())
}

// TestNullStructMigrated gets the value of one that is not valid, by a function.
func TestNullStructMigrated(t *testing.T) {
	ctx := t.Context()
	st := kept{memstore.New()}
	db := open(t, st, nil, &nullOld{})
	o := nullOld{ID: 1}
	o.Name.String = "hidden"
	must(kivis.TableBy[nullOld, int](db).Insert(ctx, &o))(t)
	check(t, db.Close())
	db = open(t, st, nil, &nullCustom{}, kivis.Migrate(func(o nullOld) (nullCustom, error) {
		return nullCustom{ID: o.ID, Name: o.Name.String, Known: o.Name.Valid}, nil
	}))
	if got := must(kivis.TableBy[nullCustom, int](db).Get(ctx, 1))(t); got.Name != "hidden" || got.Known {
		t.Errorf("the record is %+v", got)
	}
	clean(t, db)
	check(t, db.Close())
}
