package schema

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/codec"
)

// Bind returns the tables of a catalog: those of the models with their Go
// side, others from the catalog alone. A model must be of a version that its
// table has had, as it is once its [Plan] is in the catalog.
func Bind(c *Catalog, models []*Model) (*Set, error) {
	s := &Set{
		version: c.Version,
		byType:  make(map[reflect.Type]*Table),
		byName:  make(map[string]*Table),
		byID:    make(map[uint32]*Table),
	}
	byName := make(map[string]*Model) // by the name of the table in the catalog
	for _, m := range models {
		if e := c.claimOf(m, models, func(uint32) bool { return false }).entry; e != nil {
			byName[e.Name] = m
		} else {
			byName[m.Name] = m
		}
	}
	var errs []error
	for _, e := range c.sorted() {
		t, err := bindTable(e, byName[e.Name])
		if err != nil {
			errs = append(errs, err)
			continue
		}
		delete(byName, e.Name)
		s.add(t)
	}
	for name, m := range byName {
		if len(errs) == 0 {
			errs = append(errs, &Error{Type: m.Type, Err: fmt.Errorf("the catalog has no table %s yet", name)})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s.bindMoves()
	return s, s.bindRefs()
}

// BindFitting is Bind of those of the models that fit the catalog. Of the others
// [Set.Misfit] says why they do not.
func BindFitting(c *Catalog, models []*Model) (*Set, error) {
	misfits := make(map[reflect.Type]*Misfit)
	fit := slices.DeleteFunc(slices.Clone(models), func(m *Model) bool {
		_, err := Bind(c, []*Model{m})
		if err != nil {
			entry := c.claimOf(m, models, func(uint32) bool { return false }).entry
			misfits[m.Type] = &Misfit{Table: m.Name, Gone: entry == nil, Err: err}
		}
		return err != nil
	})
	set, err := Bind(c, fit)
	if err == nil {
		set.misfits = misfits
	}
	return set, err
}

// add adds a table to a set that is being made.
func (s *Set) add(t *Table) {
	s.tables = append(s.tables, t)
	s.byName[t.Name], s.byID[t.ID] = t, t
	if t.Type != nil {
		s.byType[t.Type] = t
	}
}

// bindTable returns the table of an entry, all but its references.
func bindTable(e *Entry, m *Model) (*Table, error) {
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("schema: catalog: table %s: %w", e.Name, err)
	}
	newest := e.newest()
	t := &Table{Name: e.Name, ID: e.ID, Version: newest.Number, Layout: newest.Layout, entry: e, Validates: e.Validates}
	for _, f := range t.Layout.Fields {
		t.Columns = append(t.Columns, Column{ID: f.ID, Name: f.Name, Type: f.Type})
	}
	t.bindKey(m)
	t.bindIndexes()
	t.bindPrefixes()
	t.bindVersions()
	if m != nil {
		if err := t.bindModel(m); err != nil {
			return t, err
		}
	}
	return t, t.bindStages(m)
}

// bindKey takes the primary key from the entry.
func (t *Table) bindKey(m *Model) {
	k := &t.Key
	k.Kind, k.AutoColumn = t.entry.Key.Kind, -1
	k.Parts = findParts(t.entry.Key.Parts, t.Layout)
	k.Tuple = tupleOf(k.Parts)
	t.keyForm = string(codec.AppendKeyType(nil, k.Tuple))
	switch k.Kind {
	case KeyAuto, KeyUUID, KeyContent:
		k.AutoColumn = k.Parts[len(k.Parts)-1].Column
	}
	if m != nil {
		k.GoType, k.Method = m.key.goType, m.key.method
	}
}

// tupleOf returns the type of parts one after the other.
func tupleOf(parts []Part) codec.KeyType {
	k := codec.KeyType{Kind: codec.Struct, Parts: make([]codec.KeyType, len(parts))}
	for i := range parts {
		k.Parts[i] = parts[i].Key
	}
	return k
}

func (t *Table) bindIndexes() {
	for i := range t.entry.Indexes {
		e := &t.entry.Indexes[i]
		x := &Index{ID: e.ID, Name: e.Name, Unique: e.Unique, Ref: e.Ref, State: e.State, Parts: findParts(e.Parts, t.Layout)}
		x.Tuple = tupleOf(x.Parts)
		t.Indexes = append(t.Indexes, x)
	}
}

// maxPrefixes bounds for how many spaces of a table prefixes are kept.
const maxPrefixes = 1024

// bindPrefixes makes the prefixes of the table's keys, each without room
// behind it.
func (t *Table) bindPrefixes() {
	t.prefixes = make([][]byte, min(t.entry.NextIndex, maxPrefixes))
	for space := range t.prefixes {
		t.prefixes[space] = slices.Clip(appendPrefix(nil, t.ID, uint32(space)))
	}
}

func appendPrefix(dst []byte, table, space uint32) []byte {
	return codec.AppendUint(codec.AppendUint(dst, uint64(table)), uint64(space))
}

// bindVersions prepares what older records are converted with.
func (t *Table) bindVersions() {
	t.versions = make(map[uint32]*version, len(t.entry.Versions))
	for _, v := range t.entry.Versions {
		t.versions[v.Number] = &version{layout: v.Layout}
	}
}

// bindModel adds the table's Go side.
func (t *Table) bindModel(m *Model) error {
	v := t.entry.version(m)
	if v == nil {
		return &Error{Type: m.Type, Err: fmt.Errorf("no version of the table %s has the fields of this struct: its schema has changed meanwhile", t.Name)}
	}
	t.Type, t.model, t.own = m.Type, m, v.Layout
	known := 0
	for i := range v.Layout.Fields {
		f := &m.fields.list[i]
		for j := range t.Columns {
			if c := &t.Columns[j]; c.ID == v.Layout.Fields[i].ID {
				c.GoName, c.Offset, c.GoType = f.Name, f.Offset, f.Type
				known++
			}
		}
	}
	t.older = known < len(t.Columns)
	if err := t.compile(v.Layout); err != nil {
		return &Error{Type: m.Type, Err: fmt.Errorf("the table %s, which is at version %d now, does not fit this struct of version %d: %w", t.Name, t.Version, v.Number, err)}
	}
	return nil
}

// compile makes the encoder and decoder of the table's Go type, whose fields
// are those of the layout own, for the newest layout.
func (t *Table) compile(own *codec.Layout) error {
	as := t.Layout
	if own != t.Layout {
		as = renamed(t.Layout, own)
		t.older = t.older || len(losses(own, t.Layout)) > 0
	}
	var err error
	if t.encoder, err = codec.CompileEncoder(t.Type, as, StoredFields); err != nil {
		return err
	}
	if t.decoder, err = codec.CompileDecoder(t.Type, as, as, StoredFields); err != nil {
		return err
	}
	if t.Key.Kind == KeyCustom {
		return t.bindMethod()
	}
	return t.bindKeyFields()
}

// bindRefs connects the tables by their references.
func (s *Set) bindRefs() error {
	for _, t := range s.tables {
		for i := range t.entry.Refs {
			e := &t.entry.Refs[i]
			target := s.byID[e.Target]
			if target == nil {
				return fmt.Errorf("schema: catalog: table %s: %w: a reference to table %d", t.Name, codec.ErrCorrupt, e.Target)
			}
			r, err := newRef(t, target, e)
			if err != nil {
				return fmt.Errorf("schema: catalog: table %s: %w", t.Name, err)
			}
			t.Refs = append(t.Refs, r)
			target.Incoming = append(target.Incoming, r)
		}
	}
	return nil
}

func partNames(parts []Part) string {
	names := make([]string, len(parts))
	for i := range parts {
		names[i] = parts[i].Name
	}
	return strings.Join(names, ",")
}
