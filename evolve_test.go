package kivis_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/schema"
)

// Versions of a record type, whose table is ev.
type (
	evBase struct {
		_    struct{} `kivis:"table=ev"`
		ID   int      `kivis:"key"`
		Name string
		Size int8
		Ptr  *int
	}
	evNew struct {
		_    struct{} `kivis:"table=ev"`
		ID   int      `kivis:"key"`
		Name string
		Size int8
		Ptr  *int
		Flag bool
	}
	evReordered struct {
		_    struct{} `kivis:"table=ev"`
		Ptr  *int
		Name string
		Size int8
		ID   int `kivis:"key"`
	}
	evGone struct {
		_    struct{} `kivis:"table=ev,removed=Name"`
		ID   int      `kivis:"key"`
		Size int8
		Ptr  *int
	}
	evWide struct {
		_    struct{} `kivis:"table=ev"`
		ID   int      `kivis:"key"`
		Name string
		Size int64
		Ptr  *int
	}
	evPointer struct {
		_    struct{} `kivis:"table=ev"`
		ID   int      `kivis:"key"`
		Name *string  `kivis:"index"`
		Size *int64
		Ptr  *int
	}
	evValue struct {
		_    struct{} `kivis:"table=ev"`
		ID   int      `kivis:"key"`
		Name string
		Size int8
		Ptr  int
	}
	evRenamed struct {
		_     struct{} `kivis:"table=ev"`
		ID    int      `kivis:"key"`
		Title string   `kivis:"was=Label|Name"`
		Size  int8
		Ptr   *int
	}
	evSuspect struct {
		_     struct{} `kivis:"table=ev"`
		ID    int      `kivis:"key"`
		Title string
		Size  int8
		Ptr   *int
	}
	evIndexed struct {
		_    struct{} `kivis:"table=ev,index=both(Name,-Size)"`
		ID   int      `kivis:"key"`
		Name string
		Size int8 `kivis:"index"`
		Ptr  *int
	}
	evType struct {
		_    struct{} `kivis:"table=ev"`
		ID   int      `kivis:"key"`
		Name []byte
		Size int8
		Ptr  *int
	}
	evKey struct {
		_    struct{} `kivis:"table=ev"`
		ID   int
		Name string `kivis:"key"`
		Size int8
		Ptr  *int
	}
)

// Versions of a program that gives its table another name, and refers to it.
type (
	place1 struct {
		_    struct{} `kivis:"table=place"`
		Code string   `kivis:"key"`
		Name string
	}
	visit1 struct {
		_    struct{} `kivis:"table=visit"`
		ID   int      `kivis:"key"`
		Code string   `kivis:"ref=place"`
	}
	place2 struct {
		_    struct{} `kivis:"table=site,was=spot|place"`
		Code string   `kivis:"key"`
		Name string
		City string
	}
	visit2 struct {
		_    struct{} `kivis:"table=visit"`
		ID   int      `kivis:"key"`
		Code string   `kivis:"ref=site"`
	}
	place2Bare struct {
		_    struct{} `kivis:"table=site"`
		Code string   `kivis:"key"`
		Name string
		City string
	}
	placeOther struct {
		_    struct{} `kivis:"table=place"`
		Mark int      `kivis:"key"`
	}
)

// TestTableRenames: a table goes on under its new name, with all that refers to
// it; records under both names are refused, and so is an older program.
func TestTableRenames(t *testing.T) {
	for _, test := range []struct {
		name  string
		bare  bool // the new name is registered without was= first
		full  bool // and gets a record
		class schema.Class
		text  string
		sites []string
		older string // what the program before is told
	}{
		{"renamed", false, false, schema.NothingToDo, "site: renamed table: was place", []string{`{"Code":"A","Name":"a","City":""}`},
			"the table is named site now"},
		{"with an empty one in the place", true, false, schema.NothingToDo, "removed table: an empty one", []string{`{"Code":"A","Name":"a","City":""}`},
			"the table is named site now"},
		{"records under both", true, true, schema.Refused, "ambiguous rename: there are records both under site and under its former name (was=spot|place)",
			[]string{`{"Code":"B","Name":"b","City":"c"}`}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			st := kept{stores[0].open(t)}
			db, _ := openLogged(t, st)
			check(t, db.Register(&place1{}, &visit1{}))
			putJSON(t, db, "place", `{"Code":"A","Name":"a"}`)
			putJSON(t, db, "visit", `{"ID":1,"Code":"A"}`)
			if test.bare {
				check(t, db.Register(&place2Bare{}))
			}
			if test.full {
				putJSON(t, db, "site", `{"Code":"B","Name":"b","City":"c"}`)
			}
			check(t, db.Close())
			db, _ = openLogged(t, st)
			registerAll(t, db, test.class, test.text, &place2{}, &visit2{})
			wantJSON(t, db, "site", test.sites...)
			if test.class != schema.Refused {
				wantErr(t, kivis.TableNamed(db, "site").Delete(bg, must(kivis.TableNamed(db, "site").Key("A"))(t)), kivis.ErrReference)
				check(t, db.Register(&place2{}, &visit2{})) // was= may stay
			}
			mustBeClean(t, db)
			check(t, db.Close())
			db, _ = openLogged(t, st)
			if err := db.Register(&place1{}, &visit1{}); test.older == "" {
				check(t, err)
			} else if err == nil || !strings.Contains(err.Error(), test.older) {
				t.Errorf("the program before: error = %v, want one that says %s", err, test.older)
			}
			if test.class != schema.Refused {
				check(t, db.Register(&place2{}, &placeOther{})) // the former name is free
			}
			check(t, db.Close())
		})
	}
}

// evRecords are records of evBase: one whose Ptr is nil, and one that is not.
var (
	evOne = []string{`{"ID":1,"Name":"a","Size":-3,"Ptr":7}`}
	evTwo = append(evOne[:1:1], `{"ID":2,"Name":"","Size":0,"Ptr":null}`)
)

// evolutions hold the rows of the guide's table of changes: what a first version
// of a program writes, what the Diff of others says in turn, and what the last
// one reads.
var evolutions = []struct {
	name     string
	wrote    []string
	then     []any // after evBase
	class    schema.Class
	text     string // in the last one's Diff, and in the refusal
	want     []string
	backAs   schema.Class // of evBase again
	backText string
}{
	{"field new", evTwo, []any{&evNew{}}, schema.NothingToDo, "new field Flag: bool (nothing to do, 2 records)", []string{
		`{"ID":1,"Name":"a","Size":-3,"Ptr":7,"Flag":false}`, `{"ID":2,"Name":"","Size":0,"Ptr":null,"Flag":false}`}, schema.Refused, "removed=Flag"},
	{"field gone", evTwo, []any{&evGone{}}, schema.NothingToDo, "removed field Name: string (nothing to do, 1 record)", []string{
		`{"ID":1,"Size":-3,"Ptr":7}`, `{"ID":2,"Size":0,"Ptr":null}`}, schema.NothingToDo, "restored field Name: string"},
	{"field gone and there again", evTwo, []any{&evGone{}, &evBase{}}, schema.NothingToDo, "restored field Name: string", evTwo, schema.NothingToDo, ""},
	{"fields reordered", evTwo, []any{&evReordered{}}, schema.NothingToDo, "reordered fields (nothing to do, 2 records)", []string{
		`{"Ptr":7,"Name":"a","Size":-3,"ID":1}`, `{"Ptr":null,"Name":"","Size":0,"ID":2}`}, schema.NothingToDo, "reordered"},
	{"number widened", evTwo, []any{&evWide{}}, schema.NothingToDo, "widened field Size: int8 to int64", evTwo, schema.Refused, "older program"},
	{"T to *T, indexed", evTwo, []any{&evPointer{}}, schema.Build, "value is a pointer Name: string to *string", evTwo, schema.Refused, "older program"},
	{"*T to T", evOne, []any{&evValue{}}, schema.NothingToDo, "pointer is a value Ptr", evOne, schema.Refused, "older program"},
	{"*T to T, and a nil", evTwo, []any{&evValue{}}, schema.Refused, "pointer is a value Ptr: it is nil in the stored records 2 (refused, 1 record)", evTwo, schema.NothingToDo, ""},
	{"field renamed", evTwo, []any{&evRenamed{}}, schema.NothingToDo, "renamed field Title: was Name", []string{
		`{"ID":1,"Title":"a","Size":-3,"Ptr":7}`, `{"ID":2,"Title":"","Size":0,"Ptr":null}`}, schema.Refused, "Title instead of Name"},
	{"field renamed, two versions late", evTwo, []any{&evGone{}, &evRenamed{}}, schema.NothingToDo, "restored field Title", []string{
		`{"ID":1,"Title":"a","Size":-3,"Ptr":7}`, `{"ID":2,"Title":"","Size":0,"Ptr":null}`}, schema.Refused, "older program"},
	{"suspected rename", evTwo, []any{&evSuspect{}}, schema.Refused, "`kivis:\"was=Name\"`", evTwo, schema.NothingToDo, ""},
	{"index new", evTwo, []any{&evIndexed{}}, schema.Build, "new index both: index=both(Name,-Size) (build, 2 records)", evTwo, schema.NothingToDo, "removed index"},
	{"type changed otherwise", evTwo, []any{&evType{}}, schema.Refused, "changed type Name: string to []byte (refused, 2 records)", evTwo, schema.NothingToDo, ""},
	{"key changed", evTwo, []any{&evKey{}}, schema.Refused, "changed key", evTwo, schema.NothingToDo, ""},
}

// TestEvolutions: what version A wrote, version B reads, or the refusal says why
// not and nothing has changed; and then A comes back.
func TestEvolutions(t *testing.T) {
	for _, test := range evolutions {
		t.Run(test.name, func(t *testing.T) {
			st := kept{stores[0].open(t)}
			db, _ := openLogged(t, st)
			check(t, db.Register(&evBase{}))
			putJSON(t, db, "ev", test.wrote...)
			for i, then := range test.then {
				check(t, db.Close())
				db, _ = openLogged(t, st)
				last := i == len(test.then)-1
				registerAs(t, db, then, last, test.class, test.text)
			}
			wantJSON(t, db, "ev", test.want...)
			mustBeClean(t, db)
			check(t, db.Close())
			db, _ = openLogged(t, st)
			registerAs(t, db, &evBase{}, true, test.backAs, test.backText)
			if test.backAs == schema.NothingToDo {
				wantJSON(t, db, "ev", test.wrote...)
			}
			mustBeClean(t, db)
			check(t, db.Close())
		})
	}
}

// registerAs registers a record type and, where strict is set, holds its Diff
// and what becomes of it against a class and a text.
func registerAs(t *testing.T, db *kivis.DB, record any, strict bool, class schema.Class, text string) {
	t.Helper()
	if !strict {
		check(t, db.Register(record))
		return
	}
	registerAll(t, db, class, text, record)
}

// registerAll registers records and holds the Diff, and what becomes of it,
// against a class and a text.
func registerAll(t *testing.T, db *kivis.DB, class schema.Class, text string, records ...any) {
	t.Helper()
	diff := must(db.Diff(bg, records...))(t)
	err := db.Register(records...)
	if diff.Class() != class || !strings.Contains(diff.String(), text) {
		t.Errorf("the Diff of %T is %v, want %v with %q:\n%s", records, diff.Class(), class, text, diff)
	}
	var change *kivis.SchemaChangeError
	switch {
	case class != schema.Refused:
		check(t, err)
	case !errors.As(err, &change) || !strings.Contains(err.Error(), strings.Split(text, " (refused")[0]):
		t.Errorf("Register of %T: error = %v, want a SchemaChangeError with %q", records, err, text)
	}
}

// putJSON puts records, as JSON, into a table.
func putJSON(t *testing.T, db *kivis.DB, table string, records ...string) {
	t.Helper()
	tb := kivis.TableNamed(db, table)
	for _, text := range records {
		rec := tb.New()
		check(t, rec.UnmarshalJSON([]byte(text)))
		must(tb.Put(bg, rec))(t)
	}
}

// wantJSON holds all records of a table, as JSON, against those that are wanted.
func wantJSON(t *testing.T, db *kivis.DB, table string, want ...string) {
	t.Helper()
	var got []string
	for rec, err := range kivis.TableNamed(db, table).Query().All(bg) {
		check(t, err)
		got = append(got, string(must(rec.MarshalJSON())(t)))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the records are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
