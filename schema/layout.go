package schema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/kivisdb/kivis/codec"
)

// structIn returns the number of the nested struct that t is, or points to,
// or -1.
func structIn(t *codec.Type) int {
	if t.Kind == codec.Pointer {
		t = t.Elem
	}
	if t.Kind == codec.Struct {
		return t.Struct
	}
	return -1
}

// listIn returns the slice, array or map that t is, or points to, or nil.
func listIn(t *codec.Type) *codec.Type {
	if t.Kind == codec.Pointer {
		t = t.Elem
	}
	switch t.Kind {
	case codec.Slice, codec.Array, codec.Map:
		return t
	}
	return nil
}

// partEntry returns a part of a model as the catalog stores it. The model's
// fields are those of the layout, in order.
func partEntry(l *codec.Layout, p *part) PartEntry {
	e := PartEntry{Each: p.Each, Key: p.Key, NilEqual: p.NilEqual}
	if p.Column < 0 {
		e.Name = p.Name
		return e
	}
	f := &l.Fields[p.Column]
	e.Fields = append(e.Fields, f.ID)
	t := &f.Type
	for _, i := range p.Path {
		if i == codec.Element {
			t = listIn(t).Elem
			continue
		}
		f = &l.Structs[structIn(t)][i]
		t = &f.Type
		e.Fields = append(e.Fields, f.ID)
	}
	switch {
	case !p.Each, p.inElements():
	case t.Kind == codec.Map:
		t = t.Key
	default:
		t = t.Elem
	}
	e.Inner = appendInner(nil, l, t)
	return e
}

// appendInner appends the ids of the fields that t, part of a key, consists
// of. Such a type does not contain itself.
func appendInner(ids []uint32, l *codec.Layout, t *codec.Type) []uint32 {
	n := structIn(t)
	if n < 0 {
		return ids
	}
	for i := range l.Structs[n] {
		f := &l.Structs[n][i]
		ids = appendInner(append(ids, f.ID), l, &f.Type)
	}
	return ids
}

// partEntries returns the parts of a model as the catalog stores them.
func partEntries(l *codec.Layout, parts []part) []PartEntry {
	list := make([]PartEntry, len(parts))
	for i := range parts {
		list[i] = partEntry(l, &parts[i])
	}
	return list
}

// find returns the part of an entry as one of the layout, and whether the
// layout has its fields.
func (e *PartEntry) find(l *codec.Layout) (Part, bool) {
	p := Part{Column: -1, Name: e.Name, Each: e.Each, Key: e.Key, NilEqual: e.NilEqual}
	fields, t := l.Fields, (*codec.Type)(nil)
	for n, id := range e.Fields {
		if n > 0 {
			if fields = nil; structIn(t) < 0 && p.stepIn(t) {
				t = listIn(t).Elem
			}
			if s := structIn(t); s >= 0 {
				fields = l.Structs[s]
			}
		}
		i := slices.IndexFunc(fields, func(f codec.Field) bool { return f.ID == id })
		if i < 0 {
			return p, false
		}
		f := &fields[i]
		if t = &f.Type; n == 0 {
			p.Column, p.Name = i, f.Name
		} else {
			p.Path, p.Name = append(p.Path, i), p.Name+"."+f.Name
		}
	}
	return p, true
}

// stepIn adds the step into the elements of a list of type t to the part's path.
// It reports whether there is such a step: in a part over each, once.
func (p *Part) stepIn(t *codec.Type) bool {
	if !p.Each || listIn(t) == nil || p.inElements() {
		return false
	}
	p.Path = append(p.Path, codec.Element)
	return true
}

// inElements reports whether the part is of a field of elements.
func (p *Part) inElements() bool { return slices.Contains(p.Path, codec.Element) }

// sameForm reports whether two parts have the same entries for the same
// record.
func (e *PartEntry) sameForm(o *PartEntry) bool {
	return slices.Equal(e.Fields, o.Fields) && slices.Equal(e.Inner, o.Inner) && e.Each == o.Each &&
		e.NilEqual == o.NilEqual && e.Key.Compatible(o.Key)
}

func sameParts(a, b []PartEntry) bool {
	return slices.EqualFunc(a, b, func(x, y PartEntry) bool { return x.sameForm(&y) })
}

// typeText returns a stored type as messages name it: nested structs without
// their numbers, which mean nothing to a user.
func typeText(t *codec.Type) string {
	switch t.Kind {
	case codec.Pointer:
		return "*" + typeText(t.Elem)
	case codec.Slice:
		return "[]" + typeText(t.Elem)
	case codec.Array:
		return "[" + strconv.Itoa(t.Len) + "]" + typeText(t.Elem)
	case codec.Map:
		return "map[" + typeText(t.Key) + "]" + typeText(t.Elem)
	case codec.Struct:
		return "struct"
	}
	return t.String()
}

// hasPath reports whether a layout has a field at a path of stored names, be it
// in elements of lists and maps.
func hasPath(l *codec.Layout, path string) bool {
	fields := l.Fields
	for name := range strings.SplitSeq(path, ".") {
		i := slices.IndexFunc(fields, func(f codec.Field) bool { return f.Name == name })
		if i < 0 {
			return false
		}
		t := &fields[i].Type
		for fields = nil; t.Elem != nil; {
			t = t.Elem
		}
		if t.Kind == codec.Struct {
			fields = l.Structs[t.Struct]
		}
	}
	return true
}

// A pair is two nested structs, by their numbers in two layouts.
type pair struct{ a, b int }

// sameLayout reports whether two layouts store the same fields by the same
// names in the same order, whatever their ids and the numbers of their
// structs.
func sameLayout(a, b *codec.Layout) bool {
	m := matcher{a, b, make(map[pair]bool)}
	return m.fields(a.Fields, b.Fields)
}

// A matcher compares two layouts. Pairs of structs that are being compared are
// the same unless something else differs.
type matcher struct {
	a, b *codec.Layout
	seen map[pair]bool
}

func (m *matcher) fields(a, b []codec.Field) bool {
	return slices.EqualFunc(a, b, func(f, g codec.Field) bool { return f.Name == g.Name && m.types(&f.Type, &g.Type) })
}

func (m *matcher) types(t, u *codec.Type) bool {
	if t == nil || u == nil {
		return t == u
	}
	if t.Kind != u.Kind || t.Bits != u.Bits || t.Len != u.Len || !m.types(t.Elem, u.Elem) || !m.types(t.Key, u.Key) {
		return false
	}
	p := pair{t.Struct, u.Struct}
	if t.Kind != codec.Struct || m.seen[p] {
		return true
	}
	m.seen[p] = true
	return m.fields(m.a.Structs[p.a], m.b.Structs[p.b])
}
