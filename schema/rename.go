package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/codec"
)

// findOld returns which old field f is: that with its name, or with the first
// of the names that it had; or -1.
func findOld(f *codec.Field, old []codec.Field) int {
	for _, name := range append([]string{f.Name}, f.Was...) {
		if i := slices.IndexFunc(old, func(o codec.Field) bool { return o.Name == name }); i >= 0 {
			return i
		}
	}
	return -1
}

// checkWas reports a field at a path that could be either of two old ones.
func (v *evolver) checkWas(at string, f *codec.Field, old []codec.Field) {
	var stored []string
	for _, name := range append([]string{f.Name}, f.Was...) {
		if slices.ContainsFunc(old, func(o codec.Field) bool { return o.Name == name }) || follow(v.old, name) != nil {
			stored = append(stored, name)
		}
	}
	if len(stored) < 2 {
		return
	}
	d := Difference{Kind: "ambiguous rename", Field: at, Detail: strings.Join(stored, " and ") + " are all stored, and one field can hold the values of one", Refused: true}
	if stored[0] == f.Name {
		d.Remedy = fmt.Sprintf("to keep those of %s, drop was=%s; to keep those of %s, store them by a name that is free: `kivis:\"name=NEW,was=%s\"`",
			f.Name, strings.Join(f.Was, "|"), stored[1], stored[1])
	} else {
		d.Remedy = fmt.Sprintf("name the one whose values are to be kept: `kivis:\"was=%s\"`", strings.Join(stored, "\"` or `kivis:\"was="))
	}
	v.report(d)
}

// reportGone says that an old field is gone, and refuses that where a new one
// is likely what has become of it.
func (v *evolver) reportGone(path string, j int, model, old []codec.Field) {
	gone := &old[j]
	at := joinPath(path, gone.Name)
	f := v.likeliest(gone, model, old)
	if v.isEmptied(&gone.Type) {
		f = nil
	}
	column := j
	if path != "" {
		column = anyRecord
	}
	if to, was := v.likelyMove(gone, model, old); f == nil && path == "" && to != "" && !v.migrates && !slices.Contains(v.removed, at) && v.holds(column) {
		v.report(Difference{Kind: "suspected move", Field: to, Records: v.count(column), Refused: true,
			Detail: fmt.Sprintf("%s is gone, and stored records hold values of the same name and type", at),
			Remedy: fmt.Sprintf("if it has moved, tag it `kivis:\"was=%s\"`; if %s really is to go, write %s", was, at, onBlank("removed="+at))})
		return
	}
	if f == nil || f.New || v.migrates || slices.Contains(v.removed, at) || !v.holds(column) {
		d := Difference{Kind: RemovedField, Field: at, Records: v.count(column), Detail: typeText(&gone.Type)}
		if f != nil && !f.New && !v.migrates && !slices.Contains(v.removed, at) {
			d.Remedy = "if it has become " + f.Name + ", tag that was=" + gone.Name
		}
		v.report(d)
		return
	}
	d := Difference{Kind: "suspected rename", Field: joinPath(path, f.Name), Records: v.count(column), Refused: true}
	d.Detail = fmt.Sprintf("%s is gone, %s is new and of the same type, %s, and stored records hold values", gone.Name, f.Name, typeText(&gone.Type))
	if len(f.Was) > 0 {
		d.Detail += fmt.Sprintf("; was=%s matches nothing that is stored", strings.Join(f.Was, "|"))
	}
	d.Remedy = fmt.Sprintf("if %s has become %s, tag that `kivis:\"was=%s\"`; if it really is another field, tag it `kivis:\"new\"`",
		gone.Name, f.Name, strings.Join(append([]string{gone.Name}, f.Was...), "|"))
	v.report(d)
}

// isEmptied reports whether a type is a struct all of whose fields have moved
// elsewhere, so that nothing goes with it.
func (v *evolver) isEmptied(t *codec.Type) bool {
	s := structIn(t)
	return s >= 0 && !slices.ContainsFunc(v.old.Structs[s], func(f codec.Field) bool { return !v.leaving[f.ID] })
}

// anyRecord stands for no column in a question whether records hold values.
const anyRecord = -1

// likeliest returns the new field that looks most like one that is gone: of the
// same type, and not said to be new where there is a choice; or nil.
func (v *evolver) likeliest(gone *codec.Field, model, old []codec.Field) (found *codec.Field) {
	for i := range model {
		f := &model[i]
		if _, ok := v.from[f]; ok || findOld(f, old) >= 0 || found != nil && !found.New {
			continue
		}
		if again, _ := v.revived(f, old); again != nil {
			continue
		}
		same := matcher{v.model, v.old, make(map[pair]bool)}
		if same.types(&f.Type, &gone.Type) {
			found = f
		}
	}
	return found
}

// likelyMove returns the path of a new field of the name and the type of one that is
// gone, in another struct, and what was= says of that: a field of the record that is
// now in a new struct of it, or one of a struct of the record that is now its own. It
// returns "" where there is none.
func (v *evolver) likelyMove(gone *codec.Field, model, old []codec.Field) (to, was string) {
	outer := structIn(&gone.Type)
	for i := range model {
		f := &model[i]
		if findOld(f, old) >= 0 || f.New || v.isMoved(f) {
			continue
		}
		if again, _ := v.revived(f, old); again != nil {
			continue
		}
		if inner := structIn(&f.Type); inner >= 0 && outer < 0 {
			if v.alike(v.model.Structs[inner], []codec.Field{*gone}) != "" {
				return joinPath(f.Name, gone.Name), "." + gone.Name
			}
		} else if inner < 0 && outer >= 0 {
			if v.alike([]codec.Field{*f}, v.old.Structs[outer]) != "" {
				return f.Name, joinPath(gone.Name, f.Name)
			}
		}
	}
	return "", ""
}

// isMoved reports whether was= of a field says where it was.
func (v *evolver) isMoved(f *codec.Field) bool {
	_, ok := v.from[f]
	return ok
}

// alike returns the name of a field that is in both structs, with one type, and of
// which was= says nothing; or "".
func (v *evolver) alike(model, old []codec.Field) string {
	for i := range model {
		f := &model[i]
		j := slices.IndexFunc(old, func(g codec.Field) bool { return g.Name == f.Name })
		same := matcher{v.model, v.old, make(map[pair]bool)}
		if j >= 0 && !f.New && !v.isMoved(f) && same.types(&f.Type, &old[j].Type) {
			return f.Name
		}
	}
	return ""
}
