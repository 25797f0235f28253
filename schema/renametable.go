package schema

import (
	"fmt"
	"slices"
	"strings"
)

// claim is which entry of a catalog is a model's table.
type claim struct {
	entry   *Entry
	renamed bool   // by was=: the entry has a former name of the model's table
	former  bool   // the model has a former name of the entry's table: that of an older program
	empty   *Entry // a table of the model's name, without records, that makes room for the entry
	twice   bool   // there are records under two names
}

// claimOf returns which table of the catalog is the model's. Of two tables with
// names that it has had, it is the one that holds records.
func (c *Catalog) claimOf(m *Model, models []*Model, holds func(table uint32) bool) claim {
	here := c.byName(m.Name)
	for _, name := range m.was {
		e := c.byName(name)
		if e == nil || isName(models, name) {
			continue
		}
		switch {
		case here == nil:
			return claim{entry: e, renamed: true}
		case !holds(e.ID):
		case holds(here.ID):
			return claim{entry: here, renamed: true, twice: true}
		default:
			return claim{entry: e, renamed: true, empty: here}
		}
	}
	if here != nil {
		return claim{entry: here}
	}
	for _, e := range c.sorted() {
		if slices.Contains(e.Was, m.Name) && !isName(models, e.Name) {
			return claim{entry: e, former: true}
		}
	}
	return claim{}
}

// isName reports whether a model has a table of the name.
func isName(models []*Model, name string) bool {
	return slices.ContainsFunc(models, func(m *Model) bool { return m.Name == name })
}

// rename gives the table its new name, or refuses that.
func (t *tablePlan) rename(c claim) {
	old := t.old.Name
	if c.twice {
		names := strings.Join(t.model.was, "|")
		t.report(Difference{Kind: "ambiguous rename", Refused: true,
			Detail: fmt.Sprintf("there are records both under %s and under its former name (was=%s)", t.model.Name, names),
			Remedy: fmt.Sprintf("copy the records of one into the other and drop that table, or leave out was=%s", names)})
		return
	}
	t.report(Difference{Kind: "renamed table", Detail: "was " + old})
	t.entry.Name = t.model.Name
	t.entry.Was = append(slices.DeleteFunc(slices.Clone(t.entry.Was), func(name string) bool { return name == t.model.Name }), old)
	if c.empty != nil {
		t.report(Difference{Kind: "removed table", Detail: "an empty one of the same name makes room"})
		t.gone = append(t.gone, c.empty.ID)
	}
}

// rememberNames has a new table know the names that its record says it had, so that
// a program from before the rename does not begin another under one of them.
func (t *tablePlan) rememberNames() {
	for _, name := range t.model.was {
		if t.planner.old.byName(name) == nil && !isName(t.resolver.models, name) {
			t.entry.Was = append(t.entry.Was, name)
		}
	}
}

// checkGone refuses that tables go to which others still refer.
func (t *tablePlan) checkGone() {
	for _, id := range t.gone {
		for _, e := range t.next.sorted() {
			if e.ID != id && slices.ContainsFunc(e.Refs, func(r RefEntry) bool { return r.Target == id }) {
				t.report(Difference{Kind: "removed table", Refused: true, Detail: fmt.Sprintf("%s refers to the empty table %s", e.Name, t.model.Name),
					Remedy: "register the record of " + e.Name + " with this one"})
			}
		}
	}
}

// reportFormer says that the program knows the table by a name that it had
// before, which is refused unless it is allowed.
func (t *tablePlan) reportFormer() {
	d := Difference{Kind: OlderProgram, Detail: fmt.Sprintf("the table is named %s now", t.old.Name)}
	v := t.old.version(t.model)
	if v == nil {
		d.Detail += ", and has had no version with these fields"
	}
	if d.Refused = v == nil || !t.opts.AllowOlder; d.Refused {
		d.Remedy = fmt.Sprintf("run a newer program, or set Options.AllowOlder to run this one; if it is another table, name it otherwise: %s", onBlank("table=NAME"))
	}
	t.report(d)
	if v != nil {
		t.key(v.Layout)
	}
}
