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
	byName := make(map[string]*Model)
	for _, m := range models {
		byName[m.Name] = m
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
	for _, m := range models {
		if byName[m.Name] != nil && len(errs) == 0 {
			errs = append(errs, &Error{Type: m.Type, Err: fmt.Errorf("the catalog has no table %s yet", m.Name)})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, s.bindRefs()
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
	t := &Table{Name: e.Name, ID: e.ID, Version: newest.Number, Layout: newest.Layout, entry: e}
	for _, f := range t.Layout.Fields {
		t.Columns = append(t.Columns, Column{ID: f.ID, Name: f.Name, Type: f.Type})
	}
	t.bindKey(m)
	t.bindIndexes()
	t.bindPrefixes()
	t.bindVersions()
	if m == nil {
		return t, nil
	}
	return t, t.bindModel(m)
}

// bindKey takes the primary key from the entry.
func (t *Table) bindKey(m *Model) {
	k := &t.Key
	k.Kind, k.AutoColumn = t.entry.Key.Kind, -1
	k.Parts = findParts(t.entry.Key.Parts, t.Layout)
	k.Tuple = tupleOf(k.Parts)
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

// bindPrefixes makes the prefixes of the table's keys, all in one piece of
// memory, each without room behind it.
func (t *Table) bindPrefixes() {
	spaces := []uint32{0}
	for _, x := range t.Indexes {
		spaces = append(spaces, x.ID)
	}
	t.prefixes = make(map[uint32][]byte, len(spaces))
	for _, space := range spaces {
		t.prefixes[space] = slices.Clip(appendPrefix(nil, t.ID, space))
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
	t.Type, t.model = m.Type, m
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
