package memstore

import (
	"slices"

	"github.com/google/btree"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

// past is what transactions see that began before the newest version, kept only
// for them: of each key that was written since, what it had before.
//
// The invariant, of all versions that a live transaction sees:
//
//	the state at a version is the tree, but for the keys in past with a change
//	that came after the version; these have what the first such change replaced.
//
// A change is not kept where nobody sees what it replaced, so a key has no more
// of them than there are versions seen, however often it is written.
type past struct {
	tree   *btree.BTreeG[history]
	newest uint64 // the newest change's version: from there on, the state is the tree
	size   int64
	hand   occ.Entry // where the next sweep begins
	gone   []history // scratch of sweep
}

// history is what one key had.
type history struct {
	key     occ.Entry // has the key, and no memory but what the changes have
	changes *changes
}

// changes are what happened to one key, oldest first.
type changes struct {
	list []change
	room [1]change // backs a list of one
}

// change is what a key had until a version: nothing, if that is a deletion.
type change struct {
	until uint64
	old   occ.Entry
}

func newPast() past {
	return past{tree: btree.NewG(degree, func(a, b history) bool { return occ.Less(a.key, b.key) })}
}

// at returns what the key had at a version, if it has been changed since.
func (h history) at(version uint64) (old occ.Entry, changed bool) {
	for _, c := range h.changes.list {
		if c.until > version {
			return c.old, true
		}
	}
	return old, false
}

// get returns what key had at a version, if it has been changed since.
func (p *past) get(key occ.Entry, version uint64) (old occ.Entry, changed bool) {
	if h, ok := p.tree.Get(history{key: key}); ok {
		return h.at(version)
	}
	return old, false
}

// keep notes that a version replaced old, which may be absent, by the write of
// key, if one of the versions that are seen is to go on seeing it.
func (p *past) keep(version uint64, key, old occ.Entry, seen []uint64) {
	h, ok := p.tree.Get(history{key: key})
	since := uint64(0)
	if ok {
		since = h.changes.list[len(h.changes.list)-1].until
	}
	if !between(seen, since, version) {
		return
	}
	switch {
	case !ok:
		h = history{old, new(changes)}
		if old.Deleted() {
			h.key = occ.NewTombstone(key.Key())
		}
		h.changes.list = h.changes.room[:0]
		p.tree.ReplaceOrInsert(h)
	case len(h.changes.list) >= idleChanges || p.size >= idleBytes:
		p.trim(h, seen)
	}
	h.changes.list = append(h.changes.list, change{version, old})
	p.size += itemSize + int64(old.Size())
	p.newest = version
}

// between says whether one of the versions is in [from, to).
func between(seen []uint64, from, to uint64) bool {
	i, _ := slices.BinarySearch(seen, from)
	return i < len(seen) && seen[i] < to
}

// What may lie about unneeded without a look at it: so many keys, so many changes
// of each, so many bytes in all.
const (
	idleKeys    = 256
	idleChanges = 8
	idleBytes   = 1 << 20
)

// sweep drops changes that nobody needs any more, after a commit of n keys. Where
// there are many it looks at some of them, so that commits share the work: twice
// as many as they may have brought, and so many that 256 commits look at all.
func (p *past) sweep(n int, seen []uint64) {
	switch {
	case p.tree.Len() == 0:
		return
	case len(seen) == 0:
		p.tree.Clear(true)
		*p = past{tree: p.tree, gone: p.gone}
		return
	case p.tree.Len() < idleKeys && p.size < idleBytes:
		return
	}
	n = max(2*n, 64+p.tree.Len()/256)
	last := occ.Entry{}
	p.tree.AscendGreaterOrEqual(history{key: p.hand}, func(h history) bool {
		if p.trim(h, seen); len(h.changes.list) == 0 {
			p.gone = append(p.gone, h)
		}
		n--
		last = h.key
		return n >= 0
	})
	p.hand = occ.Entry{} // begin again
	if n < 0 {
		p.hand = occ.NewTombstone(last.Key())
	}
	for _, h := range p.gone {
		p.tree.Delete(h)
	}
	clear(p.gone)
	p.gone = p.gone[:0]
}

// trim drops the changes of a key that nobody needs.
func (p *past) trim(h history, seen []uint64) {
	since := uint64(0)
	h.changes.list = slices.DeleteFunc(h.changes.list, func(c change) bool {
		drop := !between(seen, since, c.until)
		since = c.until
		if drop {
			p.size -= itemSize + int64(c.old.Size())
		}
		return drop
	})
}

// merge appends to dst the state at a version in r, of which the tree has
// entries, until dst's capacity is used up.
func (p *past) merge(dst, entries []occ.Entry, r store.Range, version uint64) []occ.Entry {
	less := occ.Less
	if r.Reverse {
		less = func(a, b occ.Entry) bool { return occ.Less(b, a) }
	}
	p.walk(r, func(h history) bool {
		old, changed := h.at(version)
		if !changed {
			return true
		}
		for len(dst) < cap(dst) && len(entries) > 0 && less(entries[0], h.key) {
			dst, entries = append(dst, entries[0]), entries[1:]
		}
		if len(dst) == cap(dst) {
			return false
		}
		if len(entries) > 0 && !less(h.key, entries[0]) {
			entries = entries[1:]
		}
		if !old.Deleted() {
			dst = append(dst, old)
		}
		return len(dst) < cap(dst)
	})
	return append(dst, entries[:min(len(entries), cap(dst)-len(dst))]...)
}

// walk visits the keys in r that have changes, in its direction.
func (p *past) walk(r store.Range, visit func(history) bool) {
	lo, hi := history{key: occ.Pivot(r.Lo)}, history{key: occ.Pivot(r.Hi)}
	below := func(h history) bool { return r.Hi == nil || occ.Less(h.key, hi.key) }
	switch {
	case !r.Reverse:
		p.tree.AscendGreaterOrEqual(lo, func(h history) bool { return below(h) && visit(h) })
	case r.Hi == nil:
		p.tree.Descend(func(h history) bool { return !occ.Less(h.key, lo.key) && visit(h) })
	default:
		p.tree.DescendLessOrEqual(hi, func(h history) bool {
			return !occ.Less(h.key, lo.key) && (!below(h) || visit(h))
		})
	}
}
