package occ

import (
	"errors"
	"iter"

	"github.com/google/btree"

	"github.com/kivisdb/kivis/store"
)

// An overlay of up to smallOverlay writes is a sorted slice, beyond that a
// B-tree: most transactions write a record and a handful of index entries.
const (
	smallOverlay = 64
	treeDegree   = 16
)

var errNoSavepoint = errors.New("store: savepoint has been released or rolled back")

// Overlay is an ordered set of writes: the last one of each key, deletions as
// tombstones. A cursor shows it as of the cursor's opening. The zero value is
// an empty overlay. It belongs to one goroutine at a time, its cursors each to
// one of their own.
type Overlay struct {
	small  []Entry // sorted; used while tree is nil
	tree   *btree.BTreeG[Entry]
	shared bool // a cursor reads small or tree: copy before the next write
	size   int

	marks  []mark
	undos  []undo // what to put back, newest last; kept only while there are marks
	serial store.Savepoint
}

type mark struct {
	id    store.Savepoint
	undos int // how many there were when the mark was set
}

type undo struct {
	entry Entry // the one before the write, or the one written
	had   bool  // whether there was one before
}

// Len returns the number of keys written.
func (o *Overlay) Len() int {
	if o.tree != nil {
		return o.tree.Len()
	}
	return len(o.small)
}

// Size returns the number of bytes in the keys and values.
func (o *Overlay) Size() int { return o.size }

// Get returns the last write of key, which may be a deletion.
func (o *Overlay) Get(key []byte) (Entry, bool) {
	if o.tree != nil {
		return o.tree.Get(Pivot(key))
	}
	i := lowerBound(o.small, Pivot(key))
	if i < len(o.small) && equal(o.small[i], Pivot(key)) {
		return o.small[i], true
	}
	return Entry{}, false
}

// Set writes copies of key and value. A key that was new stays so.
func (o *Overlay) Set(key, value []byte) {
	e := NewEntry(key, value)
	if old, had := o.Put(e); had && old.Created() {
		e.create()
	}
}

// Create is Set of a key that is absent, unless this overlay has deleted it.
func (o *Overlay) Create(key, value []byte) {
	e := NewEntry(key, value)
	if old, had := o.Put(e); !had || old.Created() {
		e.create()
	}
}

// SetSealed is Set, or Create, of a value that needs no check by who reads it.
func (o *Overlay) SetSealed(key, value []byte, created bool) {
	e := NewEntry(key, value)
	e.mark(markSealed)
	if old, had := o.Put(e); had && old.Created() || !had && created {
		e.create()
	}
}

// Delete writes a tombstone for a copy of key. A key that was created here is
// taken out: it has never been anywhere else.
func (o *Overlay) Delete(key []byte) {
	old, had := o.Get(key)
	if !had || !old.Created() {
		o.Put(NewTombstone(key))
		return
	}
	o.remove(old)
	if len(o.marks) > 0 {
		o.undos = append(o.undos, undo{old, true})
	}
}

// Put writes e and returns what it has replaced.
func (o *Overlay) Put(e Entry) (old Entry, had bool) {
	old, had = o.put(e)
	switch {
	case len(o.marks) == 0:
	case had:
		o.undos = append(o.undos, undo{old, had})
	default:
		o.undos = append(o.undos, undo{e, had})
	}
	return old, had
}

// Absorb writes every entry of p on top of o's own, sharing their memory. Whether
// a key is new is what the first to write it says; one that was is taken out by
// its deletion.
func (o *Overlay) Absorb(p *Overlay) {
	for e := range p.All() {
		old, had := o.Put(e)
		switch {
		case !had || e.Created() == old.Created():
		case e.Deleted():
			o.remove(e)
		default:
			o.Put(e.as(old.Created()))
		}
	}
}

// put writes e and returns what it replaced.
func (o *Overlay) put(e Entry) (Entry, bool) {
	o.unshare()
	o.size += e.Size()
	var old Entry
	var had bool
	if o.tree != nil {
		old, had = o.tree.ReplaceOrInsert(e)
	} else {
		old, had = o.putSmall(e)
	}
	o.size -= old.Size()
	return old, had
}

func (o *Overlay) putSmall(e Entry) (Entry, bool) {
	i := lowerBound(o.small, e)
	if i < len(o.small) && equal(o.small[i], e) {
		old := o.small[i]
		o.small[i] = e
		return old, true
	}
	if len(o.small) == smallOverlay {
		o.grow()
		return o.tree.ReplaceOrInsert(e)
	}
	o.small = append(o.small, Entry{})
	copy(o.small[i+1:], o.small[i:])
	o.small[i] = e
	return Entry{}, false
}

// grow turns the slice into a tree.
func (o *Overlay) grow() {
	o.tree = btree.NewG(treeDegree, Less)
	for _, e := range o.small {
		o.tree.ReplaceOrInsert(e)
	}
	clear(o.small)
	o.small = o.small[:0]
}

// remove takes key out, as if it had never been written.
func (o *Overlay) remove(e Entry) {
	o.unshare()
	o.size -= e.Size()
	if o.tree != nil {
		o.tree.Delete(e)
		return
	}
	i := lowerBound(o.small, e)
	copy(o.small[i:], o.small[i+1:])
	o.small[len(o.small)-1] = Entry{}
	o.small = o.small[:len(o.small)-1]
}

// unshare leaves the current state to the cursors that read it.
func (o *Overlay) unshare() {
	if !o.shared {
		return
	}
	o.shared = false
	if o.tree != nil {
		// The cursors keep the tree that is no longer written to.
		o.tree = o.tree.Clone()
		return
	}
	o.small = append(make([]Entry, 0, cap(o.small)), o.small...)
}

// Savepoint marks the writes so far.
func (o *Overlay) Savepoint() store.Savepoint {
	o.serial++
	o.marks = append(o.marks, mark{o.serial, len(o.undos)})
	return o.serial
}

// Rollback undoes every write since s, which stays good, and forgets later
// marks.
func (o *Overlay) Rollback(s store.Savepoint) error {
	i, ok := o.find(s)
	if !ok {
		return errNoSavepoint
	}
	for n := len(o.undos) - 1; n >= o.marks[i].undos; n-- {
		u := o.undos[n]
		o.undos[n] = undo{}
		if u.had {
			o.put(u.entry)
		} else {
			e, _ := o.Get(u.entry.Key())
			o.remove(e)
		}
	}
	o.undos = o.undos[:o.marks[i].undos]
	o.marks = o.marks[:i+1]
	return nil
}

// Release forgets s and later marks, keeping the writes.
func (o *Overlay) Release(s store.Savepoint) {
	i, ok := o.find(s)
	if !ok {
		return
	}
	o.marks = o.marks[:i]
	if i == 0 {
		clear(o.undos)
		o.undos = o.undos[:0]
	}
}

func (o *Overlay) find(s store.Savepoint) (int, bool) {
	for i := len(o.marks) - 1; i >= 0; i-- {
		if o.marks[i].id == s {
			return i, true
		}
	}
	return 0, false
}

// All returns the writes in key order. The overlay must not change meanwhile.
func (o *Overlay) All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		if o.tree != nil {
			o.tree.Ascend(btree.ItemIteratorG[Entry](yield))
			return
		}
		for _, e := range o.small {
			if !yield(e) {
				return
			}
		}
	}
}

// AppendChanges appends the writes in key order to dst, aliasing their memory,
// which never changes.
func (o *Overlay) AppendChanges(dst []store.Change) []store.Change {
	for e := range o.All() {
		dst = append(dst, store.Change{Key: e.Key(), Value: e.Value()})
	}
	return dst
}

// cursor makes c a cursor over the writes in r, tombstones included, as of now.
func (o *Overlay) cursor(c *chunks, r store.Range) {
	o.shared = true
	r.KeysOnly = false
	if o.tree != nil {
		c.init(frozen{o.tree}, r)
		return
	}
	c.borrow(o.small, r)
}

// frozen is a tree that is no longer written to.
type frozen struct{ tree *btree.BTreeG[Entry] }

func (f frozen) Fill(dst []Entry, r store.Range) []Entry { return FillTree(f.tree, dst, r) }

// reset empties the overlay, keeping memory that no cursor reads.
func (o *Overlay) reset() {
	small := o.small
	if o.shared && o.tree == nil {
		small = nil
	}
	clear(small)
	clear(o.undos)
	*o = Overlay{small: small[:0], marks: o.marks[:0], undos: o.undos[:0], serial: o.serial}
}
