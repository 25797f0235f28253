package schema

import (
	"slices"

	"github.com/kivisdb/kivis/codec"
)

// Fields that are gone come back under their ids, which are never given again:
// records that have not been written since still hold their values.

// earlier returns the layouts of the table's versions but the newest, the
// newest first. Those of versions that were taken back are not among them.
func (e *Entry) earlier() (list []*codec.Layout) {
	for i := len(e.Versions) - 2; i >= 0; i-- {
		if !e.Versions[i].Undone {
			list = append(list, e.Versions[i].Layout)
		}
	}
	return list
}

// revived returns the field of an earlier layout that f is again, with that
// layout: one of its name, or of one that it had, and of its type, whose id no
// field of the record has now; or nil. The fields old are those now, of the same struct.
func (v *evolver) revived(f *codec.Field, old []codec.Field) (*codec.Field, *codec.Layout) {
	if f.New {
		return nil, nil
	}
	for _, l := range v.past {
		fields := v.pastOf(l, old)
		j := findOld(f, fields)
		if j < 0 || v.old.Has(fields[j].ID) {
			continue
		}
		same := matcher{v.model, l, make(map[pair]bool)}
		if same.types(&f.Type, &fields[j].Type) {
			return &fields[j], l
		}
		return nil, nil
	}
	return nil, nil
}

// pastOf returns the fields that the struct with the fields old had in an
// earlier layout: the record's, or those of the nested struct that shares one.
func (v *evolver) pastOf(l *codec.Layout, old []codec.Field) []codec.Field {
	if len(old) > 0 && len(v.old.Fields) > 0 && &old[0] == &v.old.Fields[0] {
		return l.Fields
	}
	for _, fields := range l.Structs {
		for i := range fields {
			if slices.ContainsFunc(old, func(g codec.Field) bool { return g.ID == fields[i].ID }) {
				return fields
			}
		}
	}
	return nil
}

// restore returns the type of a field that is there again as it was in an
// earlier layout.
func (v *evolver) restore(path string, f, was *codec.Field, from *codec.Layout) codec.Type {
	v.report(Difference{Kind: "restored field", Field: path, Detail: typeText(&f.Type) + "; records that have not been written since it was gone hold its values"})
	now, derefs := v.old, v.derefs
	v.old = from
	u, _ := v.follow(path, &f.Type, &was.Type)
	v.old, v.derefs = now, derefs
	return u
}
