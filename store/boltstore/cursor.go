package boltstore

import (
	"bytes"

	bolt "go.etcd.io/bbolt"

	"github.com/kivisdb/kivis/store"
)

// cursor is a scan of one version. What it shows is a copy: the pages of bbolt's
// file are written to again once nobody reads the version any more, which may be
// while the user still looks at them.
type cursor struct {
	s        *Store
	r        *reader
	at       *bolt.Cursor
	bounds   bounds
	reverse  bool
	keysOnly bool

	started bool
	ended   bool
	seek    []byte // scratch
	entry   []byte // the current key, as bbolt has it, and its value
	key     int    // how long the former is
	err     error
	room    [256]byte // backs entry, if it suffices
}

// Scan implements occ.Reader.
func (r *reader) Scan(g store.Range) (_ store.Cursor, err error) {
	defer r.snap.s.caught(&err, watched())
	c := &cursor{
		s: r.snap.s, r: r, at: r.cursor(), bounds: boundsOf(keyPrefix, g),
		reverse: g.Reverse, keysOnly: g.KeysOnly,
	}
	c.entry = c.room[:0]
	return c, nil
}

// Next implements store.Cursor.
func (c *cursor) Next() bool {
	if c.ended {
		return false
	}
	return c.move(nil)
}

// Seek implements store.Cursor. The key lies ahead, and within the range.
func (c *cursor) Seek(key []byte) bool {
	if c.ended {
		return false
	}
	c.seek = append(append(c.seek[:0], keyPrefix), key...)
	return c.move(c.seek)
}

// move goes to the key to, or if that is nil to the next one.
func (c *cursor) move(to []byte) bool {
	defer c.s.caught(&c.err, watched())
	c.ended = true // unless it arrives
	switch {
	case c.reverse:
		return c.arrive(c.down(to))
	case to != nil:
		return c.arrive(c.at.Seek(to))
	case c.started:
		return c.arrive(c.at.Next())
	}
	return c.arrive(c.at.Seek(c.bounds.lo))
}

// down goes to the last key at or below to, or if that is nil to the one before.
func (c *cursor) down(to []byte) (key, value []byte) {
	switch {
	case to != nil:
		if key, value = c.at.Seek(to); bytes.Equal(key, to) {
			return key, value
		}
	case c.started:
		return c.at.Prev()
	default:
		key, _ = c.at.Seek(c.bounds.hi)
	}
	if key == nil {
		return c.at.Last()
	}
	return c.at.Prev()
}

// arrive makes an entry the current one, if it is in the range.
func (c *cursor) arrive(key, stored []byte) bool {
	c.started = true
	if key == nil || !c.inside(key) {
		return false
	}
	c.entry = append(c.entry[:0], key...)
	c.key = len(key)
	if !c.keysOnly {
		value, ok := valueOf(key, stored)
		if !ok {
			c.err = c.s.damaged(badEntry(c.s.path, key[1:]))
			return false
		}
		c.entry = append(c.entry, value...)
	}
	c.ended = false
	return true
}

// inside says whether a key that was arrived at is in the range.
func (c *cursor) inside(key []byte) bool {
	if c.reverse {
		return bytes.Compare(key, c.bounds.lo) >= 0
	}
	return bytes.Compare(key, c.bounds.hi) < 0
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

// Close implements store.Cursor. The cursor is not used again, but what Key and Value have returned may be.
func (c *cursor) Close() {
	if c.at != nil {
		c.r.idle = append(c.r.idle, c.at)
		c.at = nil
	}
}
