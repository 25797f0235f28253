package schema

import (
	"fmt"

	"github.com/kivisdb/kivis/codec"
)

// check reports what is not whole in the entry: a part whose fields are not in
// the newest version, or an id that was not given.
func (e *Entry) check() error {
	switch {
	case e.ID == 0 || e.Name == "" || len(e.Versions) == 0:
		return fmt.Errorf("%w: no id, name or version", codec.ErrCorrupt)
	case len(e.Key.Parts) == 0:
		return fmt.Errorf("%w: no key", codec.ErrCorrupt)
	}
	for i, v := range e.Versions {
		if v.Layout == nil || v.Number == 0 || i > 0 && v.Number <= e.Versions[i-1].Number {
			return fmt.Errorf("%w: version %d", codec.ErrCorrupt, v.Number)
		}
	}
	if err := e.checkParts(e.Key.Parts, e.Key.Kind == KeyCustom); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	seen := make(map[uint32]bool)
	for i := range e.Indexes {
		x := &e.Indexes[i]
		if x.ID == 0 || x.ID >= e.NextIndex || seen[x.ID] || len(x.Parts) == 0 {
			return fmt.Errorf("%w: index %s", codec.ErrCorrupt, x.Name)
		}
		seen[x.ID] = true
		if err := e.checkParts(x.Parts, false); err != nil {
			return fmt.Errorf("index %s: %w", x.Name, err)
		}
	}
	for i := range e.Refs {
		r := &e.Refs[i]
		if len(r.Parts) == 0 || r.Index != 0 && !seen[r.Index] {
			return fmt.Errorf("%w: reference to table %d", codec.ErrCorrupt, r.Target)
		}
		if err := e.checkParts(r.Parts, false); err != nil {
			return fmt.Errorf("reference to table %d: %w", r.Target, err)
		}
	}
	return nil
}

func (e *Entry) checkParts(parts []PartEntry, computed bool) error {
	for i := range parts {
		p := &parts[i]
		if _, ok := p.find(e.newest().Layout); !ok || (len(p.Fields) == 0) != computed {
			return fmt.Errorf("%w: no fields %v", codec.ErrCorrupt, p.Fields)
		}
	}
	return nil
}
