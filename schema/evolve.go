package schema

import (
	"fmt"
	"slices"

	"github.com/kivisdb/kivis/codec"
)

// An evolver makes the next layout of a table: that of a model, with the ids
// that its fields have in the layout before it, and new ones for new fields.
type evolver struct {
	old, model *codec.Layout
	past       []*codec.Layout // earlier layouts of the table, the newest first
	out        *codec.Layout
	next       uint32 // the id of the next new field
	pairs      map[source]int
	derefs     []string        // paths at which a pointer has become a value
	carried    map[string]bool // paths of fields that get the new key of what they refer to
	migrates   bool            // functions make the new fields: one of another type is another field
	report     func(d Difference)
	forms      bool                  // a type that marshals itself is another Go type now
	tell       func(d Difference)    // report, also within what is told of as a whole
	mover                            // what has moved
	removed    []string              // paths of fields that are gone on purpose
	holds      func(column int) bool // see PlanOptions.Holds
	count      func(column int) int  // see PlanOptions.Count
}

// none is the number of no struct: what a new field is paired with.
const none = -1

// A source is a nested struct of the model with the stored one that it carries
// on, and the layout that has that one.
type source struct {
	pair
	old *codec.Layout
}

// evolve sets out to the next layout. A nested struct that pairs with two old
// ones becomes two, so that each carries on the ids of its own past.
func (v *evolver) evolve() {
	v.out, v.pairs, v.tell = &codec.Layout{}, make(map[source]int), v.report
	v.findMoved()
	v.out.Fields = v.fields("", v.model.Fields, v.old.Fields)
	v.checkMoves()
}

// fields returns the fields of a struct at a path, with ids.
func (v *evolver) fields(path string, model, old []codec.Field) []codec.Field {
	out := make([]codec.Field, len(model))
	var order []int // of the old fields that go on
	taken := make([]bool, len(old))
	for i := range model {
		f, at := &model[i], joinPath(path, model[i].Name)
		j := findOld(f, old)
		out[i] = codec.Field{Name: f.Name}
		if j >= 0 && v.migrates && !v.carries(&f.Type, &old[j].Type) {
			v.report(Difference{Kind: "changed type", Class: Rewrite, Field: at, Detail: typeText(&old[j].Type) + " to " + typeText(&f.Type)})
			out[i].ID, out[i].Type = v.newField(at, &f.Type)
			taken[j] = true
			continue
		}
		if m, ok := v.from[f]; ok && j < 0 && (!v.migrates || v.carries(&f.Type, &m.was.Type)) {
			out[i].ID, out[i].Type = m.was.ID, v.move(at, f, m)
			continue
		}
		if j >= 0 && v.carried[at] && !v.carries(&f.Type, &old[j].Type) {
			v.report(Difference{Kind: "carried reference", Class: Rewrite, Field: at, Detail: typeText(&old[j].Type) + " to " + typeText(&f.Type)})
			out[i].ID, out[i].Type = v.newField(at, &f.Type)
			taken[j] = true
			continue
		}
		if g, from := v.revived(f, old); j < 0 && g != nil {
			out[i].ID, out[i].Type = g.ID, v.restore(at, f, g, from)
			continue
		}
		if j < 0 {
			out[i].ID, out[i].Type = v.newField(at, &f.Type)
			v.report(Difference{Kind: "new field", Field: at, Detail: typeText(&f.Type)})
			continue
		}
		order, taken[j] = append(order, j), true
		out[i].ID = old[j].ID
		if f.Name != old[j].Name {
			v.report(Difference{Kind: "renamed field", Field: at, Detail: "was " + joinPath(path, old[j].Name)})
		}
		v.checkWas(at, f, old)
		out[i].Type = v.change(at, &f.Type, &old[j].Type)
	}
	for j := range old {
		if !taken[j] && !v.leaving[old[j].ID] {
			v.reportGone(path, j, model, old)
		}
	}
	if !slices.IsSorted(order) {
		v.report(Difference{Kind: "reordered fields", Field: path})
	}
	return out
}

// carries reports whether a field keeps its id, so that what is stored of it is
// read without a function.
func (v *evolver) carries(t, old *codec.Type) bool {
	switch {
	case old.BecomesPointer(t):
		return true
	case t.Kind != old.Kind || t.Len != old.Len || t.Bits != old.Bits:
		return old.WidensTo(t)
	}
	return (t.Elem == nil || v.carries(t.Elem, old.Elem)) && (t.Key == nil || v.carries(t.Key, old.Key))
}

// newField returns the id and the type of a new field.
func (v *evolver) newField(path string, t *codec.Type) (id uint32, u codec.Type) {
	id = v.next
	v.next++
	return id, v.fresh(path, t)
}

// fresh returns the type of a new field at a path.
func (v *evolver) fresh(path string, t *codec.Type) codec.Type {
	u := *t
	if t.Elem != nil {
		elem := v.fresh(path, t.Elem)
		u.Elem = &elem
	}
	if t.Key != nil {
		key := v.fresh(path, t.Key)
		u.Key = &key
	}
	if t.Kind == codec.Struct {
		u.Struct = v.nested(path, t.Struct, none)
	}
	return u
}

// nested returns the number of a nested struct in the next layout.
func (v *evolver) nested(path string, model, old int) int {
	p := source{pair{model, old}, v.old}
	if n, ok := v.pairs[p]; ok {
		return n
	}
	n := len(v.out.Structs)
	v.pairs[p] = n
	v.out.Structs = append(v.out.Structs, nil)
	if old != none {
		v.out.Structs[n] = v.fields(path, v.model.Structs[model], v.old.Structs[old])
		return n
	}
	report := v.report
	v.report = func(Difference) {} // it is told of as a whole
	v.out.Structs[n] = v.fields(path, v.model.Structs[model], nil)
	v.report = report
	return n
}

// change returns the type of a field that goes on, and says how it differs.
func (v *evolver) change(path string, t, old *codec.Type) codec.Type {
	u, ok := v.follow(path, t, old)
	if !ok {
		v.report(Difference{Kind: "changed type", Field: path, Detail: typeText(old) + " to " + typeText(t), Refused: true,
			Remedy: "keep " + typeText(old) + ", or add a field of another name and fill it from this one, or pass Register a migration"})
	}
	return u
}

// nameOr returns the name of a Go type, or what stands for none.
func nameOr(name string) string {
	if name == "" {
		return "a type without a name"
	}
	return name
}

// follow returns t with the numbers of its structs in the next layout, and
// whether all values of old are values of t.
func (v *evolver) follow(path string, t, old *codec.Type) (u codec.Type, ok bool) {
	u = *t
	u.Name = old.Name
	if f, is := v.old.IsNullable(old, t, v.model); is {
		v.report(Difference{Kind: "value or nothing", Field: path, Detail: "a struct of a value and Valid, as an earlier release stored it, is the value, or nil where it is not valid"})
		elem, same := v.follow(path, t.Elem, &f.Type)
		u.Elem = &elem
		return u, same
	}
	switch {
	case old.BecomesPointer(t):
		v.report(Difference{Kind: "value is a pointer", Field: path, Detail: typeText(old) + " to " + typeText(t) + "; zero stays a value, and is not nil"})
		elem, ok := v.follow(path, t.Elem, old)
		u.Elem = &elem
		return u, ok
	case t.BecomesPointer(old):
		v.derefs = append(v.derefs, path)
		return v.follow(path, t, old.Elem)
	case t.Kind != old.Kind || t.Len != old.Len || t.Bits != old.Bits:
		if !old.WidensTo(t) {
			return v.fresh(path, t), false
		}
		v.report(Difference{Kind: "widened field", Field: path, Detail: typeText(old) + " to " + typeText(t)})
		return u, true
	}
	if old.Name != "" && t.Name != old.Name {
		u.Name = t.Name
		v.forms = true
		v.report(Difference{Kind: "changed marshaler", Field: path, Detail: fmt.Sprintf("%s, was %s; each stored value has to come back the same", nameOr(t.Name), old.Name)})
	}
	ok = true
	if t.Elem != nil {
		elem, same := v.follow(path, t.Elem, old.Elem)
		u.Elem, ok = &elem, same
	}
	if t.Key != nil {
		key, same := v.follow(path, t.Key, old.Key)
		u.Key, ok = &key, ok && same
	}
	if t.Kind == codec.Struct {
		u.Struct = v.nested(path, t.Struct, old.Struct)
	}
	return u, ok
}
