package schema

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/codec"
)

// PlanOptions are what [Plan] allows.
type PlanOptions struct {
	AllowOlder bool // structs that lack fields which the catalog has got since

	// Holds reports whether a stored record of a table holds a value in a column
	// of its newest layout, neither nil nor zero, or, for the column -1, whether
	// there is a record at all. What would lose such values, and looks like a
	// mistake, is refused. A nil Holds says that nothing is held.
	Holds func(table uint32, column int) bool

	// Count returns how many stored records of a table hold a value in a column,
	// or, for the column -1, how many records there are. It is asked for the
	// Records of each Difference: those that hold a value in a field that is gone,
	// or else all of the table. Nil leaves them 0.
	Count func(table uint32, column int) int

	// Nils returns what stored records of a table hold that is nil where a next
	// layout has a value in the place of a pointer, by the path of stored names.
	// A nil Nils says that nothing is.
	Nils func(table uint32, next *codec.Layout) map[string]Nils

	// Moving has the ids of tables that others are becoming already, by the ids of
	// those: see [Catalog.Moving]. Moves of these tables go on with them.
	Moving map[uint32]uint32
}

// Nils are the stored records in which something is nil.
type Nils struct {
	Records int
	Keys    []string // of the first of them
}

// An IndexRef names an index by ids.
type IndexRef struct {
	Table, Index uint32
}

// A RefCheck names a reference by the table that makes it and its number
// among the table's references.
type RefCheck struct {
	Table uint32
	Ref   int
}

// A Change is what a catalog must go through to be that of a program's models.
type Change struct {
	Catalog *Catalog   // afterwards, but for what is in Build and Drop
	Entries []uint32   // the ids of entries that differ
	Gone    []uint32   // the ids of tables that go, if they are empty
	Migrate []uint32   // tables whose records are to be rewritten by functions, which ends with [Catalog.FinishRewrite]
	Rewrite []uint32   // tables whose records are to be brought to the newest version, which ends likewise
	Diff    Diff       // in words; tables with refused differences are as they were
	Build   []IndexRef // indexes to fill from the stored records, then to be made ready with [Catalog.MarkReady]
	Drop    []IndexRef // indexes to be dropped with [Catalog.Drop] once nothing can go wrong; they are maintained until then
	Checks  []RefCheck // references that stored records may break
	Nils    []uint32   // tables in which a pointer has become a value: no record may hold a nil there
	Moves   []Move     // tables that get other keys, or refer to such: to be made before all else, which is then planned anew
	Forms   []uint32   // tables of which a type marshals itself in a way that may be another: each record must come back the same
}

// Plan compares models with a catalog, and returns what is to change. It
// changes nothing itself. The error reports references to nothing; what is
// refused is in the Diff.
//
// Tables that no model has stay as they are. Ids are given to new tables in
// the order of their names, and to new fields and indexes in that of their
// structs, so they do not depend on the order of models.
func Plan(c *Catalog, models []*Model, opts PlanOptions) (*Change, error) {
	r := resolver{catalog: c, models: slices.Clone(models)}
	slices.SortFunc(r.models, func(a, b *Model) int { return strings.Compare(a.Name, b.Name) })
	if r.resolve(); len(r.faults) > 0 {
		return nil, joinFaults(r.faults)
	}
	p := planner{old: c, next: c.Clone(), opts: opts, resolver: &r, ids: make(map[string]uint32)}
	p.findMoves()
	tables := make([]*tablePlan, 0, len(r.models))
	for _, m := range r.models {
		tables = append(tables, p.table(m))
	}
	for _, t := range tables {
		t.finish()
	}
	p.retarget()
	for _, t := range tables {
		t.checkGone()
	}
	return p.change(tables), nil
}

// A planner plans the changes of a catalog.
type planner struct {
	old, next *Catalog
	opts      PlanOptions
	resolver  *resolver
	ids       map[string]uint32 // of tables, by name
	rekeyed
}

// A tablePlan plans the changes of one table.
type tablePlan struct {
	*planner
	model  *Model
	entry  *Entry // as it becomes
	old    *Entry // as it is; nil for a new table
	diff   []Difference
	older  bool // the model is older than the table, so the table stays
	drop   []IndexRef
	checks []RefCheck
	forms  bool // see Change.Forms
	nils   bool // see Change.Nils
	gone   []uint32
	chain  *chain // the migration that this change begins; nil in none
	moves  bool   // it becomes another table
}

// table plans all of a table but its references, which need the ids of every
// table.
func (p *planner) table(m *Model) *tablePlan {
	c := p.old.claimOf(m, p.resolver.models, func(id uint32) bool { return p.opts.Holds != nil && p.opts.Holds(id, anyRecord) })
	t := &tablePlan{planner: p, model: m, old: c.entry}
	if t.old == nil {
		t.entry = &Entry{ID: p.next.NextTable, Name: m.Name, NextField: 1, NextIndex: 1}
		p.next.NextTable++
		t.report(Difference{Kind: "new table"})
		t.rememberNames()
		t.checkRenamed()
	} else {
		t.entry = t.old.clone()
		p.beginMove(t)
	}
	p.ids[m.Name] = t.entry.ID
	if c.former {
		t.older = true
		t.reportFormer()
		return t
	}
	if c.renamed {
		t.rename(c)
	}
	if v := t.olderVersion(); v != nil {
		t.older = true
		t.reportOlder(v)
		t.key(v.Layout)
		return t
	}
	t.layout()
	t.entry.Key = t.key(t.entry.newest().Layout)
	t.validates()
	return t
}

// validates notes whether the program validates the table's records.
func (t *tablePlan) validates() {
	if t.entry.Validates == t.model.validates {
		return
	}
	t.entry.Validates = t.model.validates
	detail := "the record type has no method Validate any more"
	if t.model.validates {
		detail = "the record type has a method Validate, so programs without the type may not write"
	}
	t.report(Difference{Kind: ChangedValidation, Detail: detail})
}

// checkRenamed refuses a new table that looks like one that no model has any
// more, and that holds records: its record type may have another name now.
func (t *tablePlan) checkRenamed() {
	if t.model.named || t.opts.Holds == nil {
		return
	}
	for _, e := range t.planner.old.sorted() {
		taken := slices.ContainsFunc(t.resolver.models, func(m *Model) bool { return m.Name == e.Name })
		if taken || !sameLayout(e.newest().Layout, t.model.layout) || e.Key.Kind != t.model.key.kind || !t.opts.Holds(e.ID, anyRecord) {
			continue
		}
		t.diff = append(t.diff, Difference{Table: t.model.Name, Kind: "suspected rename", Class: Refused, Refused: true, Records: t.count(e.ID, anyRecord),
			Detail: fmt.Sprintf("no record of this Register has the table %s, which holds records with the same fields", e.Name),
			Remedy: fmt.Sprintf("if %s is its record type under another name, write %s; if it is another table, name it: %s",
				typeName(t.model.Type), onBlank("table="+e.Name), onBlank("table="+t.model.Name))})
	}
}

// finish plans indexes and references, and puts the table into the catalog.
func (t *tablePlan) finish() {
	if t.older {
		return
	}
	t.indexes()
	t.refs()
	if t.moves {
		t.endMove()
	} else if t.chain != nil {
		t.buildAll()
		t.checks = nil // the check of the migration looks at references
	}
	if t.refused() {
		return
	}
	t.next.Entries[t.entry.ID] = t.entry
	if t.moves {
		delete(t.next.Entries, t.old.ID)
	}
	for _, id := range t.gone {
		delete(t.next.Entries, id)
	}
}

// report notes a difference, which concerns all stored records of the table
// unless it says how many. Those of a new table are not told one by one.
func (t *tablePlan) report(d Difference) {
	if t.old == nil && len(t.diff) > 0 {
		return
	}
	d.Table = t.model.Name
	if d.Refused {
		d = d.refuse()
	}
	if d.Records == 0 && t.old != nil {
		d.Records = t.count(t.old.ID, anyRecord)
	}
	t.diff = append(t.diff, d)
}

// count asks the options' Count.
func (p *planner) count(table uint32, column int) int {
	if p.opts.Count == nil {
		return 0
	}
	return p.opts.Count(table, column)
}

func (t *tablePlan) refused() bool {
	return slices.ContainsFunc(t.diff, func(d Difference) bool { return d.Refused })
}

// layout plans the next layout, and a version of it unless nothing differs.
func (t *tablePlan) layout() {
	newest := &codec.Layout{}
	if t.old != nil {
		newest = t.old.newest().Layout
	}
	if t.old != nil {
		if t.chain = t.model.needsMigration(newest, t.old.Key); t.chain != nil {
			t.report(Difference{Kind: "migration", Class: Rewrite, Detail: t.chain.text()})
			if !t.moves {
				t.entry.Stages = append(t.entry.Stages, t.old.newest().Number)
			}
		}
	}
	v := evolver{migrates: t.chain != nil, old: newest, model: t.model.layout, next: t.entry.NextField, report: t.report, removed: t.model.removed, holds: t.holds, count: t.countColumn}
	if t.moves {
		v.carried = t.carried()
	}
	if t.old != nil {
		v.past = t.old.earlier()
	}
	v.evolve()
	t.entry.NextField = v.next
	if t.old == nil {
		t.entry.Versions = []Version{{Number: 1, Layout: v.out}}
	} else if !v.out.Equal(newest) {
		t.entry.Versions = append(t.entry.Versions, Version{Number: t.old.newest().Number + 1, Layout: v.out})
	} else if v.forms {
		t.entry.newest().Layout = v.out
	}
	t.forms, t.nils = v.forms, len(v.derefs) > 0
	t.reportNils(v)
	if t.rewrites() {
		t.report(Difference{Kind: "rewrite", Class: Rewrite, Detail: fmt.Sprintf("to version %d; older versions go", t.entry.newest().Number)})
	}
}

// rewrites reports whether older records are to be brought to the newest version
// without functions.
func (t *tablePlan) rewrites() bool {
	return t.model.rewrite && len(t.entry.Versions) > 1 && len(t.entry.Stages) == 0
}

// reportNils says which pointers have become values, and refuses those that are
// nil in stored records.
func (t *tablePlan) reportNils(v evolver) {
	var found map[string]Nils
	if len(v.derefs) > 0 && t.opts.Nils != nil {
		found = t.opts.Nils(t.old.ID, v.out)
	}
	for _, path := range v.derefs {
		d := Difference{Kind: "pointer is a value", Field: path}
		if n := found[path]; n.Records > 0 {
			d.Refused, d.Records = true, n.Records
			d.Detail = "it is nil in the stored records " + keysText(n.Records, n.Keys)
			d.Remedy = "write a value into each of them, or keep the pointer, or pass Register a migration that fills them"
		}
		t.report(d)
	}
}

// keysText lists keys, of which there are n.
func keysText(n int, keys []string) string {
	text := strings.Join(keys, ", ")
	if n > len(keys) {
		text += fmt.Sprintf(" and %d more", n-len(keys))
	}
	return text
}

// holds asks the options' Holds about the table as it is.
func (t *tablePlan) holds(column int) bool {
	return t.old != nil && t.opts.Holds != nil && t.opts.Holds(t.old.ID, column)
}

// countColumn asks the options' Count about the table as it is. A column that
// is negative stands for all records.
func (t *tablePlan) countColumn(column int) int {
	if t.old == nil {
		return 0
	}
	return t.count(t.old.ID, column)
}

// key returns the primary key, which may not change. The layout is that of the
// model.
func (t *tablePlan) key(l *codec.Layout) KeyEntry {
	key := KeyEntry{Kind: t.model.key.kind, Parts: partEntries(l, t.model.key.parts)}
	if t.old != nil && (key.Kind != t.old.Key.Kind || !sameParts(key.Parts, t.old.Key.Parts)) {
		before, after := t.old.Key.text(t.old.newest().Layout), key.text(l)
		if before == after && slices.ContainsFunc(key.Parts, func(p PartEntry) bool { return p.Key.HasOwn() }) {
			after += " of other fields"
		}
		if t.moves && t.keyed[t.old.ID] {
			t.report(Difference{Kind: "changed key", Class: Rewrite, Detail: before + " to " + after + "; references to it are carried along"})
			return key
		}
		t.report(Difference{Kind: "changed key", Refused: true, Detail: before + " to " + after,
			Remedy: "keep the key, or pass Register a migration that makes the records with the new one"})
	}
	return key
}

// indexes plans the indexes. One that differs under the name that it had is
// another index.
func (t *tablePlan) indexes() {
	l := t.entry.newest().Layout
	had, kept := t.entry.Indexes, make([]bool, len(t.entry.Indexes))
	t.entry.Indexes = nil
	want := make([]IndexEntry, len(t.model.indexes))
	for i, x := range t.model.indexes {
		want[i] = IndexEntry{Name: x.name, Unique: x.unique, Ref: x.ref, Parts: partEntries(l, x.parts)}
		if j := findIndex(&want[i], had, kept, true); j >= 0 {
			kept[j] = true
			want[i].ID, want[i].State = had[j].ID, had[j].State
		}
	}
	for i := range want {
		if want[i].ID == 0 {
			t.findOrAdd(&want[i], had, kept)
		}
	}
	t.entry.Indexes = want
	for j := range had {
		if !kept[j] {
			t.dropIndex(&had[j])
		}
	}
}

// buildAll has no index be read while the records change under it.
func (t *tablePlan) buildAll() {
	for i := range t.entry.Indexes {
		t.entry.Indexes[i].State = Building
	}
}

// able reports whether the model has functions for all stages of the table.
func (t *tablePlan) able() bool {
	for _, number := range t.entry.Stages {
		i := slices.IndexFunc(t.entry.Versions, func(v Version) bool { return v.Number == number })
		if i < 0 || t.model.chainFrom(t.entry.Versions[i].Layout) == nil {
			return false
		}
	}
	return true
}

// findIndex returns which of the indexes is x, by its name too or whatever
// its name was, or -1.
func findIndex(x *IndexEntry, had []IndexEntry, kept []bool, byName bool) int {
	for j := range had {
		y := &had[j]
		if !kept[j] && x.Unique == y.Unique && sameParts(x.Parts, y.Parts) && (!byName || x.Name == y.Name) {
			return j
		}
	}
	return -1
}

// findOrAdd plans an index that is new, or had another name.
func (t *tablePlan) findOrAdd(x *IndexEntry, had []IndexEntry, kept []bool) {
	if j := findIndex(x, had, kept, false); j >= 0 {
		kept[j] = true
		x.ID, x.State = had[j].ID, had[j].State
		t.report(Difference{Kind: "renamed index", Index: x.Name, Detail: "was " + had[j].Name})
		return
	}
	x.ID = t.entry.NextIndex
	t.entry.NextIndex++
	if t.old == nil {
		return
	}
	x.State = Building
	kind := "new index"
	if slices.ContainsFunc(had, func(y IndexEntry) bool { return y.Name == x.Name }) {
		kind = "changed index"
	}
	t.report(Difference{Kind: kind, Class: Build, Index: x.Name, Detail: x.text(t.entry.newest().Layout)})
}

// dropIndex plans that an index goes: at once if its fields are gone, or else
// when the new ones are built, until which it is maintained.
func (t *tablePlan) dropIndex(x *IndexEntry) {
	l := t.old.newest().Layout
	if t.model.index(x.Name) == nil {
		t.report(Difference{Kind: "removed index", Index: x.Name, Detail: x.text(l)})
	}
	if !x.fits(t.entry.newest().Layout) {
		t.entry.Dropping = append(t.entry.Dropping, x.ID)
		return
	}
	t.entry.Indexes = append(t.entry.Indexes, *x)
	t.drop = append(t.drop, IndexRef{t.entry.ID, x.ID})
}

// change puts the plans of all tables together.
func (p *planner) change(tables []*tablePlan) *Change {
	c := &Change{Catalog: p.next}
	for _, t := range tables {
		c.Diff.Changes = append(c.Diff.Changes, t.diff...)
		if t.older || t.refused() {
			continue
		}
		if t.old == nil || !bytes.Equal(t.old.Encode(), t.entry.Encode()) {
			c.Entries = append(c.Entries, t.entry.ID)
			c.Catalog.Format = max(c.Catalog.Format, t.entry.format())
		}
		if t.moves {
			c.Moves = append(c.Moves, Move{t.old.ID, t.entry.ID})
			continue
		}
		c.Gone, c.Drop, c.Checks = append(c.Gone, t.gone...), append(c.Drop, t.drop...), append(c.Checks, t.checks...)
		if len(t.entry.Stages) > 0 {
			if t.able() {
				c.Migrate = append(c.Migrate, t.entry.ID)
			}
			continue
		}
		if t.rewrites() {
			c.Rewrite = append(c.Rewrite, t.entry.ID)
		}
		for i := range t.entry.Indexes {
			x := IndexRef{t.entry.ID, t.entry.Indexes[i].ID}
			if t.entry.Indexes[i].State == Building && !slices.Contains(t.drop, x) {
				c.Build = append(c.Build, x)
			}
		}
		if t.nils {
			c.Nils = append(c.Nils, t.entry.ID)
		}
		if t.forms {
			c.Forms = append(c.Forms, t.entry.ID)
		}
	}
	slices.Sort(c.Entries)
	if len(c.Entries) > 0 {
		c.Catalog.Version++
	}
	return c
}
