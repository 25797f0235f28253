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
	column := j
	if path != "" {
		column = anyRecord
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
