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

// WriterReader is implemented by a [Reader] that reads otherwise for a write transaction.
type WriterReader interface {
	// SetWriter is called once, before anything is read, and only for one.
	SetWriter()
}

// Conflicts says whether anything that tx, which is being committed, has read
// was written after its snapshot, as far as is published. It belongs to the committer.
func (c *Core) Conflicts(tx *Tx) bool { return c.tracker.Conflicts(tx.Reads(), tx.version) }

// Reads returns what a transaction that is being committed has read.
func (tx *Tx) Reads() *Footprint { return &tx.own().footprint }

// Follow publishes a version that was committed elsewhere, as Publish does one that was
// committed here, with the keys that it wrote; values are not looked at. Where writes is
// nil it is not known what was written: everything may have been. It belongs to the
// committer, with nothing in its batch. Versions ascend where it is known.
func (c *Core) Follow(version uint64, at time.Time, writes *Overlay, swap func(seen []uint64)) {
	if writes == nil {
		c.feed.recent.jump(version)
		c.tracker.Skip(version) // before a transaction can begin that need not conflict
		c.publish(version, 0, 0, swap)
		c.feed.watches.markAll()
		return
	}
	if writes.Len() > 0 {
		c.batch = append(c.batch, &Tx{changes: &changes{overlay: *writes}})
	}
	c.publish(version, at.UnixNano(), 0, swap)
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
