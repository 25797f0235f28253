package occ

import (
	"bytes"

	"github.com/kivisdb/kivis/store"
)

// passed says whether key is not ahead of the cursor.
func (c *cursor) passed(key []byte) bool {
	if c.place != atStart {
		return !before(c.key, key, c.r.Reverse)
	}
	if c.r.Reverse {
		return c.r.Hi != nil && bytes.Compare(key, c.r.Hi) >= 0
	}
	return bytes.Compare(key, c.r.Lo) <= 0
}

// beyond says whether key lies after the range.
func (c *cursor) beyond(key []byte) bool {
	if c.r.Reverse {
		return bytes.Compare(key, c.r.Lo) < 0
	}
	return c.r.Hi != nil && bytes.Compare(key, c.r.Hi) >= 0
}

// step moves each side that stands on the current key, or both at the start.
func (c *cursor) step() {
	if c.place == atStart || c.place == atSnap || c.equal {
		c.snapOK = c.snapCursor().Next() || c.goOn(nil)
	}
	if c.merged && (c.place == atStart || c.place == atOver) {
		c.overOK = c.over.Next()
	}
}

// jump moves each side that is behind key. What lies in between is not read.
func (c *cursor) jump(key []byte) {
	c.note()
	c.jumped = true
	c.from = append(c.from[:0], key...)
	if c.r.Reverse {
		c.from = append(c.from, 0)
	}
	if c.beyond(key) {
		c.snapOK, c.overOK = false, false
		return
	}
	start, snap := c.place == atStart, c.snapCursor()
	if start || c.snapOK && before(snap.Key(), key, c.r.Reverse) {
		c.snapOK = snap.Seek(key) || c.goOn(key)
	}
	if c.merged && (start || c.overOK && before(c.over.Key(), key, c.r.Reverse)) {
		c.overOK = c.over.Seek(key)
	}
}

func (c *cursor) snapCursor() store.Cursor {
	if c.direct {
		return &c.chunks
	}
	return c.snap
}

// settle makes the first entry of either side the current one, moving on from
// tombstones.
func (c *cursor) settle() bool {
	for {
		c.choose()
		if c.place != atOver {
			return c.place == atSnap
		}
		if e, _ := c.over.current(); !e.Deleted() {
			return true
		}
		c.step()
	}
}

// choose makes the first entry of either side the current one.
func (c *cursor) choose() {
	c.equal = false
	if !c.snapOK && !c.direct {
		c.err = c.snap.Err()
	}
	switch {
	case c.err != nil:
		c.place, c.key = atEnd, nil
	case c.snapOK && c.overOK:
		c.compare()
	case c.snapOK:
		c.takeSnap(c.snapCursor().Key())
	case c.overOK:
		c.place, c.key = atOver, c.over.Key()
	default:
		c.place, c.key = atEnd, nil
	}
}

func (c *cursor) compare() {
	snap, over := c.snapCursor().Key(), c.over.Key()
	order := bytes.Compare(snap, over)
	if order != 0 && (order < 0) != c.r.Reverse {
		c.takeSnap(snap)
		return
	}
	c.place, c.key, c.equal = atOver, over, order == 0
}

// takeSnap makes the snapshot's entry, whose key is given, the current one.
func (c *cursor) takeSnap(key []byte) {
	c.place, c.key = atSnap, key
	if !c.direct && !c.r.KeysOnly {
		c.value = c.snap.Value()
	}
}

// note is observe for a cursor that moves.
func (c *cursor) note() {
	if c.direct {
		c.tx.mu.Lock()
		defer c.tx.mu.Unlock()
	}
	if c.tx.ended == nil {
		c.observe()
	}
}

// observe adds what has been passed over since the last Seek to the footprint,
// under the lock.
func (c *cursor) observe() {
	if !c.tx.notes || c.place == atStart {
		return
	}
	lo, hi := c.r.Lo, c.r.Hi
	if c.jumped && c.r.Reverse {
		hi = c.from
	} else if c.jumped {
		lo = c.from
	}
	f := &c.tx.own().footprint
	switch {
	case c.place == atEnd:
		f.AddRange(lo, hi)
	case c.r.Reverse:
		f.AddRange(c.key, hi)
	default:
		f.addThrough(lo, c.key)
	}
}
