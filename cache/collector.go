package cache

import (
	"bytes"

	"github.com/kivisdb/kivis/store"
)

// collector gathers what a cursor passes over, for the layers before the one that
// it comes from, and hands it on a piece at a time.
type collector struct {
	on      bool
	edge    []byte // where it begins, in the cursor's direction
	entries []entry
	size    int
	some    bool // an entry has been passed since edge
}

// A piece that is kept is about so large: it is what leaves a layer at a time. So
// that a small layer has several of them in its small queue, it is a part of that.
const (
	maxKept      = 256
	maxKeptBytes = 32 << 10
	keptShare    = 4
)

// keptSize returns how many bytes are kept at a time.
func keptSize(layers []*layer) int {
	size := int64(maxKeptBytes)
	for _, l := range layers {
		if l.max > 0 {
			size = min(size, l.max/smallShare/keptShare)
		}
	}
	return int(size)
}

// begin begins with a piece over r.
func (f *collector) begin(c *cursor, r store.Range) {
	f.on = c.from > 0
	f.entries, f.size, f.some = f.entries[:0], 0, false
	if f.on {
		f.edge = r.Lo
		if r.Reverse {
			f.edge = r.Hi
		}
	}
}

// add takes the cursor's current entry.
func (f *collector) add(c *cursor) {
	if !f.on {
		return
	}
	f.some = true
	e := entry{bytes.Clone(c.key), c.valueToKeep()}
	f.entries = append(f.entries, e)
	f.size += len(e.key) + len(e.value) + itemCost
	if len(f.entries) >= maxKept || f.size >= c.r.s.kept {
		f.pass(c)
	}
}

// valueToKeep returns the value of the current entry, whatever the scan asked for.
func (c *cursor) valueToKeep() []byte {
	if c.strip > 0 {
		return bytes.Clone(c.value)
	}
	return c.cur.Keep()
}

// pass hands on what has been passed over, up to the current entry.
func (f *collector) pass(c *cursor) {
	if !f.on || !f.some {
		return
	}
	last := f.entries[len(f.entries)-1].key
	if c.rest.Reverse {
		f.hand(c, last, f.edge)
		f.edge = last
	} else {
		f.hand(c, f.edge, behind(last))
		f.edge = behind(last)
	}
	f.some = false
}

// end hands on the rest of a piece, to its end.
func (f *collector) end(c *cursor) {
	if !f.on {
		return
	}
	if c.rest.Reverse {
		f.hand(c, c.end, f.edge)
	} else {
		f.hand(c, f.edge, c.end)
	}
}

// restart goes on at key, which is what the cursor seeks.
func (f *collector) restart(c *cursor, key []byte) {
	if !f.on {
		return
	}
	f.edge = bytes.Clone(key)
	if c.rest.Reverse {
		f.edge = behind(f.edge)
	}
}

func (f *collector) hand(c *cursor, lo, hi []byte) {
	if hi == nil || bytes.Compare(lo, hi) < 0 {
		c.r.s.keep(c.from, &filling{lo: lo, hi: hi, whole: true, entries: f.entries, as: c.r.v.as})
	}
	f.entries, f.size = f.entries[:0], 0
}
