package schema

import (
	"slices"
	"strings"

	"github.com/kivisdb/kivis/codec"
)

// Fields that have moved into a nested struct, or out of one, keep their ids: a
// converter finds by its id what lies elsewhere in older records.

// isPath reports whether a name of was= is a path from the record: .City of a field
// that was the record's own, Address.City of one that was in a nested struct.
func isPath(name string) bool { return strings.Contains(name, ".") }

// checkPath checks a path of was=.
func checkPath(name string) error {
	for _, step := range strings.Split(strings.TrimPrefix(name, "."), ".") {
		if err := checkName(step); err != nil {
			return err
		}
	}
	return nil
}

// mover tells which fields of the model are stored at another place.
type mover struct {
	from    map[*codec.Field]moved // by field of the model
	moves   []*codec.Field         // those fields
	leaving map[uint32]bool        // ids of fields of the newest layout that are to be elsewhere
}

// moved is a field that has moved.
type moved struct {
	was    *codec.Field
	path   string        // where it was
	layout *codec.Layout // in which
}

// findMoved finds what has moved: by the newest layout or, of fields that it does
// not have at all any more, by an earlier one.
func (v *evolver) findMoved() {
	v.mover = mover{from: make(map[*codec.Field]moved), leaving: make(map[uint32]bool)}
	for _, fields := range append([][]codec.Field{v.model.Fields}, v.model.Structs...) {
		for i := range fields {
			v.findMove(&fields[i])
		}
	}
}

// findMove finds what the field f of the model was, if it has moved.
func (v *evolver) findMove(f *codec.Field) {
	if !slices.ContainsFunc(f.Was, isPath) {
		return
	}
	for _, l := range append([]*codec.Layout{v.old}, v.past...) {
		for _, path := range f.Was {
			was := follow(l, path)
			if was == nil || l != v.old && v.old.Has(was.ID) {
				continue
			}
			v.moves = append(v.moves, f)
			v.from[f] = moved{was, strings.TrimPrefix(path, "."), l}
			if l == v.old {
				v.leaving[was.ID] = true
			}
			return
		}
	}
}

// follow returns the field of a layout at a path of was=, or nil.
func follow(l *codec.Layout, path string) *codec.Field {
	if !isPath(path) {
		return nil
	}
	fields := l.Fields
	steps := strings.Split(strings.TrimPrefix(path, "."), ".")
	for n, name := range steps {
		i := slices.IndexFunc(fields, func(f codec.Field) bool { return f.Name == name })
		if i < 0 {
			return nil
		}
		if n == len(steps)-1 {
			return &fields[i]
		}
		s := structIn(&fields[i].Type)
		if s < 0 {
			return nil
		}
		fields = l.Structs[s]
	}
	return nil
}

// move returns the type of a field that has moved, and says so.
func (v *evolver) move(at string, f *codec.Field, m moved) codec.Type {
	v.tell(Difference{Kind: "moved field", Field: at, Detail: "was " + m.path})
	now, report := v.old, v.report
	v.old, v.report = m.layout, v.tell
	defer func() { v.old, v.report = now, report }()
	return v.change(at, &f.Type, &m.was.Type)
}

// checkMoves refuses what is then at more places than one, or was.
func (v *evolver) checkMoves() {
	for _, f := range v.moves {
		m := v.from[f]
		if !m.layout.Only(m.was.ID) || v.out.Has(m.was.ID) && !v.out.Only(m.was.ID) {
			v.tell(Difference{Kind: "ambiguous rename", Field: f.Name, Refused: true,
				Detail: "was " + m.path + ", but a struct on one of the two ways is at several places of the record, or the field is still there",
				Remedy: "move it with kivis.Migrate"})
		}
	}
}
