package occ

import (
	"bytes"

	"github.com/kivisdb/kivis/store"
)

// PartSource is implemented by a [Reader] that has some of its entries at hand, as a
// [Source] has all of them. A cursor asks it first, and from where it does not know on
// goes on with Scan.
type PartSource interface {
	// FillPart is [Source.Fill] of the beginning of r, as far as that is at hand.
	// If it ends before r does, and before dst's capacity is used up, it
	// returns the rest of r, and sets left.
	FillPart(dst []Entry, r store.Range) (filled []Entry, rest store.Range, left bool)
}

// isDirect says whether cursors of a reader begin with entries that never change.
func isDirect(r Reader) bool {
	switch r.(type) {
	case Source, PartSource:
		return true
	}
	return false
}

// Fill implements [Source] for a direct cursor.
func (c *cursor) Fill(dst []Entry, r store.Range) []Entry {
	c.tx.mu.Lock()
	defer c.tx.mu.Unlock()
	if c.err = c.tx.usable(); c.err != nil {
		return dst
	}
	if s, ok := c.tx.reader.(Source); ok {
		return s.Fill(dst, r)
	}
	filled, rest, left := c.tx.reader.(PartSource).FillPart(dst, r)
	if left {
		c.left, c.rest = true, owned(rest)
	}
	return filled
}

// goOn has a direct cursor whose chunks have ended go on with what is not at hand, at
// key where that is not nil. It says whether there is an entry. It returns with the
// lock if the cursor is no longer direct.
func (c *cursor) goOn(key []byte) bool {
	if !c.left {
		return false
	}
	c.left = false
	if key != nil {
		c.narrow(key)
	}
	c.tx.mu.Lock()
	if c.err = c.tx.usable(); c.err == nil {
		c.snap, c.err = c.tx.reader.Scan(c.rest)
	}
	if c.err != nil {
		c.tx.mu.Unlock()
		return false
	}
	c.direct = false
	return c.snap.Next()
}

// narrow has the rest begin at key, if that is further on.
func (c *cursor) narrow(key []byte) {
	r := &c.rest
	switch {
	case !r.Reverse:
		if bytes.Compare(key, r.Lo) > 0 {
			r.Lo = bytes.Clone(key)
		}
	case r.Hi == nil || bytes.Compare(key, r.Hi) < 0:
		r.Hi = append(bytes.Clone(key), 0)
	}
}
