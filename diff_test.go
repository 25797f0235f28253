package kivis_test

import (
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/schema"
)

type (
	diff1 struct {
		_ struct{} `kivis:"table=things"`
		kivis.Auto[diff1]
		Name, Note string
		Size       int
		Bad        string
	}
	diff2 struct {
		_ struct{} `kivis:"table=things"`
		kivis.Auto[diff2]
		Name  string `kivis:"index"`
		Title string // is Note, but does not say so
		Size  int64
		Bad   int
	}
	diff3 struct {
		_ struct{} `kivis:"table=things"`
		kivis.Auto[diff3]
		Name string `kivis:"index"`
		Size int64
		Flag bool
	}
)

// TestDiffClasses: a Diff says of each difference what is to be done, and how
// many records it concerns, and does nothing.
func TestDiffClasses(t *testing.T) {
	full := kept{stores[0].open(t)}
	db := openDB(t, full, &diff1{})
	things := kivis.TableByID[diff1](db)
	for i := range 5 {
		d := &diff1{Name: "n", Bad: "b"}
		if i < 2 {
			d.Note = "note"
		}
		must(things.Insert(bg, d))(t)
	}
	check(t, db.Close())
	db = openDB(t, full)
	empty := kept{stores[0].open(t)}
	check(t, openDB(t, empty, &diff1{}).Close())
	for _, test := range []struct {
		name   string
		db     *kivis.DB
		record any
		class  schema.Class
		want   string
	}{
		{"refused", db, &diff2{}, schema.Refused, `things: new field Title: string (nothing to do, 5 records)
things: changed type Bad: string to int64 (refused, 5 records); keep string, or add a field of another name and fill it from this one, or pass Register a migration
` + "things: suspected rename Title: Note is gone, Title is new and of the same type, string, and stored records hold values (refused, 2 records); if Note has become Title, tag that `kivis:\"was=Note\"`; if it really is another field, tag it `kivis:\"new\"`" + `
things: new index Name: index=Name(Name) (build, 5 records)
`},
		{"build", db, &diff3{}, schema.Build, `things: new field Flag: bool (nothing to do, 5 records)
things: removed field Note: string (nothing to do, 2 records)
things: removed field Bad: string (nothing to do, 5 records)
things: new index Name: index=Name(Name) (build, 5 records)
`},
		{"no records", openDB(t, empty), &diff3{}, schema.Build, `things: new field Flag: bool (nothing to do)
things: removed field Note: string (nothing to do)
things: removed field Bad: string (nothing to do)
things: new index Name: index=Name(Name) (build)
`},
		{"nothing", db, &diff1{}, schema.NothingToDo, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for range 2 {
				d := must(test.db.Diff(bg, test.record))(t)
				if got := d.String(); got != test.want || d.Class() != test.class {
					t.Errorf("Diff is %v:\n%s\nwant %v:\n%s", d.Class(), got, test.class, test.want)
				}
			}
		})
	}
}
