package schema

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

// read decodes the body of a record of a version as the table's type.
func read(t *testing.T, table *Table, version uint32, body []byte) reflect.Value {
	t.Helper()
	c, err := table.Converter(version)
	if err != nil {
		t.Fatal(err)
	}
	if c != nil {
		if body, err = c.Convert(nil, body); err != nil {
			t.Fatal(err)
		}
	}
	rec := reflect.New(table.Type)
	if err := table.Decoder().Decode(body, reflectx.Of(rec)); err != nil {
		t.Fatal(err)
	}
	return rec.Elem()
}

// fill sets all that v stores to values that tell its fields apart.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(*n) / 2)
	case reflect.String:
		v.SetString(fmt.Sprint("s", *n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, n)
		fill(elem, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, elem)
	case reflect.Struct:
		for _, f := range fieldsOf(v.Type()).list {
			fill(v.FieldByIndex(f.Index), n)
		}
	}
}

// text returns a value with the stored names of its fields, so that values of
// different versions of a struct compare.
func text(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return "nil"
		}
		return "&" + text(v.Elem())
	case reflect.Slice, reflect.Array:
		s := "["
		for i := range v.Len() {
			s += text(v.Index(i)) + " "
		}
		return s + "]"
	case reflect.Map:
		s := "{"
		for iter := v.MapRange(); iter.Next(); {
			s += text(iter.Key()) + ":" + text(iter.Value())
		}
		return s + "}"
	case reflect.Struct:
		s := "("
		for _, f := range fieldsOf(v.Type()).list {
			s += text(v.FieldByIndex(f.Index)) + " "
		}
		return s + ")"
	case reflect.Int64:
		return fmt.Sprint(v.Int()) // durations are stored as numbers
	}
	return fmt.Sprint(v)
}

// asOf returns what v, of an older struct, is as text once it is read as a t.
func asOf(t reflect.Type, v reflect.Value) string {
	switch {
	case !v.IsValid():
		return text(reflect.Zero(t))
	case t.Kind() == reflect.Pointer && !v.IsNil():
		return "&" + asOf(t.Elem(), v.Elem())
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		s := "["
		for i := range v.Len() {
			s += asOf(t.Elem(), v.Index(i)) + " "
		}
		return s + "]"
	case t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]():
		s := "("
		for _, f := range fieldsOf(t).list {
			s += asOf(f.Type, oldField(v, &f)) + " "
		}
		return s + ")"
	}
	return text(v)
}

// oldField returns the field of an older struct that has become f, if any.
func oldField(v reflect.Value, f *field) reflect.Value {
	for _, name := range append([]string{f.name}, f.tag.was...) {
		for _, g := range fieldsOf(v.Type()).list {
			if name != "" && g.name == name {
				return v.FieldByIndex(g.Index)
			}
		}
	}
	return reflect.Value{}
}

// TestReadOldVersions reads records of the struct before each change that is
// allowed with the struct after it.
func TestReadOldVersions(t *testing.T) {
	for _, test := range evolutions {
		t.Run(test.name, func(t *testing.T) {
			before, after := compileTypes(t, test.before()), test.after()
			c := planAll(t, NewCatalog(), before, PlanOptions{}).Catalog
			models, err := CompileFor(c, after...)
			if err != nil {
				t.Fatal(err)
			}
			change := planAll(t, c, models, PlanOptions{})
			if strings.Contains(change.Diff.String(), "(refused)") {
				t.Skip("refused")
			}
			old, set := bindAll(t, c, before), bindAll(t, change.Catalog, models)
			for _, m := range before {
				was, table := old.ByType(m.Type), set.ByName(m.Name)
				if table.Type == nil {
					continue
				}
				rec, n := reflect.New(m.Type), 0
				fill(rec.Elem(), &n)
				body, _ := record(t, was, rec.Interface())
				got, want := text(read(t, table, was.Version, body)), asOf(table.Type, rec.Elem())
				if got != want {
					t.Errorf("%+v is read as\n%s\nwant\n%s", rec.Elem(), got, want)
				}
			}
		})
	}
}

// TestOlderProgram runs a program whose struct is older than the catalog: what
// it knows it reads and writes in the newest version, and the rest is zero.
func TestOlderProgram(t *testing.T) {
	type inner struct{ X, Y int8 }
	type T struct {
		ID  ID[T]
		A   int8
		In  inner
		Few []inner
	}
	oldModels := compileAll(t, T{})
	c := finish(planAll(t, NewCatalog(), oldModels, PlanOptions{}))
	middle := func() []*Model {
		type T struct {
			ID  ID[T]
			B   int `kivis:"was=A"`
			In  inner
			Few []inner
		}
		return compileAll(t, T{})
	}()
	newModels := func() []*Model {
		type inner struct {
			Z int
			Y int `kivis:"name=why,was=Y"`
			X int
		}
		type T struct {
			New string `kivis:"index"`
			ID  ID[T]
			B   int
			In  inner
			Few []inner
			A   string // not the A that has become B
		}
		return compileAll(t, T{})
	}()
	c = finish(planAll(t, c, middle, PlanOptions{}))
	c = finish(planAll(t, c, newModels, PlanOptions{}))
	older, newer := bindAll(t, c, oldModels).ByName("T"), bindAll(t, c, newModels).ByName("T")
	if !older.Older() || newer.Older() || older.Version != newer.Version || older.Columns[0].GoType != nil {
		t.Fatalf("older = %t, %t, versions %d, %d", older.Older(), newer.Older(), older.Version, newer.Version)
	}
	rec := T{1, 2, inner{3, 4}, []inner{{5, 6}}}
	body, offs := record(t, older, &rec)
	if len(offs) != len(older.Columns)+1 {
		t.Errorf("%d offsets for %d columns", len(offs), len(older.Columns))
	}
	if got, want := text(read(t, newer, older.Version, body)), "( 1 2 (0 4 3 ) [(0 6 5 ) ]  )"; got != want {
		t.Errorf("what the older program wrote is read as %s, want %s", got, want)
	}
	if got, want := text(read(t, older, older.Version, body)), text(reflect.ValueOf(rec)); got != want {
		t.Errorf("the older program reads %s, want %s", got, want)
	}
	n := 0
	full := reflect.New(newer.Type)
	fill(full.Elem(), &n)
	body, _ = record(t, newer, full.Interface())
	got := read(t, older, older.Version, body)
	if want := full.Elem().FieldByName("B").Int(); got.FieldByName("A").Int() != want {
		t.Errorf("the older program reads A = %v, want %d", got.FieldByName("A"), want)
	}
}

// A world is one table that changes at random, and what must stay true.
type world struct {
	rng    *rand.Rand
	fields []worldField
	next   int
	ids    map[int]uint32    // of each field that ever was, by its number here
	index  map[string]uint32 // ids of live indexes, by their definition
	used   map[string]bool   // every id that was ever given
	old    []stored
}

type worldField struct {
	number  int
	name    string
	was     string
	typ     reflect.Type
	indexed bool
}

// stored is a record that was written, and what its fields had.
type stored struct {
	version uint32
	body    []byte
	values  map[int]int64
}

var widths = []reflect.Type{reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64]()}

// step changes the fields at random.
func (w *world) step() {
	for i := range w.fields {
		w.fields[i].was = ""
	}
	for range 1 + w.rng.IntN(3) {
		i := w.rng.IntN(len(w.fields))
		switch w.rng.IntN(6) {
		case 0:
			w.next++
			w.fields = slices.Insert(w.fields, i+1, worldField{number: w.next, name: fmt.Sprint("F", w.next), typ: widths[0]})
		case 1:
			if i > 0 && len(w.fields) > 2 {
				w.fields = slices.Delete(w.fields, i, i+1)
			}
		case 2:
			w.rng.Shuffle(len(w.fields)-1, func(i, j int) { w.fields[i+1], w.fields[j+1] = w.fields[j+1], w.fields[i+1] })
		case 3:
			if f := &w.fields[i]; i > 0 && f.was == "" {
				f.was = f.name
				w.next++
				f.name = fmt.Sprint("G", w.next)
			}
		case 4:
			f := &w.fields[i]
			f.typ = widths[min(slices.Index(widths, f.typ)+1, len(widths)-1)]
		case 5:
			w.fields[i].indexed = !w.fields[i].indexed && i > 0
		}
	}
}

// models compiles the struct, with Go names that begin with a prefix, and
// some other tables.
func (w *world) models(t *testing.T, prefix string) []*Model {
	fields := []reflect.StructField{{Name: "_", PkgPath: "x", Type: reflect.TypeFor[struct{}](), Tag: `kivis:"table=world"`}}
	for i, f := range w.fields {
		tag := "name=" + f.name
		if f.was != "" && f.was != f.name {
			tag += ",was=" + f.was
		}
		if i == 0 {
			tag += ",key"
		}
		if f.indexed {
			tag += ",index"
		}
		fields = append(fields, reflect.StructField{Name: fmt.Sprint(prefix, f.number), Type: f.typ, Tag: reflect.StructTag(`kivis:"` + tag + `"`)})
	}
	list := append(types(Airport{}, Member{}, Thread{}), reflect.StructOf(fields))
	w.rng.Shuffle(len(list), reflect.Swapper(list))
	return compileTypes(t, list)
}

// check holds the ids of a catalog against all that were before.
func (w *world) check(t *testing.T, e *Entry) {
	fresh := func(id string) {
		if w.used[id] {
			t.Errorf("%s is given again", id)
		}
		w.used[id] = true
	}
	for i, f := range w.fields {
		id, had := w.ids[f.number]
		now := e.newest().Layout.Fields[i].ID
		if had && id != now {
			t.Errorf("%s has the id %d, and had %d", f.name, now, id)
		}
		if !had {
			fresh(fmt.Sprint("field ", now))
		}
		w.ids[f.number] = now
	}
	live := make(map[string]uint32)
	for _, x := range e.Indexes {
		def := fmt.Sprint(x.Parts[0].Fields)
		live[def] = x.ID
		if had, ok := w.index[def]; !ok {
			fresh(fmt.Sprint("index ", x.ID))
		} else if had != x.ID {
			t.Errorf("index %s has the id %d, and had %d", x.Name, x.ID, had)
		}
	}
	w.index = live
}

// write stores a record of the newest version, and reads all that were stored.
func (w *world) write(t *testing.T, table *Table) {
	rec := reflect.New(table.Type)
	values := make(map[int]int64)
	for i, f := range w.fields {
		values[f.number] = int64(w.rng.IntN(200)) - 100
		rec.Elem().Field(i + 1).SetInt(values[f.number])
	}
	body, _ := record(t, table, rec.Interface())
	w.old = append(w.old, stored{table.Version, body, values})
	for _, s := range w.old {
		got := read(t, table, s.version, s.body)
		for i, f := range w.fields {
			if v := got.Field(i + 1).Int(); v != s.values[f.number] {
				t.Fatalf("%s of a record of version %d = %d, want %d", f.name, s.version, v, s.values[f.number])
			}
		}
	}
}

// TestRandomEvolution changes a table at random: ids follow their fields, are
// never given again, and depend neither on Go names nor on the order in which
// types are registered; and every record that was ever written can be read.
func TestRandomEvolution(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	for run := range uint64(20) {
		w := world{rng: rand.New(rand.NewPCG(seed, run)), next: 1, ids: map[int]uint32{}, used: map[string]bool{}, index: map[string]uint32{}}
		w.fields = []worldField{{number: 0, name: "K", typ: widths[0]}, {number: 1, name: "F1", typ: widths[0]}}
		c := NewCatalog()
		for step := range 25 {
			models := w.models(t, "X")
			change := planAll(t, c, models, PlanOptions{AllowOlder: true})
			if strings.Contains(change.Diff.String(), "older program") {
				w.step()
				continue // by chance the fields are those of an old version
			}
			other := planAll(t, c, w.models(t, "Other"), PlanOptions{})
			if catalogBytes(other.Catalog) != catalogBytes(change.Catalog) {
				t.Errorf("with other Go names and in another order the catalog differs")
			}
			c = finish(change)
			w.check(t, c.byName("world"))
			w.write(t, bindAll(t, c, models).ByName("world"))
			if t.Failed() {
				t.Fatalf("seed %d, run %d, step %d", seed, run, step)
			}
			w.step()
		}
	}
}

// TestRevert takes changes back: definitions are as before, records written
// meanwhile can be read, and ids are not given again.
func TestRevert(t *testing.T) {
	for _, test := range evolutions {
		t.Run(test.name, func(t *testing.T) {
			before := compileTypes(t, test.before())
			c := planAll(t, NewCatalog(), before, PlanOptions{}).Catalog
			models, err := CompileFor(c, test.after()...)
			if err != nil {
				t.Fatal(err)
			}
			change := planAll(t, c, models, PlanOptions{})
			if strings.Contains(change.Diff.String(), "(refused)") {
				t.Skip("refused")
			}
			next, touched, gone := change.Catalog.Revert(c, change)
			if changed := len(change.Entries) > 0; changed != (len(touched)+len(gone) > 0) || changed != (next.Version > change.Catalog.Version) {
				t.Errorf("Revert touched %v, and %v are gone", touched, gone)
			}
			if next.NextTable != change.Catalog.NextTable {
				t.Errorf("NextTable = %d, want %d", next.NextTable, change.Catalog.NextTable)
			}
			for id, e := range next.Entries {
				now := change.Catalog.Entries[id]
				if e.NextField != now.NextField || e.NextIndex != now.NextIndex {
					t.Errorf("%s gives ids again", e.Name)
				}
				for i := range now.Versions {
					if !e.Versions[i].Layout.Equal(now.Versions[i].Layout) {
						t.Errorf("%s has lost version %d", e.Name, now.Versions[i].Number)
					}
				}
			}
			bindAll(t, next, before)
			again := planAll(t, next, before, PlanOptions{})
			if !again.Diff.Empty() {
				t.Errorf("after Revert there is still:\n%v", again.Diff)
			}
			forward := planAll(t, next, models, PlanOptions{})
			if got, want := forward.Diff.String(), change.Diff.String(); got != want {
				t.Errorf("after Revert the change is\n%s\nwant\n%s", got, want)
			}
			bindAll(t, forward.Catalog, models)
		})
	}
}

func TestCatalogIndexes(t *testing.T) {
	type T struct {
		ID   ID[T]
		A, B int `kivis:"index"`
	}
	c := planAll(t, NewCatalog(), compileAll(t, T{}), PlanOptions{}).Catalog
	refs := []IndexRef{{1, 1}, {1, 2}}
	if next, touched := c.MarkReady(refs); len(touched) > 0 || next.Version != c.Version {
		t.Errorf("MarkReady of what is ready touched %v", touched)
	}
	if next, touched := c.Drop([]IndexRef{{1, 9}, {9, 1}}); len(touched) > 0 || next.Version != c.Version {
		t.Errorf("Drop of nothing touched %v", touched)
	}
	next, touched := c.Drop(refs)
	if !slices.Equal(touched, []uint32{1}) || !slices.Equal(next.Dropped(), refs) || len(next.Entries[1].Indexes) > 0 || next.Version != c.Version+1 {
		t.Errorf("Drop touched %v, dropped %v", touched, next.Dropped())
	}
	if len(c.Dropped()) > 0 || len(c.Entries[1].Indexes) != 2 {
		t.Error("Drop changed the catalog that it was given")
	}
	next, touched = next.Forget(refs[:1])
	if !slices.Equal(touched, []uint32{1}) || !slices.Equal(next.Dropped(), refs[1:]) {
		t.Errorf("Forget touched %v, and %v are left", touched, next.Dropped())
	}
	if _, err := codec.CompileConverter(next.Entries[1].newest().Layout, c.Entries[1].newest().Layout); err != nil {
		t.Error(err)
	}
}

// TestFormat raises the format of a database only for what needs it, and takes
// that back with the change.
func TestFormat(t *testing.T) {
	type Old struct {
		_  struct{} `kivis:"table=T"`
		ID ID[Old]
		A  *int
	}
	type New struct {
		_  struct{} `kivis:"table=T"`
		ID ID[New]
		A  *int `kivis:"unique,nilequal"`
	}
	before := planAll(t, NewCatalog(), compileAll(t, Old{}), PlanOptions{}).Catalog
	change := planAll(t, before, compileAll(t, New{}), PlanOptions{})
	reverted, _, _ := change.Catalog.Revert(before, change)
	if before.Format != 1 || change.Catalog.Format != 2 || reverted.Format != 1 {
		t.Errorf("formats are %d, %d and %d, want 1, 2 and 1", before.Format, change.Catalog.Format, reverted.Format)
	}
}
