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
// It is moved by the user's goroutine alone, but its transaction may be ended
// by another at any moment. So a cursor of the engine is used under the
// transaction's lock only: a step takes it once, for the key and the value,
// which [Reader] says outlast the end. A direct cursor instead walks entries
// that never change, and takes the lock just to fetch more. Where the rest is not
// at hand (see [PartSource]), it becomes one of the engine.
type cursor struct {
	tx   *Tx
	prev *cursor // in the transaction's list of open cursors
	next *cursor

	r      store.Range
	direct bool // the snapshot's side is chunks, else snap; changed under the lock
	left   bool // what comes after chunks is not at hand, but in rest
	rest   store.Range
	merged bool         // the overlay's side, over, is in use
	snap   store.Cursor // nil once closed; under the lock
	chunks chunks
	over   chunks

	place  place
	key    []byte // the current one
	value  []byte // atSnap, unless the cursor is direct or for keys only
	err    error
	closed bool

	snapOK, overOK bool   // the side stands on an entry that is not passed yet
	equal          bool   // and it is the same key
	from           []byte // what has been passed over since begins or, in reverse, ends here
	jumped         bool   // from is good: a Seek went there; else at the range's bound
}

var (
	_ store.SealedCursor = (*cursor)(nil)
	_ Source             = (*cursor)(nil)
)

// Scan implements [store.Tx].
func (tx *Tx) Scan(r store.Range) (store.Cursor, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.usable(); err != nil {
		return nil, err
	}
	c := &cursor{tx: tx, r: owned(r)}
	if c.direct = isDirect(tx.reader); c.direct {
		c.chunks.init(c, c.r)
	} else {
		snap, err := tx.reader.Scan(c.r)
		if err != nil {
			return nil, err
		}
		c.snap = snap
	}
	if tx.changes != nil && tx.changes.overlay.Len() > 0 {
		c.merged = true
		tx.changes.overlay.cursor(&c.over, c.r)
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

// shut lets go of the snapshot, under the lock. The user's goroutine may still
// be reading the current entry.
func (c *cursor) shut() {
	c.unlink()
	if c.direct {
		return
	}
	c.snap.Close()
	c.snap = nil
}

// Close implements [store.Cursor].
func (c *cursor) Close() {
	if c.closed {
		return
	}
	c.closed = true
	c.release()
	c.place, c.key, c.value = atEnd, nil, nil
	c.chunks.Close()
	c.over.Close()
}

// release ends the cursor's part in the transaction, unless that has ended.
func (c *cursor) release() {
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	if c.tx.ended == nil {
		c.observe()
		c.place = atEnd
		c.shut()
	}
}

// Next implements [store.Cursor].
func (c *cursor) Next() bool {
	switch {
	case c.place != atSnap || c.merged:
		return c.move(nil, false)
	case c.direct:
		return c.nextFetched() || c.move(nil, false)
	}
	return c.nextSnap()
}

// nextFetched goes on to the next entry if that has been fetched already.
func (c *cursor) nextFetched() bool {
	if c.chunks.pos+1 >= len(c.chunks.chunk) || !c.tx.alive() {
		return false
	}
	c.chunks.pos++
	c.key = c.chunks.chunk[c.chunks.pos].Key()
	return true
}

// nextSnap is move for a cursor of the engine that stands on an entry and has
// nothing to merge, which is most of them.
func (c *cursor) nextSnap() bool {
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	if !c.ready() {
		return false
	}
	c.snapOK = c.snap.Next()
	c.choose()
	return c.snapOK
}

// Seek implements [store.Cursor].
func (c *cursor) Seek(key []byte) bool { return c.move(key, true) }

// move is Next, or Seek to key. It holds the lock while the cursor is not direct.
func (c *cursor) move(key []byte, seek bool) bool {
	if !c.direct {
		c.tx.mu.Lock()
	}
	defer c.unlock()
	if !c.ready() {
		return false
	}
	if !seek || c.passed(key) {
		c.step()
	} else {
		c.jump(key)
	}
	return c.settle()
}

func (c *cursor) unlock() {
	if !c.direct {
		c.tx.mu.Unlock()
	}
}

// ready says whether the cursor may move, and if not sets why.
func (c *cursor) ready() bool {
	if c.place == atEnd && !c.closed {
		return false
	}
	if !c.closed && c.tx.alive() {
		return true
	}
	c.place, c.key = atEnd, nil
	if c.err == nil {
		c.err = c.refusal()
	}
	return false
}

// refusal returns why the cursor may not move.
func (c *cursor) refusal() error {
	if c.direct {
		c.tx.mu.Lock()
		defer c.tx.mu.Unlock()
	}
	if err := c.tx.usable(); err != nil {
		return err
	}
	return store.ErrTxDone
}

// Key implements [store.Cursor].
func (c *cursor) Key() []byte { return c.key }

// Value implements [store.Cursor].
func (c *cursor) Value() []byte {
	switch {
	case c.r.KeysOnly:
		return nil
	case c.place == atOver:
		return c.over.Value()
	case c.place != atSnap:
		return nil
	case c.direct:
		return c.chunks.Value()
	}
	return c.value
}

// Keep implements [store.Cursor].
func (c *cursor) Keep() []byte {
	switch {
	case c.place != atSnap || c.direct || c.r.KeysOnly:
		return c.Value()
	case len(c.value) >= bigValue:
		return c.keepBig()
	}
	kept := make([]byte, len(c.value)) // which is not zeroed, since a copy follows
	copy(kept, c.value)
	return kept
}

// Sealed implements [store.SealedCursor].
func (c *cursor) Sealed() bool {
	switch {
	case c.place == atOver:
		e, ok := c.over.current()
		return ok && e.Sealed()
	case c.place == atSnap && c.direct:
		e, ok := c.chunks.current()
		return ok && e.Sealed()
	}
	return false
}

// bigValue is from which length on it is worth asking the engine whether the
// value is in memory of its own, and need not be copied.
const bigValue = 64 << 10

func (c *cursor) keepBig() []byte {
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	if c.snap != nil {
		return c.snap.Keep()
	}
	return bytes.Clone(c.value)
}

// Err implements [store.Cursor].
func (c *cursor) Err() error { return c.err }
