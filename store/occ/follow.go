package occ

import (
	"context"
	"time"

	"github.com/kivisdb/kivis/store"
)

// A store that keeps its data elsewhere publishes what has been committed there,
// by this process or another, with Follow instead of Admit and Publish. Whether
// a transaction may commit it asks of Conflicts, and of the place where the data is.

// ContextReader is implemented by a [Reader] whose calls the end of the
// transaction's context is to break off.
type ContextReader interface {
	// SetContext is called once, at first, and not for a context that cannot end.
	SetContext(ctx context.Context)
}

// Conflicts says whether anything that tx, which is being committed, has read
// was written after its snapshot, as far as is published. It belongs to the committer.
func (c *Core) Conflicts(tx *Tx) bool { return c.tracker.Conflicts(tx.Reads(), tx.version) }

// Reads returns what a transaction that is being committed has read.
func (tx *Tx) Reads() *Footprint { return &tx.own().footprint }

// Follow publishes a version that was committed elsewhere, with the keys that it
// wrote; values are not looked at. It belongs to the committer. Versions ascend.
func (c *Core) Follow(version uint64, at time.Time, writes *Overlay) {
	batch := []*Tx{{changes: &changes{overlay: *writes}}}
	c.feed.recent.note(version, at.UnixNano(), batch)
	others, oldest := c.advance(version)
	c.feed.tell(version, batch)
	if others {
		c.tracker.Record(version, writes)
		c.tracker.Forget(oldest)
	} else {
		c.tracker.Skip(version)
	}
	c.sweep(&c.writers)
}

// Jump publishes a version that was committed elsewhere, where it is not known
// what was written up to it: everything may have been.
func (c *Core) Jump(version uint64) {
	c.feed.recent.jump(version)
	c.tracker.Skip(version) // before a transaction can begin that need not conflict
	c.advance(version)
	c.feed.watches.markAll()
	c.feed.wake()
	c.sweep(&c.writers)
}

// advance makes version the newest. It says whether there are writers, and what
// the oldest of them sees.
func (c *Core) advance(version uint64) (writers bool, oldest uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version = version
	return c.writers.n > 0, c.writers.oldest(version)
}

// jump forgets everything up to a version.
func (r *recent) jump(version uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blocks, r.bytes, r.floor, r.newest = nil, 0, version, version
}

// markAll marks the watches there are.
func (ws *watches) markAll() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.all {
		w.mark()
	}
}

// OverlayOf returns an overlay of the keys that a commit has written.
func OverlayOf(writes []store.Write) *Overlay {
	o := new(Overlay)
	for _, w := range writes {
		switch {
		case w.Deleted:
			o.Delete(w.Key)
		case w.Created:
			o.Create(w.Key, nil)
		default:
			o.Set(w.Key, nil)
		}
	}
	return o
}
