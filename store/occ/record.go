package occ

import "github.com/kivisdb/kivis/store"

// A footprint that is handed out is at most as big as this, since there may be
// thousands that live long.
const (
	maxHanded      = 512
	maxHandedBytes = 64 << 10
)

var _ store.Recorder = (*Tx)(nil)

// Record implements [store.Recorder].
func (tx *Tx) Record() {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.notes = true
}

// Footprint implements [store.Recorder].
func (tx *Tx) Footprint() []store.Range {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.usable() != nil || !tx.notes {
		return []store.Range{{}}
	}
	for c := tx.cursors; c != nil; c = c.next {
		c.observe()
	}
	return tx.own().footprint.ranges(maxHanded, maxHandedBytes)
}

// ranges returns the footprint as at most n ranges, ascending and disjoint, with
// bounds of about so many bytes, which makes it coarser if need be.
func (f *Footprint) ranges(n, bytes int) []store.Range {
	g := f.merged(noJoin)
	for len(g.spans) > n || len(g.arena) > bytes && len(g.spans) > 1 {
		g = g.merged(g.closest())
	}
	ranges := make([]store.Range, 0, len(g.spans))
	buf := make([]byte, 0, 2*len(g.arena)+len(g.spans)) // which never grows
	for lo, hi := range g.All() {
		at := len(buf)
		buf = append(append(buf, lo...), hi...)
		r := store.Range{Lo: buf[at : at+len(lo) : at+len(lo)]}
		if hi != nil {
			r.Hi = buf[at+len(lo) : len(buf) : len(buf)]
		}
		ranges = append(ranges, r)
	}
	return ranges
}
