package migrate_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store/memstore"
)

// Versions of a record whose table is rv, beside those of TestEvolutions.
type (
	rvBase struct {
		_    struct{} `kivis:"table=rv"`
		ID   int      `kivis:"key"`
		Name string   `kivis:"index"`
		Note string
		Size int8
	}
	rvHome struct {
		_    struct{} `kivis:"table=rv,index=name(Home.Name)"`
		ID   int      `kivis:"key"`
		Home struct {
			Name string `kivis:"was=.Name"`
		}
		Note string
		Size int8
	}
	rvOut struct {
		_    struct{} `kivis:"table=rv"`
		ID   int      `kivis:"key"`
		Name string   `kivis:"was=Home.Name"`
		Note string
		Size int8
	}
	rvHomeBare struct {
		_    struct{} `kivis:"table=rv"`
		ID   int      `kivis:"key"`
		Home struct{ Name string }
		Note string
		Size int8
	}
	rvPlain struct {
		_    struct{} `kivis:"table=rv"`
		ID   int      `kivis:"key"`
		Name string
		Note string
		Size int8
	}
	rvUnique struct {
		_    struct{} `kivis:"table=rv"`
		ID   int      `kivis:"key"`
		Name string   `kivis:"unique"`
		Note string   `kivis:"unique"`
		Size int8
	}
	rvFunc struct {
		_    struct{} `kivis:"table=rv"`
		ID   int      `kivis:"key"`
		Name []string `kivis:"index,each"`
		Note string
		Size int8
	}
	rvKey struct {
		_    struct{} `kivis:"table=rv"`
		Note string   `kivis:"key"`
		ID   int
		Name string `kivis:"index"`
		Size int8
	}
	RvBase struct { // the type of rv under another name, without table=
		ID   int    `kivis:"key"`
		Name string `kivis:"index"`
		Note string
		Size int8
	}
	// The second and the third version of a record, of which many programs have never
	// run the second.
	rvSecond struct {
		_     struct{} `kivis:"table=rv"`
		ID    int      `kivis:"key"`
		Title string   `kivis:"was=Name,index"`
		Note  string
		Size  int32
		More  int
	}
	rvThird struct {
		_    struct{} `kivis:"table=rows2,was=rv"`
		ID   int      `kivis:"key"`
		Text struct {
			Heading *string `kivis:"was=.Title|.Name"`
		}
		Size int64 `kivis:"index"`
		More int
		Last bool
		Note string
	}
	rvChild struct {
		_     struct{} `kivis:"table=child"`
		ID    int      `kivis:"key"`
		Owner int
	}
	rvChildRef struct {
		_     struct{} `kivis:"table=child"`
		ID    int      `kivis:"key"`
		Owner int      `kivis:"ref=rv"`
	}
	rvChildCascade struct {
		_     struct{} `kivis:"table=child"`
		ID    int      `kivis:"key"`
		Owner int      `kivis:"ref=rv,ondelete=cascade"`
	}
	rvWord struct {
		_    struct{} `kivis:"table=rv"`
		ID   int      `kivis:"key"`
		Name word
	}
	rvTerm struct {
		_    struct{} `kivis:"table=rv"`
		ID   int      `kivis:"key"`
		Name term
	}
	rvLoud struct {
		_    struct{} `kivis:"table=rv"`
		ID   int      `kivis:"key"`
		Name loud
	}
)

// word, term and loud marshal themselves; the last has another form.
type word struct{ text string }

func (w word) MarshalText() ([]byte, error)     { return []byte(w.text), nil }
func (w *word) UnmarshalText(text []byte) error { w.text = string(text); return nil }

type term struct{ text string }

func (w term) MarshalText() ([]byte, error)     { return []byte(w.text), nil }
func (w *term) UnmarshalText(text []byte) error { w.text = string(text); return nil }

type loud struct{ text string }

func (w loud) MarshalText() ([]byte, error)     { return []byte(strings.ToUpper(w.text)), nil }
func (w *loud) UnmarshalText(text []byte) error { w.text = string(text); return nil }

func rvToFunc(r rvBase) (rvFunc, error) {
	return rvFunc{ID: r.ID, Name: strings.Fields(r.Name), Note: r.Note, Size: r.Size}, nil
}

func rvToKey(r rvBase) (rvKey, error) {
	return rvKey{ID: r.ID, Name: r.Name, Note: r.Note, Size: r.Size}, nil
}

var (
	rvRows  = []string{`{"ID":1,"Name":"a b","Note":"x","Size":-3}`, `{"ID":2,"Name":"","Note":"y","Size":100}`}
	rvSame  = []string{`{"ID":1,"Name":"a b","Note":"x","Size":-3}`, `{"ID":2,"Name":"a b","Note":"y","Size":0}`}
	rvWords = []string{`{"ID":1,"Name":"a"}`}
)

// rows are the rows of the guide's table of changes that TestEvolutions has not, and
// versions that are skipped: what a first version writes, what the Diff of another says,
// what it reads, and what the first one is told when it comes back.
var rows = []struct {
	name    string
	a       []any
	table   string
	wrote   []string
	others  []string // records of child
	b       []any
	class   schema.Class
	text    string
	reads   string // the table, afterwards
	want    []string
	back    schema.Class
	backHas string
}{
	{"a field moved into a struct", []any{&rvBase{}}, "rv", rvRows, nil, []any{&rvHome{}}, schema.Build, "moved field Home.Name: was Name", "rv",
		[]string{`{"ID":1,"Home":{"Name":"a b"},"Note":"x","Size":-3}`, `{"ID":2,"Home":{"Name":""},"Note":"y","Size":100}`}, schema.Refused, "Home"},
	{"and without was=", []any{&rvBase{}}, "rv", rvRows, nil, []any{&rvHomeBare{}}, schema.Refused, "suspected move Home.Name", "rv", rvRows, schema.NothingToDo, ""},
	{"a field moved out of a struct", []any{&rvHomeBare{}}, "rv", []string{`{"ID":1,"Home":{"Name":"a"},"Note":"x","Size":-3}`}, nil, []any{&rvOut{}}, schema.NothingToDo,
		"moved field Name: was Home.Name", "rv", []string{`{"ID":1,"Name":"a","Note":"x","Size":-3}`}, schema.Refused, "Name"},
	{"the record's type renamed", []any{&rvPlain{}}, "rv", rvRows, nil, []any{&rvBase{}}, schema.Build, "new index Name", "rv", rvRows, schema.NothingToDo, "removed index"},
	{"and without table=", []any{&rvBase{}}, "rv", rvRows, nil, []any{&RvBase{}}, schema.Refused, "suspected rename", "rv", rvRows, schema.NothingToDo, ""},
	{"an index dropped", []any{&rvBase{}}, "rv", rvRows, nil, []any{&rvPlain{}}, schema.NothingToDo, "removed index Name", "rv", rvRows, schema.Build, "new index Name"},
	{"an index that is unique, and is not", []any{&rvPlain{}}, "rv", rvSame, nil, []any{&rvUnique{}}, schema.Refused, "records 1 and 2 have the same value", "rv", rvSame, schema.NothingToDo, ""},
	{"an index that is unique", []any{&rvPlain{}}, "rv", rvRows, nil, []any{&rvUnique{}}, schema.Build, "new index Note", "rv", rvRows, schema.NothingToDo, "removed index"},
	{"a reference added", []any{&rvBase{}, &rvChild{}}, "rv", rvRows, []string{`{"ID":1,"Owner":2}`}, []any{&rvBase{}, &rvChildRef{}}, schema.Build, "new reference", "child",
		[]string{`{"ID":1,"Owner":2}`}, schema.NothingToDo, "removed reference"},
	{"and broken", []any{&rvBase{}, &rvChild{}}, "rv", rvRows, []string{`{"ID":1,"Owner":7}`}, []any{&rvBase{}, &rvChildRef{}}, schema.Refused, "record 1 refers to rv 7", "child",
		[]string{`{"ID":1,"Owner":7}`}, schema.NothingToDo, ""},
	{"a delete rule changed", []any{&rvBase{}, &rvChildRef{}}, "rv", rvRows, []string{`{"ID":1,"Owner":2}`}, []any{&rvBase{}, &rvChildCascade{}}, schema.NothingToDo, "cascade", "child",
		[]string{`{"ID":1,"Owner":2}`}, schema.NothingToDo, "restrict"},
	{"another type that marshals itself", []any{&rvWord{}}, "rv", rvWords, nil, []any{&rvTerm{}}, schema.NothingToDo, "changed marshaler Name", "rv", rvWords, schema.NothingToDo, "changed marshaler"},
	{"and has another form", []any{&rvWord{}}, "rv", rvWords, nil, []any{&rvLoud{}}, schema.Refused, "record 1 does not come back the same", "rv", rvWords, schema.NothingToDo, ""},
	{"a field split by a function", []any{&rvBase{}}, "rv", rvRows, nil, []any{&rvFunc{}, kivis.Migrate(rvToFunc)}, schema.Rewrite, "migration", "rv",
		[]string{`{"ID":1,"Name":["a","b"],"Note":"x","Size":-3}`, `{"ID":2,"Name":[],"Note":"y","Size":100}`}, schema.Refused, "changed type Name"},
	{"another key by a function", []any{&rvBase{}}, "rv", rvRows, nil, []any{&rvKey{}, kivis.Migrate(rvToKey)}, schema.Rewrite, "changed key", "rv",
		[]string{`{"Note":"x","ID":1,"Name":"a b","Size":-3}`, `{"Note":"y","ID":2,"Name":"","Size":100}`}, schema.Refused, "changed key"},
	{"no longer registered", []any{&rvBase{}, &rvChildRef{}}, "rv", rvRows, []string{`{"ID":1,"Owner":2}`}, []any{&rvChildRef{}}, schema.NothingToDo, "", "rv", rvRows, schema.NothingToDo, ""},
	{"the second version", []any{&rvBase{}}, "rv", rvRows, nil, []any{&rvSecond{}}, schema.NothingToDo, "widened field Size", "rv",
		[]string{`{"ID":1,"Title":"a b","Note":"x","Size":-3,"More":0}`, `{"ID":2,"Title":"","Note":"y","Size":100,"More":0}`}, schema.Refused, "older program"},
	{"the third after the second", []any{&rvSecond{}}, "rv", []string{`{"ID":1,"Title":"a b","Note":"x","Size":-70000,"More":5}`}, nil, []any{&rvThird{}}, schema.Build, "moved field Text.Heading: was Title", "rows2",
		[]string{`{"ID":1,"Text":{"Heading":"a b"},"Size":-70000,"More":5,"Last":false,"Note":"x"}`}, schema.Refused, "the table is named rows2 now"},
	{"the third, and never the second", []any{&rvBase{}}, "rv", rvRows, nil, []any{&rvThird{}}, schema.Build, "moved field Text.Heading: was Name", "rows2",
		[]string{`{"ID":1,"Text":{"Heading":"a b"},"Size":-3,"More":0,"Last":false,"Note":"x"}`, `{"ID":2,"Text":{"Heading":""},"Size":100,"More":0,"Last":false,"Note":"y"}`}, schema.Refused, "the table is named rows2 now"},
}

// TestRows: what version A wrote, version B reads, or the refusal says why not and
// nothing has changed; and then A comes back where it may.
func TestRows(t *testing.T) {
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			st := kept{memstore.New()}
			db := open(t, st, nil, row.a...)
			putTexts(t, db, row.table, row.wrote)
			putTexts(t, db, "child", row.others)
			check(t, db.Close())

			db = open(t, st, nil)
			registerAs(t, db, row.class, row.text, row.b)
			if got := textsOf(t, db, row.reads); !slices.Equal(got, row.want) {
				t.Errorf("B reads\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(row.want, "\n"))
			}
			clean(t, db)
			check(t, db.Close())

			db = open(t, st, nil)
			registerAs(t, db, row.back, row.backHas, row.a)
			if row.back != schema.Refused {
				if got := textsOf(t, db, row.table); !slices.Equal(got, row.wrote) {
					t.Errorf("A reads\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(row.wrote, "\n"))
				}
			}
			clean(t, db)
			check(t, db.Close())
		})
	}
}

// registerAs registers records, and holds what the Diff and the refusal say against a
// class and a text. What breaks a rule is known to Register alone.
func registerAs(t *testing.T, db *kivis.DB, class schema.Class, text string, records []any) {
	t.Helper()
	diff := must(db.Diff(t.Context(), records...))(t)
	err := db.Register(records...)
	said := diff.String() + fmt.Sprint(err)
	if !strings.Contains(said, text) {
		t.Errorf("it is told\n%s\nwant %q", said, text)
	}
	if class != schema.Refused {
		if check(t, err); diff.Class() != class {
			t.Errorf("the Diff is %v, want %v:\n%s", diff.Class(), class, diff)
		}
	} else if !errors.As(err, new(*kivis.SchemaChangeError)) {
		t.Errorf("Register: %v, want a SchemaChangeError", err)
	}
}

func putTexts(t *testing.T, db *kivis.DB, table string, list []string) {
	t.Helper()
	for _, text := range list {
		tb := kivis.TableNamed(db, table)
		rec := tb.New()
		check(t, rec.UnmarshalJSON([]byte(text)))
		must(tb.Put(t.Context(), rec))(t)
	}
}

func textsOf(t *testing.T, db *kivis.DB, table string) []string {
	t.Helper()
	return texts(t, must(kivis.TableNamed(db, table).Query().Collect(t.Context()))(t))
}
