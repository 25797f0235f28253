package schema

import (
	"bytes"
	"slices"
)

// edit applies fn to a copy of each entry that the refs name, and returns the
// catalog with those that fn changed, and their ids.
func (c *Catalog) edit(refs []IndexRef, fn func(e *Entry, index uint32) bool) (next *Catalog, touched []uint32) {
	next = c.Clone()
	for _, ref := range refs {
		e := next.Entries[ref.Table]
		if e == nil {
			continue
		}
		if e = e.clone(); fn(e, ref.Index) {
			next.Entries[ref.Table] = e
			touched = append(touched, ref.Table)
		}
	}
	return next.touch(touched)
}

// touch counts a change of some entries.
func (c *Catalog) touch(touched []uint32) (*Catalog, []uint32) {
	slices.Sort(touched)
	touched = slices.Compact(touched)
	if len(touched) > 0 {
		c.Version++
	}
	return c, touched
}

// MarkReady returns the catalog with indexes that have been built as ready,
// and the ids of entries that differ.
func (c *Catalog) MarkReady(built []IndexRef) (next *Catalog, touched []uint32) {
	return c.edit(built, func(e *Entry, index uint32) bool {
		x := e.index(index)
		if x == nil || x.State == Ready {
			return false
		}
		x.State = Ready
		return true
	})
}

// Drop returns the catalog without some indexes, whose entries are then to be
// deleted, and the ids of entries that differ.
func (c *Catalog) Drop(indexes []IndexRef) (next *Catalog, touched []uint32) {
	return c.edit(indexes, func(e *Entry, index uint32) bool {
		n := len(e.Indexes)
		e.Indexes = slices.DeleteFunc(e.Indexes, func(x IndexEntry) bool { return x.ID == index })
		if len(e.Indexes) == n {
			return false
		}
		e.Dropping = append(e.Dropping, index)
		return true
	})
}

// FinishRewrite returns the catalog once no record of a table is of an older
// version than the newest: those versions go, and every index is ready.
func (c *Catalog) FinishRewrite(table uint32) (next *Catalog, touched []uint32) {
	return c.edit([]IndexRef{{Table: table}}, func(e *Entry, _ uint32) bool {
		changed := len(e.Versions) > 1 || len(e.Stages) > 0
		e.Versions = e.Versions[len(e.Versions)-1:]
		if len(e.Stages) > 0 {
			for i := range e.Indexes {
				e.Indexes[i].State = Ready
			}
		}
		e.Stages = nil
		return changed
	})
}

// DropTable returns the catalog without a table, and the table's id, or 0 where
// there is none of the name. The error is a [ChangeError] where other tables
// refer to it.
func (c *Catalog) DropTable(name string) (next *Catalog, id uint32, err error) {
	gone := c.byName(name)
	if gone == nil {
		return c, 0, nil
	}
	var faults []Difference
	for _, e := range c.sorted() {
		for i := range e.Refs {
			if r := &e.Refs[i]; r.Target == gone.ID && e.ID != gone.ID {
				faults = append(faults, Difference{Kind: "dropped table", Detail: e.Name + "." + r.names(e) + " refers to it",
					Remedy: "drop " + e.Name + " first, or register its record without the reference"})
			}
		}
	}
	if len(faults) > 0 {
		return c, 0, NewChangeError(name, faults...)
	}
	next = c.Clone()
	delete(next.Entries, gone.ID)
	next.Version++
	return next, gone.ID, nil
}

// Dropped returns the indexes that are gone, and whose entries may remain.
func (c *Catalog) Dropped() (list []IndexRef) {
	for _, e := range c.sorted() {
		for _, index := range e.Dropping {
			list = append(list, IndexRef{e.ID, index})
		}
	}
	return list
}

// Forget returns the catalog without a memory of dropped indexes whose entries
// have been deleted, and the ids of entries that differ.
func (c *Catalog) Forget(dropped []IndexRef) (next *Catalog, touched []uint32) {
	return c.edit(dropped, func(e *Entry, index uint32) bool {
		n := len(e.Dropping)
		e.Dropping = slices.DeleteFunc(e.Dropping, func(id uint32) bool { return id == index })
		return len(e.Dropping) < n
	})
}

// Revert returns the catalog with the tables that a change has changed as they
// were before it, the ids of entries that differ, and those of tables that are
// gone. Ids that the change gave are not given again. Indexes that it added
// are dropped; those that it dropped are built anew. What another program has
// changed since, or made anew under the name of a table that is gone, stays as
// it is now.
func (c *Catalog) Revert(before *Catalog, change *Change) (next *Catalog, touched, gone []uint32) {
	next = c.Clone()
	next.Format = before.Format
	for _, id := range change.Entries {
		now, was := next.Entries[id], before.Entries[id]
		switch {
		case now == nil || !now.sameDefinition(change.Catalog.Entries[id]):
		case was == nil:
			delete(next.Entries, id)
			gone = append(gone, id)
		default:
			next.Entries[id] = now.revert(was)
			touched = append(touched, id)
		}
	}
	for _, id := range change.Gone {
		if e := before.Entries[id]; c.byName(e.Name) == nil {
			next.Entries[id] = e
			touched = append(touched, id)
		}
	}
	for _, e := range next.Entries {
		next.Format = max(next.Format, e.format())
	}
	if len(gone) > 0 && len(touched) == 0 {
		next.Version++
	}
	next, touched = next.touch(touched)
	return next, touched, gone
}

// Overtaken reports whether another program has changed the definition of a
// table since change was made to the catalog, or dropped it.
func (c *Catalog) Overtaken(change *Change) bool {
	return slices.ContainsFunc(change.Entries, func(id uint32) bool {
		now := c.Entries[id]
		return now == nil || !now.sameDefinition(change.Catalog.Entries[id])
	})
}

// sameDefinition reports whether two entries are of one definition of a table,
// whatever has been built or emptied of its indexes.
func (e *Entry) sameDefinition(other *Entry) bool {
	return bytes.Equal(e.definition().Encode(), other.definition().Encode())
}

// definition returns the entry without what the work on its indexes changes.
func (e *Entry) definition() *Entry {
	d := e.clone()
	d.Dropping = nil
	for i := range d.Indexes {
		d.Indexes[i].State = Building
	}
	return d
}

// revert returns the entry as it was, but for what is never given again, and
// for versions of which there may be records.
func (e *Entry) revert(was *Entry) *Entry {
	next := was.clone()
	next.NextField, next.NextIndex = e.NextField, e.NextIndex
	next.Versions = slices.Clone(e.Versions)
	if e.newest().Number != was.newest().Number {
		next.newest().Undone = true
		next.Versions = append(next.Versions, Version{Number: e.newest().Number + 1, Layout: was.newest().Layout})
	}
	next.Dropping = nil
	for i := range next.Indexes {
		if e.index(next.Indexes[i].ID) == nil {
			next.Indexes[i].State = Building
		}
	}
	for _, id := range e.Dropping {
		if next.index(id) == nil {
			next.Dropping = append(next.Dropping, id)
		}
	}
	for i := range e.Indexes {
		if id := e.Indexes[i].ID; next.index(id) == nil {
			next.Dropping = append(next.Dropping, id)
		}
	}
	return next
}
