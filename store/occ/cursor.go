package occ

import (
	"bytes"

	"github.com/kivisdb/kivis/store"
)

// Where a cursor stands.
type place uint8

const (
	atStart place = iota
	atSnap        // on an entry of the snapshot
	atOver        // on an entry of the overlay, which may hide one of the snapshot
	atEnd
)

// cursor is a [store.Cursor] of a transaction: the snapshot's, merged with the
// overlay's if there were writes when it was opened. In a write transaction it
// adds to the footprint what it has passed over.
//
// The user's goroutine alone moves it, under the transaction's lock; when the
// transaction is ended by another, only snap and kept change.
type cursor struct {
	tx   *Tx
	prev *cursor // in the transaction's list of open cursors
	next *cursor

	r      store.Range
	snap   store.Cursor // nil once closed
	over   Chunks
	merged bool // over is in use
	kept   []byte

	place  place
	key    []byte // the current one
	err    error
	closed bool

	snapOK, overOK bool   // snap and over stand on an entry that is not passed yet
	equal          bool   // and it is the same key
	from           []byte // what has been passed over since begins or, in reverse, ends here
	jumped         bool   // from is good: a Seek went there; else at the range's bound
}

var _ store.Cursor = (*cursor)(nil)

// Scan implements [store.Tx].
func (tx *Tx) Scan(r store.Range) (store.Cursor, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.usable(); err != nil {
		return nil, err
	}
	r = owned(r)
	snap, err := tx.reader.Scan(r)
	if err != nil {
		return nil, err
	}
	c := &cursor{tx: tx, r: r, snap: snap}
	if tx.changes != nil && tx.changes.overlay.Len() > 0 {
		c.merged = true
		tx.changes.overlay.cursor(&c.over, r)
	}
	c.link()
	tx.watch()
	return c, nil
}

// owned returns r with bounds of its own.
func owned(r store.Range) store.Range {
	n := len(r.Lo)
	if n+len(r.Hi) == 0 {
		r.Lo = nil
		return r
	}
	buf := append(append(make([]byte, 0, n+len(r.Hi)), r.Lo...), r.Hi...)
	r.Lo = buf[:n:n]
	if r.Hi != nil {
		r.Hi = buf[n:]
	}
	return r
}

func (c *cursor) link() {
	c.next = c.tx.cursors
	if c.next != nil {
		c.next.prev = c
	}
	c.tx.cursors = c
}

func (c *cursor) unlink() {
	if c.prev == nil {
		c.tx.cursors = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
}

// shut closes the snapshot's cursor, keeping the value that the user may be
// about to ask for.
func (c *cursor) shut() {
	if c.place == atSnap {
		c.kept = c.snap.Keep()
	}
	c.snap.Close()
	c.snap = nil
	c.unlink()
}

// Close implements [store.Cursor].
func (c *cursor) Close() {
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	if c.snap != nil {
		c.observe()
		c.place = atEnd
		c.shut()
	}
	c.place, c.key, c.kept = atEnd, nil, nil
	c.over.Close()
}

// Next implements [store.Cursor].
func (c *cursor) Next() bool {
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	if !c.ready() {
		return false
	}
	c.step()
	return c.settle()
}

// Seek implements [store.Cursor].
func (c *cursor) Seek(key []byte) bool {
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	if !c.ready() {
		return false
	}
	if c.passed(key) {
		c.step()
	} else {
		c.jump(key)
	}
	return c.settle()
}

// ready says whether the cursor may move, and if not sets why.
func (c *cursor) ready() bool {
	if c.place == atEnd && !c.closed {
		return false
	}
	err := c.tx.usable()
	if err == nil && c.closed {
		err = store.ErrTxDone
	}
	if err == nil {
		return true
	}
	c.place, c.key = atEnd, nil
	if c.err == nil {
		c.err = err
	}
	return false
}

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
		c.snapOK = c.snap.Next()
	}
	if c.merged && (c.place == atStart || c.place == atOver) {
		c.overOK = c.over.Next()
	}
}

// jump moves each side that is behind key. What lies in between is not read.
func (c *cursor) jump(key []byte) {
	c.observe()
	c.jumped = true
	c.from = append(c.from[:0], key...)
	if c.r.Reverse {
		c.from = append(c.from, 0)
	}
	if c.beyond(key) {
		c.snapOK, c.overOK = false, false
		return
	}
	start := c.place == atStart
	if start || c.snapOK && before(c.snap.Key(), key, c.r.Reverse) {
		c.snapOK = c.snap.Seek(key)
	}
	if c.merged && (start || c.overOK && before(c.over.Key(), key, c.r.Reverse)) {
		c.overOK = c.over.Seek(key)
	}
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
	if !c.snapOK {
		if c.err = c.snap.Err(); c.err != nil {
			c.place, c.key = atEnd, nil
			return
		}
	}
	switch {
	case c.snapOK && c.overOK:
		c.compare()
	case c.snapOK:
		c.place, c.key = atSnap, c.snap.Key()
	case c.overOK:
		c.place, c.key = atOver, c.over.Key()
	default:
		c.place, c.key = atEnd, nil
	}
}

func (c *cursor) compare() {
	snap, over := c.snap.Key(), c.over.Key()
	order := bytes.Compare(snap, over)
	if order != 0 && (order < 0) != c.r.Reverse {
		c.place, c.key = atSnap, snap
		return
	}
	c.place, c.key, c.equal = atOver, over, order == 0
}

// observe adds what has been passed over since the last Seek to the footprint.
func (c *cursor) observe() {
	if !c.tx.write || c.place == atStart {
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

// Key implements [store.Cursor].
func (c *cursor) Key() []byte { return c.key }

// Value implements [store.Cursor].
func (c *cursor) Value() []byte { return c.value(store.Cursor.Value) }

// Keep implements [store.Cursor].
func (c *cursor) Keep() []byte { return c.value(store.Cursor.Keep) }

// value returns the current value, of the snapshot's by the method of.
func (c *cursor) value(of func(store.Cursor) []byte) []byte {
	if c.r.KeysOnly {
		return nil
	}
	if c.place == atOver {
		return c.over.Value()
	}
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	switch {
	case c.place != atSnap:
		return nil
	case c.snap == nil:
		return c.kept
	}
	return of(c.snap)
}

// Err implements [store.Cursor].
func (c *cursor) Err() error { return c.err }
