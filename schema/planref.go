package schema

import (
	"fmt"
	"slices"
	"strings"
)

// refs plans the references of a table, once all tables have their ids.
func (t *tablePlan) refs() {
	l := t.entry.newest().Layout
	had := t.entry.Refs
	t.entry.Refs = nil
	for i, r := range t.model.refs {
		want := RefEntry{Target: t.targetID(r), Optional: r.optional, Deferred: r.deferred, OnDelete: r.onDelete, Parts: partEntries(l, r.parts)}
		if r.index != nil {
			j := slices.IndexFunc(t.entry.Indexes, func(x IndexEntry) bool { return x.Name == r.index.name })
			want.Index = t.entry.Indexes[j].ID
		}
		j := slices.IndexFunc(had, func(x RefEntry) bool { return t.targetOf(x) == want.Target && sameParts(x.Parts, want.Parts) })
		if j < 0 && t.moves && t.isNew(want.Target) {
			had = slices.DeleteFunc(slices.Clone(had), func(x RefEntry) bool { return t.targetOf(x) == want.Target && x.names(t.old) == r.names() })
		} else if j < 0 {
			t.report(Difference{Kind: "new reference", Field: r.names(), Detail: "to " + t.tableName(want.Target)})
			t.check(i)
		} else {
			t.compareRef(i, &had[j], &want)
			had = slices.Delete(slices.Clone(had), j, j+1)
		}
		t.entry.Refs = append(t.entry.Refs, want)
	}
	for _, r := range had {
		t.report(Difference{Kind: "removed reference", Field: r.names(t.old), Detail: "to " + t.tableName(r.Target)})
	}
}

// targetID returns the id of the table that a reference refers to.
func (t *tablePlan) targetID(r *modelRef) uint32 {
	if to := t.resolver.targets[r]; to.model != nil {
		return t.ids[to.model.Name]
	} else {
		return to.entry.ID
	}
}

func (t *tablePlan) tableName(id uint32) string {
	for name, other := range t.ids {
		if other == id {
			return name
		}
	}
	if e := t.next.Entries[id]; e != nil {
		return e.Name
	}
	return fmt.Sprintf("table %d", id)
}

// compareRef says how a reference differs from what it was.
func (t *tablePlan) compareRef(i int, had, want *RefEntry) {
	names := t.model.refs[i].names()
	if had.OnDelete != want.OnDelete {
		t.report(Difference{Kind: "changed reference", Field: names, Detail: fmt.Sprintf("ondelete=%v, was %v", want.OnDelete, had.OnDelete)})
	}
	if had.Optional != want.Optional {
		detail := "no longer optional"
		if want.Optional {
			detail = "optional"
		}
		t.report(Difference{Kind: "changed reference", Field: names, Detail: detail})
	}
	if had.Deferred != want.Deferred {
		detail := "checked at the end of each call"
		if want.Deferred {
			detail = "checked when the transaction commits"
		}
		t.report(Difference{Kind: "changed reference", Field: names, Detail: detail})
	}
	if had.Optional && !want.Optional || had.OnDelete == NoAction && want.OnDelete != NoAction {
		t.check(i)
	}
}

// check notes that stored records may break a reference.
func (t *tablePlan) check(i int) {
	if t.old != nil {
		t.checks = append(t.checks, RefCheck{t.entry.ID, i})
	}
}

// names returns the stored names of the fields that refer, joined by commas.
func (r *RefEntry) names(e *Entry) string {
	names := make([]string, len(r.Parts))
	for i := range r.Parts {
		p, _ := r.Parts[i].find(e.newest().Layout)
		names[i] = p.Name
	}
	return strings.Join(names, ",")
}
