package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/internal/testform"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
	"github.com/kivisdb/kivis/store/remote/remotetest"
)

// Versions of notes, of which two programs have one each.
type (
	note1 struct {
		_     struct{} `kivis:"table=notes"`
		ID    int      `kivis:"key"`
		Name  string
		Level int8
		Old   string
	}
	noteMore struct {
		_     struct{} `kivis:"table=notes"`
		ID    int      `kivis:"key"`
		Name  string
		Level int8
		Old   string
		More  string
	}
	noteRenamed struct {
		_     struct{} `kivis:"table=notes"`
		ID    int      `kivis:"key"`
		Title string   `kivis:"was=Name"`
		Level int8
		Old   string
	}
	noteLess struct {
		_     struct{} `kivis:"table=notes,removed=Old"`
		ID    int      `kivis:"key"`
		Name  string
		Level int8
	}
	noteWide struct {
		_     struct{} `kivis:"table=notes"`
		ID    int      `kivis:"key"`
		Name  string
		Level int64
		Old   string
	}
	notePointer struct {
		_     struct{} `kivis:"table=notes"`
		ID    int      `kivis:"key"`
		Name  *string  `kivis:"index"`
		Level int8
		Old   string
	}
	noteMoved struct {
		_     struct{} `kivis:"table=notes"`
		ID    int      `kivis:"key"`
		Level int8
		About struct {
			Name string `kivis:"was=.Name"`
		}
		Old string
	}
	noteTable struct {
		_     struct{} `kivis:"table=memos,was=notes"`
		ID    int      `kivis:"key"`
		Name  string
		Level int8
		Old   string
	}
	noteIndexed struct {
		_     struct{} `kivis:"table=notes"`
		ID    int      `kivis:"key"`
		Name  string   `kivis:"unique"`
		Level int8     `kivis:"index"`
		Old   string
	}
	noteMigrated struct {
		_     struct{} `kivis:"table=notes"`
		ID    int      `kivis:"key"`
		Name  string
		Level string `kivis:"index"`
		Old   string
	}
	noteKeyed struct {
		_     struct{} `kivis:"table=notes"`
		Name  string   `kivis:"key"`
		ID    int
		Level int8
		Old   string
	}
	noteSuspect struct {
		_     struct{} `kivis:"table=notes"`
		ID    int      `kivis:"key"`
		Title string
		Level int8
		Old   string
	}
)

func noteToMigrated(n note1) (noteMigrated, error) {
	return noteMigrated{ID: n.ID, Name: n.Name, Level: fmt.Sprint("L", n.Level), Old: n.Old}, nil
}

func noteToKeyed(n note1) (noteKeyed, error) {
	return noteKeyed{ID: n.ID, Name: n.Name, Level: n.Level, Old: n.Old}, nil
}

// values are what a record holds, by the names of the fields in the first version.
type values map[string]string

// version is a program's version of the notes, without its types.
type version struct {
	records []any
	typ     reflect.Type
	insert  func(ctx context.Context, db *kivis.DB, v values) error
	modify  func(ctx context.Context, db *kivis.DB, v values) error // sets the level
	all     func(ctx context.Context, db *kivis.DB) (map[string]values, error)
	knows   []string
}

// versionOf returns the version of a record type, some of whose fields have other
// names.
func versionOf[R any, K comparable](key string, alias map[string]string, more ...any) version {
	typ := reflect.TypeFor[R]()
	field := func(r *R, name string) (f reflect.Value) {
		f = reflect.ValueOf(r).Elem()
		for _, step := range strings.Split(orName(alias[name], name), ".") {
			if f = f.FieldByName(step); !f.IsValid() {
				return f
			}
		}
		return f
	}
	v := version{records: append([]any{reflect.New(typ).Interface()}, more...), typ: typ}
	for _, name := range []string{"ID", "Name", "Level", "Old", "More"} {
		if field(new(R), name).IsValid() {
			v.knows = append(v.knows, name)
		}
	}
	keyOf := func(v values) (k K) {
		var r R
		put(field(&r, key), key, v[key])
		return field(&r, key).Interface().(K)
	}
	v.insert = func(ctx context.Context, db *kivis.DB, vs values) error {
		var r R
		for _, name := range v.knows {
			put(field(&r, name), name, vs[name])
		}
		return second(kivis.TableBy[R, K](db).Insert(ctx, &r))
	}
	v.modify = func(ctx context.Context, db *kivis.DB, vs values) error {
		return second(kivis.TableBy[R, K](db).Modify(ctx, keyOf(vs), func(r *R) error {
			put(field(r, "Level"), "Level", vs["Level"])
			return nil
		}))
	}
	v.all = func(ctx context.Context, db *kivis.DB) (map[string]values, error) {
		out := map[string]values{}
		for r, err := range kivis.TableBy[R, K](db).All(ctx) {
			if err != nil {
				return nil, err
			}
			vs := values{}
			for _, name := range v.knows {
				vs[name] = text(field(&r, name))
			}
			out[vs["ID"]] = vs
		}
		return out, nil
	}
	return v
}

func orName(alias, name string) string {
	if alias != "" {
		return alias
	}
	return name
}

// put sets a field from its text: a word that is a level begins with L.
func put(f reflect.Value, name, text string) {
	var n int64
	switch fmt.Sscan(text, &n); f.Kind() {
	case reflect.Pointer:
		f.Set(reflect.ValueOf(&text))
	case reflect.String:
		if name == "Level" {
			text = "L" + text
		}
		f.SetString(text)
	default:
		f.SetInt(n)
	}
}

// text is the text of a field.
func text(f reflect.Value) string {
	if f.Kind() == reflect.Pointer {
		f = f.Elem()
	}
	return strings.TrimPrefix(fmt.Sprint(f.Interface()), "L")
}

// pairs are the versions of two programs, one pair for each kind of row in the guide's
// table of changes.
var pairs = []struct {
	name  string
	newer version
}{
	{"nothing to do: a field new", versionOf[noteMore, int]("ID", nil)},
	{"nothing to do: a field renamed", versionOf[noteRenamed, int]("ID", map[string]string{"Name": "Title"})},
	{"nothing to do: a field gone", versionOf[noteLess, int]("ID", nil)},
	{"nothing to do: a number widened", versionOf[noteWide, int]("ID", nil)},
	{"nothing to do: a field moved", versionOf[noteMoved, int]("ID", map[string]string{"Name": "About.Name"})},
	{"nothing to do: a table renamed", versionOf[noteTable, int]("ID", nil)},
	{"build: T to *T, indexed", versionOf[notePointer, int]("ID", nil)},
	{"build: indexes", versionOf[noteIndexed, int]("ID", nil)},
	{"rewrite: to the newest layout", versionOf[noteMore, int]("ID", nil, kivis.Rewrite[noteMore]())},
	{"rewrite: a field gone for good", versionOf[noteLess, int]("ID", nil, kivis.Rewrite[noteLess]())},
	{"rewrite: by a function", versionOf[noteMigrated, int]("ID", nil, kivis.Migrate(noteToMigrated))},
	{"rewrite: another key", versionOf[noteKeyed, string]("Name", nil, kivis.Migrate(noteToKeyed))},
	{"refused: another type", versionOf[noteMigrated, int]("ID", nil)},
	{"refused: a suspected rename", versionOf[noteSuspect, int]("ID", nil)},
}

// program is one of two programs, while it runs.
type program struct {
	version
	name  string
	newer bool
	db    *kivis.DB // nil while it does not run
	why   error     // its types have not been registered
}

// A pair of programs, and what has been acknowledged.
type pair struct {
	t     *testing.T
	b     *remotetest.Backend
	progs [2]program
	model map[string]values // by ID
	next  int
	trace []string
}

func (p *pair) store() store.Store { return must(remote.Open(p.t.Context(), p.b, nil))(p.t) }

// step has one of the programs begin, end, or write; it says whether it can.
func (p *pair) step(i, what int) bool {
	g := &p.progs[i]
	if (g.db == nil) != (what == 0) {
		return false
	}
	p.trace = append(p.trace, g.name+" "+[]string{"begins", "writes", "ends"}[what])
	switch what {
	case 0:
		g.db = open(p.t, p.store(), nil)
		err := g.db.Register(g.records...)
		if g.why = err; err != nil && !errors.As(err, new(*kivis.SchemaChangeError)) {
			p.errorf("Register: %v", err)
		}
		if len(g.records) > 1 && err == nil { // what a rewrite leaves out is gone for good
			for id := range p.model {
				p.giveUp(g, id)
			}
		}
	case 1:
		if g.why == nil {
			p.write(g)
		}
	case 2:
		check(p.t, g.db.Close())
		g.db = nil
	}
	for i := range p.progs {
		if p.progs[i].db != nil && p.progs[i].why == nil {
			p.read(&p.progs[i])
		}
	}
	return true
}

func (p *pair) errorf(format string, args ...any) {
	p.t.Helper()
	p.t.Errorf("%s: %s", strings.Join(p.trace, ", "), fmt.Sprintf(format, args...))
}

// refusal is an error that says that a program must not, or cannot, any more.
func (p *pair) refusal(err error) bool {
	return isHelpful(err) || strings.Contains(err.Error(), "a stored value that this older program cannot hold")
}

// write inserts a record, and modifies the first and the last of all.
func (p *pair) write(g *program) {
	ctx := p.t.Context()
	p.next++
	level := func() string {
		if p.next++; g.typ == reflect.TypeFor[noteWide]() {
			return fmt.Sprint(1000 + p.next) // more than the older type holds
		}
		return fmt.Sprint(p.next)
	}
	id := fmt.Sprint(p.next)
	v := values{"ID": id, "Name": "n" + id, "Level": level(), "Old": "o" + id, "More": "m" + id}
	if err := g.insert(ctx, g.db, v); err == nil {
		p.model[id] = known(g, v)
	} else if !p.refusal(err) {
		p.errorf("insert: %v", err)
	}
	for _, id := range []string{p.first(), p.last()} {
		if id == "" {
			return
		}
		v := values{"ID": id, "Name": p.model[id]["Name"], "Level": level()}
		if err := g.modify(ctx, g.db, v); err == nil {
			p.model[id]["Level"] = v["Level"]
			p.giveUp(g, id)
		} else if !p.refusal(err) {
			p.errorf("modify %s: %v", id, err)
		}
	}
}

// giveUp forgets of a record the fields that a program does not know, and that the
// table has not: somebody has taken them out, which was told of.
func (p *pair) giveUp(g *program, id string) {
	has := map[string]bool{}
	for _, tb := range g.db.Tables() {
		for _, c := range tb.Columns {
			has[c.Name] = true
		}
	}
	for _, name := range []string{"Old", "More"} {
		if !has[name] && !slices.Contains(g.knows, name) {
			delete(p.model[id], name)
		}
	}
}

// known returns the values that the program knows.
func known(g *program, v values) values {
	out := values{}
	for _, name := range g.knows {
		out[name] = v[name]
	}
	return out
}

func (p *pair) ids() (list []string) {
	for id := range p.model {
		list = append(list, id)
	}
	slices.SortFunc(list, func(a, b string) int { return len(a)*1000 - len(b)*1000 + strings.Compare(a, b) })
	return list
}

func (p *pair) first() string {
	if list := p.ids(); len(list) > 0 {
		return list[0]
	}
	return ""
}

func (p *pair) last() string {
	if list := p.ids(); len(list) > 0 {
		return list[len(list)-1]
	}
	return ""
}

// read holds what a program reads against the model, in the fields that it knows.
func (p *pair) read(g *program) {
	p.t.Helper()
	got, err := g.all(p.t.Context(), g.db)
	if err != nil {
		if !p.refusal(err) {
			p.errorf("%s reads: %v", g.name, err)
		}
		return
	}
	if len(got) != len(p.model) {
		p.errorf("%s reads %d records, want %d", g.name, len(got), len(p.model))
	}
	for id, want := range p.model {
		for _, name := range g.knows {
			if value, ok := want[name]; ok && got[id][name] != value {
				p.errorf("%s reads %s of %s as %q, want %q", g.name, name, id, got[id][name], value)
			}
		}
	}
}

// finish ends both programs, and has each read all once more, in a run of its own: the
// newer one first, which must be let in unless its change is one that is refused, or it
// was the first of all, so that the other has made its database a newer one.
func (p *pair) finish(refused bool) {
	for i := range p.progs {
		if p.progs[i].db != nil {
			p.step(i, 2)
		}
	}
	for _, i := range []int{1, 0} {
		p.step(i, 0)
		g := &p.progs[i]
		if g.newer && g.why != nil && !refused && strings.HasPrefix(p.trace[0], "A") {
			p.errorf("the newer program is not let in: %v", g.why)
		}
		clean(p.t, g.db)
		p.step(i, 2)
	}
}

// TestVersionsInterleaved has a program and its newer version run on one database, in
// every order in which they can begin, write and end within some steps: what has been
// acknowledged is read by each that knows the field, or the program is refused.
func TestVersionsInterleaved(t *testing.T) {
	steps := testform.Of(4, 5, 6)
	for _, test := range pairs {
		t.Run(test.name, func(t *testing.T) {
			n := 0
			var try func(way []int)
			try = func(way []int) {
				if len(way) < steps {
					for s := range 6 {
						if legal(way, s) {
							try(append(slices.Clip(way), s))
						}
					}
					return
				}
				n++
				p := &pair{t: t, b: remotetest.New(), model: map[string]values{}}
				p.progs = [2]program{{version: versionOf[note1, int]("ID", nil), name: "A"}, {version: test.newer, name: "B", newer: true}}
				for _, s := range way {
					p.step(s/3, s%3)
				}
				p.finish(strings.HasPrefix(test.name, "refused"))
				if t.Failed() {
					t.FailNow()
				}
			}
			try(nil)
			t.Logf("%d orders", n)
		})
	}
}

// legal reports whether a step can follow others: a program begins, and then writes
// and ends. The last step is no end, which changes nothing.
func legal(way []int, step int) bool {
	runs := false
	for _, s := range way {
		if s/3 == step/3 {
			runs = s%3 != 2
		}
	}
	return runs == (step%3 != 0)
}
