package kivis_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
)

// The structs of one table as releases of a program had them. The second
// release has renamed a field, and so on.
type (
	mail1 struct {
		_    struct{} `kivis:"table=r"`
		ID   int      `kivis:"key"`
		Mail string
	}
	mail2 struct {
		_     struct{} `kivis:"table=r"`
		ID    int      `kivis:"key"`
		Email string
	}
	mail2was struct {
		_     struct{} `kivis:"table=r"`
		ID    int      `kivis:"key"`
		Email string   `kivis:"was=Mail"`
	}
	mail2new struct {
		_     struct{} `kivis:"table=r"`
		ID    int      `kivis:"key"`
		Email string   `kivis:"new"`
	}
	mail3 struct {
		_       struct{} `kivis:"table=r"`
		ID      int      `kivis:"key"`
		Address string   `kivis:"was=Email"`
	}
	mail3was struct {
		_       struct{} `kivis:"table=r"`
		ID      int      `kivis:"key"`
		Address string   `kivis:"was=Email|Mail"`
	}
	mailFull struct {
		_    struct{} `kivis:"table=r"`
		ID   int      `kivis:"key"`
		Mail string
		Full string
	}
	mailSwap struct {
		_    struct{} `kivis:"table=r"`
		ID   int      `kivis:"key"`
		Mail string   `kivis:"was=Full"`
	}
	mailBack struct {
		_    struct{} `kivis:"table=r,removed=Full"`
		ID   int      `kivis:"key"`
		Mail string
	}
	r struct {
		ID   int `kivis:"key"`
		Mail string
	}
	mailType struct {
		ID   int `kivis:"key"`
		Mail string
	}
)

func TestRenamedFields(t *testing.T) {
	for _, test := range []struct {
		name       string
		first      []any // registered one after the other, a record inserted by the first
		empty      bool  // of what the new or gone field would lose
		then       any
		want, text string // what a refusal says
		log        string
	}{
		{name: "forgot was=", first: []any{&mail1{}}, then: &mail2{}, want: "refused", text: "was=Mail"},
		{name: "forgot was=, no values", first: []any{&mail1{}}, empty: true, then: &mail2{}, log: "field=Mail"},
		{name: "was=", first: []any{&mail1{}}, then: &mail2was{}},
		{name: "new", first: []any{&mail1{}}, then: &mail2new{}, log: "field=Mail"},
		{name: "skipped a release", first: []any{&mail1{}}, then: &mail3{}, want: "refused", text: "was=Mail|Email"},
		{name: "skipped a release, all names", first: []any{&mail1{}}, then: &mail3was{}},
		{name: "all names, in order", first: []any{&mail1{}, &mail2was{}}, then: &mail3was{}},
		{name: "takes the place of another", first: []any{&mail1{}, &mailFull{}}, then: &mailSwap{}, want: "refused", text: "name=NEW,was=Full"},
		{name: "the newest field out again", first: []any{&mail1{}, &mailFull{}}, then: &mail1{}, want: "refused", text: "removed=Full"},
		{name: "the newest field out on purpose", first: []any{&mail1{}, &mailFull{}}, then: &mailBack{}, log: "field=Full"},
		{name: "a renamed type", first: []any{&r{}}, then: &mailType{}, want: "refused", text: "table=r"},
		{name: "a renamed type, no records", first: []any{&r{}}, empty: true, then: &mailType{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			st := kept{stores[0].open(t)}
			for i, rec := range test.first {
				db, _ := openLogged(t, st)
				check(t, db.Register(rec))
				if i == 0 {
					seedMail(t, db, test.empty)
				}
				check(t, db.Close())
			}
			db, log := openLogged(t, st)
			before := must(db.Diff(bg, test.then))(t).String()
			err := db.Register(test.then)
			var change *kivis.SchemaChangeError
			switch {
			case test.want != "" && (!errors.As(err, &change) || !strings.Contains(err.Error(), test.text)):
				t.Errorf("error = %v, want one that says %s", err, test.text)
			case test.want != "" && !strings.Contains(before, test.text):
				t.Errorf("Diff = %v, want one that says %s", before, test.text)
			case test.want == "":
				check(t, err)
			}
			if got := log.String(); !strings.Contains(got, test.log) || test.log == "" && got != "" {
				t.Errorf("log = %s, want %s", got, test.log)
			}
			if test.log != "" && !strings.Contains(before, "removed field") {
				t.Errorf("Diff = %v, want the field that is gone", before)
			}
			wantMail(t, db, err, test.empty)
			check(t, db.Close())
		})
	}
}

// openLogged opens a database and returns what it logs.
func openLogged(t *testing.T, st store.Store) (*kivis.DB, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	db, err := kivis.Open(st, &kivis.Options{Logger: slog.New(slog.NewTextHandler(log, nil))})
	check(t, err)
	return db, log
}

func seedMail(t *testing.T, db *kivis.DB, empty bool) {
	t.Helper()
	table := kivis.TableNamed(db, "r")
	if empty && db.Tables()[0].Type.Name() == "r" {
		return
	}
	rec := table.New()
	check(t, rec.Set("ID", 1))
	if !empty {
		check(t, rec.Set("Mail", "a@x"))
	}
	must(table.Insert(bg, rec))(t)
}

// wantMail reads the record by whatever name the field has, where it was kept.
func wantMail(t *testing.T, db *kivis.DB, refused error, empty bool) {
	t.Helper()
	if empty {
		return
	}
	table := kivis.TableNamed(db, "r")
	rec := must(table.Get(bg, must(table.KeyOf(1))(t)))(t)
	for _, name := range []string{"Mail", "Address", "Email"} {
		if v, ok := rec.Get(name); ok == nil {
			if v != "a@x" && !strings.Contains(t.Name(), "/new") {
				t.Errorf("%s is %q after %v", name, v, refused)
			}
			return
		}
	}
}
