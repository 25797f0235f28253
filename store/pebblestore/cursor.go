package pebblestore

import (
	"github.com/cockroachdb/pebble/v2"

	"github.com/kivisdb/kivis/store"
)

// cursor is a scan of one version. What it shows is a copy: Pebble's iterator
// reuses its buffers when it is closed, which may be while the user still looks at
// them.
type cursor struct {
	s        *Store
	it       *pebble.Iterator
	reverse  bool
	keysOnly bool

	started bool
	ended   bool
	seek    []byte // scratch
	entry   []byte // the current key, as Pebble has it, and its value
	key     int    // how long the former is
	err     error
	room    [256]byte // backs entry, if it suffices
}

// Scan implements occ.Reader.
func (r *reader) Scan(g store.Range) (_ store.Cursor, err error) {
	defer r.snap.s.caught(&err)
	lo, hi := boundsOf(spaceUser, g)
	it, err := r.snap.snap.NewIter(&pebble.IterOptions{LowerBound: lo, UpperBound: hi})
	if err != nil {
		return nil, r.snap.s.engineError("scan", err)
	}
	c := &cursor{s: r.snap.s, it: it, reverse: g.Reverse, keysOnly: g.KeysOnly}
	c.entry = c.room[:0]
	return c, nil
}

// Next implements store.Cursor.
func (c *cursor) Next() bool {
	if c.ended {
		return false
	}
	defer c.s.caught(&c.err)
	first, next := c.it.First, c.it.Next
	if c.reverse {
		first, next = c.it.Last, c.it.Prev
	}
	if c.started {
		return c.arrive(next())
	}
	return c.arrive(first())
}

// Seek implements store.Cursor. The key lies ahead, and within the range.
func (c *cursor) Seek(key []byte) bool {
	if c.ended {
		return false
	}
	defer c.s.caught(&c.err)
	c.seek = appendKey(c.seek[:0], key)
	if c.reverse {
		c.seek = append(c.seek, 0) // the first key beyond
		return c.arrive(c.it.SeekLT(c.seek))
	}
	return c.arrive(c.it.SeekGE(c.seek))
}

// arrive makes the iterator's entry the current one.
func (c *cursor) arrive(ok bool) bool {
	c.started, c.ended = true, true
	if !ok {
		c.err = c.s.engineError("scan", c.it.Error())
		return false
	}
	c.entry = append(c.entry[:0], c.it.Key()...)
	c.key = len(c.entry)
	if !c.keysOnly {
		value, err := c.it.ValueAndErr()
		if err != nil {
			c.err = c.s.engineError("scan", err)
			return false
		}
		c.entry = append(c.entry, value...)
	}
	c.ended = false
	return true
}

// Key implements store.Cursor.
func (c *cursor) Key() []byte {
	if c.ended || !c.started {
		return nil
	}
	return c.entry[1:c.key:c.key]
}

// Value implements store.Cursor.
func (c *cursor) Value() []byte {
	if c.ended || !c.started || c.keysOnly {
		return nil
	}
	return c.entry[c.key:len(c.entry):len(c.entry)]
}

// Keep implements store.Cursor.
func (c *cursor) Keep() []byte {
	value := c.Value()
	if value == nil {
		return nil
	}
	return append(make([]byte, 0, len(value)), value...)
}

// Err implements store.Cursor.
func (c *cursor) Err() error { return c.err }

// Close implements store.Cursor. The cursor is not used again, but what Key and
// Value have returned may be.
func (c *cursor) Close() {
	if c.it == nil {
		return
	}
	var err error // the scan has had it already
	defer c.s.caught(&err)
	it := c.it
	c.it = nil
	err = it.Close()
}
