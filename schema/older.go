package schema

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

// olderVersion returns the version of the model if it is that of an older
// program: its fields are those of an earlier version of the table, and the
// table has since got more, or others. Fields that were removed leave a layout
// that has not been there before, unless they were the newest: then removed=
// says that they are meant to be gone.
func (t *tablePlan) olderVersion() *Version {
	if t.old == nil {
		return nil
	}
	v := t.old.version(t.model)
	if v == nil {
		return nil
	}
	if len(slices.DeleteFunc(losses(v.Layout, t.old.newest().Layout), t.model.knows)) == 0 {
		return nil
	}
	return v
}

// knows reports whether the struct's tags speak of a field that is gone, which
// no older program knows of.
func (m *Model) knows(path string) bool {
	return slices.Contains(m.removed, path) || slices.ContainsFunc(m.layout.Fields, func(f codec.Field) bool { return slices.Contains(f.Was, path) })
}

// version returns the newest version whose fields are those of the model, or
// nil. Versions that were taken back do not count.
func (e *Entry) version(m *Model) *Version {
	for i := len(e.Versions) - 1; i >= 0; i-- {
		if !e.Versions[i].Undone && sameLayout(e.Versions[i].Layout, m.layout) {
			return &e.Versions[i]
		}
	}
	return nil
}

// A lossFinder finds what a newer layout stores that a program with an older
// one does not know, or knows otherwise.
type lossFinder struct {
	old, newest *codec.Layout
	seen        map[pair]bool
	found       []string
}

// losses names what a program that knows of old alone would lose of what
// newest stores, or mistake.
func losses(old, newest *codec.Layout) []string {
	f := lossFinder{old, newest, make(map[pair]bool), nil}
	f.fields("", old.Fields, newest.Fields)
	return f.found
}

func (l *lossFinder) fields(path string, old, newest []codec.Field) {
	for i := range newest {
		g, at := &newest[i], joinPath(path, newest[i].Name)
		j := slices.IndexFunc(old, func(f codec.Field) bool { return f.ID == g.ID })
		switch {
		case j < 0:
			l.found = append(l.found, at)
		case old[j].Name != g.Name:
			l.found = append(l.found, at+" instead of "+old[j].Name)
		case !l.types(at, &old[j].Type, &g.Type):
			l.found = append(l.found, at+" as "+typeText(&g.Type))
		}
	}
}

// types reports whether a type is the same in both, nested structs apart,
// which it goes through.
func (l *lossFinder) types(path string, t, u *codec.Type) bool {
	if t == nil || u == nil {
		return t == u
	}
	if t.Kind != u.Kind || t.Bits != u.Bits || t.Len != u.Len {
		return false
	}
	if p := (pair{t.Struct, u.Struct}); t.Kind == codec.Struct && !l.seen[p] {
		l.seen[p] = true
		l.fields(path, l.old.Structs[p.a], l.newest.Structs[p.b])
	}
	return l.types(path, t.Elem, u.Elem) && l.types(path, t.Key, u.Key)
}

// reportOlder says that the model is older than the table, which is refused
// unless it is allowed.
func (t *tablePlan) reportOlder(v *Version) {
	newest := t.old.newest()
	lost := losses(v.Layout, newest.Layout)
	d := Difference{Kind: OlderProgram}
	d.Detail = fmt.Sprintf("the struct is that of version %d, and the table is at version %d, which has %s", v.Number, newest.Number, strings.Join(lost, ", "))
	if !t.opts.AllowOlder {
		d.Refused = true
		d.Remedy = "run a newer program, or set Options.AllowOlder to run this one, which zeroes what it does not know in each record " +
			"that it writes"
		if !slices.ContainsFunc(lost, func(what string) bool { return strings.Contains(what, " ") }) {
			d.Remedy += "; if that was removed on purpose, write " + onBlank("removed="+strings.Join(lost, "|"))
		}
	}
	t.report(d)
}

// Rewrite returns the body that the program makes of body, one of Version, when
// it reads the record as a Type and writes it as it is, and the offsets of the
// columns. An older program drops what it does not know.
func (t *Table) Rewrite(body []byte) ([]byte, []uint32, error) {
	rec := reflectx.Of(reflect.New(t.Type))
	if err := t.decoder.Decode(body, rec); err != nil {
		return nil, nil, err
	}
	return t.encoder.Encode(nil, rec, nil)
}

// renamed returns a layout with the names that its fields have in another, by
// their ids. A name that only the first has, and that is in use, is left out.
func renamed(l, names *codec.Layout) *codec.Layout {
	r := renamer{names, &codec.Layout{Structs: slices.Clone(l.Structs)}, l, make(map[int]bool)}
	r.out.Fields = r.fields(l.Fields, names.Fields)
	return r.out
}

type renamer struct {
	names, out, from *codec.Layout
	done             map[int]bool
}

func (r *renamer) fields(fields, names []codec.Field) []codec.Field {
	fields = slices.Clone(fields)
	for i := range fields {
		f := &fields[i]
		j := slices.IndexFunc(names, func(g codec.Field) bool { return g.ID == f.ID })
		if j < 0 {
			f.Name = fmt.Sprintf("%s #%d", f.Name, f.ID) // no name of a field
			continue
		}
		f.Name = names[j].Name
		r.types(&f.Type, &names[j].Type)
	}
	return fields
}

func (r *renamer) types(t, u *codec.Type) {
	if t == nil || u == nil {
		return
	}
	r.types(t.Elem, u.Elem)
	r.types(t.Key, u.Key)
	if t.Kind == codec.Struct && u.Kind == codec.Struct && !r.done[t.Struct] {
		r.done[t.Struct] = true
		r.out.Structs[t.Struct] = r.fields(r.from.Structs[t.Struct], r.names.Structs[u.Struct])
	}
}
