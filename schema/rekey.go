package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/codec"
)

// A table that gets other keys becomes another table: its records are copied into
// one with an id of its own, under their new keys, and so are those of the tables
// that refer to it, with the references carried along. Then the new ones take the
// places of the old ones in one step. Until then nobody writes to any of them.

// A Move is a table that becomes another, by ids.
type Move struct{ From, To uint32 }

// copyMark ends the name of a table that is being copied into. No record type can
// ask for such a name.
const copyMark = "~"

// rekeyed is what a planner knows of moves.
type rekeyed struct {
	keyed    map[uint32]bool   // tables of the catalog that get other keys
	carrying map[uint32]bool   // tables that refer to those
	newIDs   map[uint32]uint32 // of all these, by the id that they have
}

// findMoves finds the tables that get other keys, and those that refer to them.
func (p *planner) findMoves() {
	p.rekeyed = rekeyed{make(map[uint32]bool), make(map[uint32]bool), make(map[uint32]uint32)}
	for _, m := range p.resolver.models {
		c := p.old.claimOf(m, p.resolver.models, func(id uint32) bool { return p.opts.Holds != nil && p.opts.Holds(id, anyRecord) })
		if c.entry == nil || c.former || len(c.entry.Stages) > 0 {
			continue
		}
		t := tablePlan{model: m, old: c.entry}
		if t.olderVersion() == nil && m.changesKey(c.entry) {
			p.keyed[c.entry.ID] = true
		}
	}
	for _, e := range p.old.Entries {
		if !p.keyed[e.ID] && slices.ContainsFunc(e.Refs, func(r RefEntry) bool { return p.keyed[r.Target] }) {
			p.carrying[e.ID] = true
		}
	}
}

// changesKey reports whether functions make the model's records from those of the
// table, with another key.
func (m *Model) changesKey(e *Entry) bool {
	l := e.newest().Layout
	if m.needsMigration(l, e.Key) == nil {
		return false
	}
	v := evolver{migrates: true, old: l, model: m.layout, next: 1 << 31, removed: m.removed, report: func(Difference) {}}
	v.holds, v.count = func(int) bool { return false }, func(int) int { return 0 }
	v.evolve()
	return e.Key.Kind != m.key.kind || !sameParts(partEntries(v.out, m.key.parts), e.Key.Parts)
}

// beginMove gives a table that moves its new id.
func (p *planner) beginMove(t *tablePlan) {
	id := t.old.ID
	if !p.keyed[id] && !p.carrying[id] {
		return
	}
	t.moves = true
	t.entry.Moving = 0
	if t.entry.ID = p.opts.Moving[id]; t.entry.ID == 0 {
		t.entry.ID = p.next.NextTable
		p.next.NextTable++
	}
	p.newIDs[id] = t.entry.ID
	if !p.keyed[id] {
		t.report(Difference{Kind: "carried references", Class: Rewrite, Detail: "what it refers to gets other keys"})
		return
	}
	for _, e := range p.old.sorted() {
		refers := slices.ContainsFunc(e.Refs, func(r RefEntry) bool { return r.Target == id })
		known := slices.ContainsFunc(p.resolver.models, func(m *Model) bool {
			c := p.old.claimOf(m, p.resolver.models, func(uint32) bool { return false })
			return c.entry == e && !c.former && (&tablePlan{model: m, old: e}).olderVersion() == nil
		})
		if refers && !known {
			t.report(Difference{Kind: "changed key", Refused: true, Detail: e.Name + " refers to it",
				Remedy: "register the newest record of " + e.Name + " with this one, so that its references can be carried along"})
		}
	}
}

// carried returns the paths of the fields that refer, and get other values.
func (t *tablePlan) carried() map[string]bool {
	paths := make(map[string]bool)
	for i := range t.old.Refs {
		if r := &t.old.Refs[i]; t.keyed[r.Target] {
			for _, name := range strings.Split(r.names(t.old), ",") {
				paths[name] = true
			}
		}
	}
	return paths
}

// endMove makes of the entry that of a new table, with the definition that was
// planned.
func (t *tablePlan) endMove() {
	e := t.entry
	e.Versions = e.Versions[len(e.Versions)-1:]
	e.Stages, e.Dropping = nil, nil
	e.Indexes = slices.DeleteFunc(slices.Clone(e.Indexes), func(x IndexEntry) bool { return slices.Contains(t.drop, IndexRef{e.ID, x.ID}) })
	for i := range e.Indexes {
		e.Indexes[i].State = Ready
	}
	t.drop, t.checks = nil, nil
	for i := range e.Refs {
		r := &e.Refs[i]
		if !t.isNew(r.Target) {
			continue
		}
		for j := range r.Parts {
			inKey := slices.ContainsFunc(e.Key.Parts, func(k PartEntry) bool { return slices.Equal(k.Fields, r.Parts[j].Fields) })
			nested := len(r.Parts[j].Fields) > 1
			if (inKey || nested) && !t.keyed[t.old.ID] {
				t.report(Difference{Kind: "carried reference", Field: r.names(e), Refused: true,
					Detail: "it is part of the key, or in a nested struct, and so is not carried along",
					Remedy: fmt.Sprintf("pass Register a migration for %s too, which gives the records their new keys", t.model.Name)})
			}
		}
	}
}

// isNew reports whether a table is one that another becomes.
func (p *planner) isNew(id uint32) bool {
	return slices.Contains(slices.Collect(maps.Values(p.newIDs)), id)
}

// targetOf returns the table that a stored reference is to refer to.
func (p *planner) targetOf(r RefEntry) uint32 {
	if id, ok := p.newIDs[r.Target]; ok {
		return id
	}
	return r.Target
}

// retarget has the tables that no model is planned for refer to the new tables.
func (p *planner) retarget() { p.next.retarget(p.newIDs) }

// retarget has references go to other tables, and returns the entries that differ.
func (c *Catalog) retarget(ids map[uint32]uint32) (touched []uint32) {
	for id, e := range c.Entries {
		for i := range e.Refs {
			to, ok := ids[e.Refs[i].Target]
			if !ok {
				continue
			}
			if e == c.Entries[id] {
				e = e.clone()
				touched = append(touched, id)
			}
			e.Refs[i].Target = to
		}
		c.Entries[id] = e
	}
	slices.Sort(touched)
	return slices.Compact(touched)
}

// WithoutMoves returns the catalog as if no table were becoming another, with the
// ids of the entries that differ, and those of the tables that are gone.
func (c *Catalog) WithoutMoves() (next *Catalog, touched, gone []uint32) {
	next = c.Clone()
	for id, e := range c.Entries {
		if e.Moving == 0 {
			continue
		}
		d := e.clone()
		d.Moving = 0
		next.Entries[id] = d
		touched = append(touched, id)
		if next.Entries[e.Moving] != nil {
			delete(next.Entries, e.Moving)
			gone = append(gone, e.Moving)
		}
	}
	next, touched = next.touch(touched)
	return next, touched, gone
}

// BeginMoves returns the catalog, which has no moves, once those of a change that
// was planned over it have begun: with the tables to be copied into, and those that
// are new, to which they may refer.
func (c *Catalog) BeginMoves(change *Change) (next *Catalog, touched []uint32) {
	next = c.Clone()
	next.NextTable = max(next.NextTable, change.Catalog.NextTable)
	for _, id := range change.Entries {
		if c.Entries[id] == nil {
			next.Entries[id] = change.Catalog.Entries[id]
			touched = append(touched, id)
		}
	}
	for _, v := range change.Moves {
		from, to := next.Entries[v.From].clone(), change.Catalog.Entries[v.To].clone()
		from.Moving, to.Name = v.To, to.Name+copyMark
		next.Entries[v.From], next.Entries[v.To] = from, to
		touched = append(touched, v.From)
		next.Format = max(next.Format, from.format(), to.format())
	}
	return next.touch(touched)
}

// EndMoves returns the catalog once all has been copied: the new tables have taken
// the places of the old ones, which are gone.
func (c *Catalog) EndMoves(moves []Move) (next *Catalog, touched, gone []uint32) {
	next = c.Clone()
	ids := make(map[uint32]uint32)
	for _, v := range moves {
		to := next.Entries[v.To].clone()
		to.Name = strings.TrimSuffix(to.Name, copyMark)
		next.Entries[v.To] = to
		delete(next.Entries, v.From)
		ids[v.From] = v.To
		touched, gone = append(touched, v.To), append(gone, v.From)
	}
	next, touched = next.touch(append(touched, next.retarget(ids)...))
	return next, touched, gone
}

// AreMoving reports whether the catalog has all of the moves under way.
func (c *Catalog) AreMoving(moves []Move) bool {
	return !slices.ContainsFunc(moves, func(v Move) bool {
		e := c.Entries[v.From]
		return e == nil || e.Moving != v.To || c.Entries[v.To] == nil
	})
}

// Moving returns the ids of the tables that others are becoming, by the ids of those.
func (c *Catalog) Moving() map[uint32]uint32 {
	ids := make(map[uint32]uint32)
	for id, e := range c.Entries {
		if e.Moving != 0 {
			ids[id] = e.Moving
		}
	}
	return ids
}

// Resumes reports whether the moves that are under way in the catalog are those of a
// change, so that they can go on: see [PlanOptions.Moving].
func (c *Catalog) Resumes(change *Change) bool {
	if len(change.Moves) == 0 || len(c.Moving()) != len(change.Moves) || !c.AreMoving(change.Moves) {
		return false
	}
	for _, id := range change.Entries {
		if c.Entries[id] == nil {
			return false // a new table, which they do not know of
		}
	}
	return !slices.ContainsFunc(change.Moves, func(v Move) bool {
		is, to := c.Entries[v.To], change.Catalog.Entries[v.To].clone()
		to.Name += copyMark
		return !is.sameDefinition(to)
	})
}

// Moving reports whether the table's records are being copied into another table,
// or those of another into it.
func (t *Table) Moving() bool { return t.moving }

// bindMoves marks the tables that move.
func (s *Set) bindMoves() {
	for _, t := range s.tables {
		if to := s.byID[t.entry.Moving]; to != nil {
			t.moving, to.moving = true, true
		}
	}
}

// A Mover makes the records of a table from those of the table that becomes it.
type Mover struct {
	From, To *Table
	Carried  []CarriedRef
	convert  Converter
}

// A CarriedRef is a reference whose target gets another key: as the records make it
// that are there, and as the new ones do.
type CarriedRef struct{ Was, Is *Ref }

// NewMover returns the mover of a move whose tables have a Go type, as the model of
// the new one says. from is the table as it is, among those of a Set that has all
// old tables.
func NewMover(from, to *Table, moves []Move) (*Mover, error) {
	m := &Mover{From: from, To: to}
	var err error
	if c := to.model.needsMigration(from.Layout, from.entry.Key); c != nil {
		if c.decoder, err = codec.CompileDecoder(c.hops[0].Old, c.as, c.as, StoredFields); err != nil {
			return nil, err
		}
		plain, err := codec.CompileConverter(from.Layout, c.as)
		m.convert = &migrator{to, c, plain}
		if err != nil {
			return nil, err
		}
	} else if m.convert, err = codec.CompileConverter(from.Layout, to.Layout); err != nil {
		return nil, err
	}
	for _, is := range to.Refs {
		i := slices.IndexFunc(moves, func(v Move) bool { return v.To == is.Target.ID })
		if i < 0 {
			continue
		}
		if was := earlierRef(from, is, moves[i].From); was != nil {
			m.Carried = append(m.Carried, CarriedRef{was, is})
		}
	}
	return m, nil
}

// earlierRef returns the reference to a table that has become is: that of the same
// fields or names, or the only one there is; or nil.
func earlierRef(from *Table, is *Ref, target uint32) *Ref {
	var to []*Ref
	for _, r := range from.Refs {
		if r.Target.ID != target {
			continue
		}
		if r.Name == is.Name {
			return r
		}
		same := len(r.Parts) == len(is.Parts)
		for i := 0; same && i < len(r.Parts); i++ {
			same = from.Columns[r.Parts[i].Column].ID == is.Table.Columns[is.Parts[i].Column].ID
		}
		if same {
			return r
		}
		to = append(to, r)
	}
	if len(to) == 1 {
		return to[0]
	}
	return nil
}

// IsKeyed reports whether the records get other keys, and not only refer to such.
func (m *Mover) IsKeyed() bool {
	return m.From.Key.Kind != m.To.Key.Kind || !sameParts(m.From.entry.Key.Parts, m.To.entry.Key.Parts)
}

// Convert appends the record that body, one of From's newest version, becomes. The
// columns of references are as functions or older fields have them.
func (m *Mover) Convert(dst, body []byte) ([]byte, error) { return m.convert.Convert(dst, body) }
