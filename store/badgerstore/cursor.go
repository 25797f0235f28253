package badgerstore

import (
	"bytes"
	"sync"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/store"
)

// cursor is a scan of one version. Badger's iterator owns what Key and Value
// return, and reuses it when it moves.
type cursor struct {
	walk
	r        *reader
	keysOnly bool

	started bool
	item    *badger.Item // the current one; nil before the first and at the end
	value   []byte       // of item, unless keysOnly
	grab    func([]byte) error
	checked bool
	from    []byte // up to where, or down to where, the tables are, if checked
	err     error
}

// cursors keeps closed cursors for their buffers. Nothing that Key and Value
// have returned is in them: that belongs to Badger's items.
var cursors = sync.Pool{New: func() any {
	c := new(cursor)
	c.grab = func(b []byte) error {
		c.value = b
		return nil
	}
	return c
}}

// Scan implements occ.Reader.
func (r *reader) Scan(g store.Range) (_ store.Cursor, err error) {
	defer caught(&err)
	c := cursors.Get().(*cursor)
	c.r, c.reverse, c.keysOnly = r, g.Reverse, g.KeysOnly
	c.span = spanOf(c.span.buf, g)
	if bytes.Compare(c.span.lo, c.span.hi) >= 0 {
		c.started = true // and at its end
		return c, nil
	}
	c.open(r.txn, !g.Reverse)
	return c, nil
}

// Next implements store.Cursor.
func (c *cursor) Next() (ok bool) {
	defer c.caught(&ok)
	switch {
	case !c.started:
		c.start()
	case c.item == nil, c.err != nil:
		return false
	default:
		c.it.Next()
	}
	return c.arrive()
}

// start goes to the first key of the range.
func (c *cursor) start() {
	c.started = true
	if !c.reverse {
		c.it.Seek(c.span.lo)
		return
	}
	// In reverse Badger goes to the key itself or the one before it.
	c.it.Seek(c.span.hi)
	if c.it.Valid() && bytes.Equal(c.it.Item().Key(), c.span.hi) {
		c.it.Next()
	}
}

// Seek implements store.Cursor. The key lies ahead, and within the range.
func (c *cursor) Seek(key []byte) (ok bool) {
	defer c.caught(&ok)
	if c.started && c.item == nil {
		return false
	}
	c.started = true
	c.it.Seek(appendKey(make([]byte, 0, len(key)+1), spaceUser, key))
	return c.arrive()
}

// arrive makes the next entry to be shown the current one.
func (c *cursor) arrive() bool {
	c.item, c.value = c.walk.skipHidden(), nil
	if c.r.s.tables.Load() != nil {
		c.err = c.checkPassed()
	}
	if c.err == nil && c.item != nil && !c.keysOnly {
		c.err = c.load() // now, while an error can still end the scan
	}
	if c.err != nil {
		c.item = nil
	}
	return c.item != nil
}

// checkPassed checks the tables that lie between the last position and this one:
// what damage there may have hidden.
func (c *cursor) checkPassed() error {
	lo, hi := c.span.lo, c.span.hi
	near, far := &lo, &hi
	if c.reverse {
		near, far = far, near
	}
	if c.checked {
		*near = c.from
	}
	if c.item != nil {
		*far = c.item.Key()
	}
	err := c.r.s.checkKeys(lo, hi)
	if c.item != nil {
		c.checked = true
		c.from = append(c.from[:0], c.item.Key()...)
	}
	return err
}

// caught ends the scan if Badger has panicked.
func (c *cursor) caught(ok *bool) {
	if p := recover(); p != nil {
		c.item, c.err, *ok = nil, panicked(p), false
	}
}

// Key implements store.Cursor.
func (c *cursor) Key() []byte {
	if c.item == nil {
		return nil
	}
	return c.item.Key()[1:]
}

// Value implements store.Cursor.
func (c *cursor) Value() []byte {
	if c.item == nil {
		return nil
	}
	return c.value
}

// load fetches the current value, into the item's buffer or, if it is big, into
// memory of its own.
func (c *cursor) load() error {
	err := c.item.Value(c.grab)
	if err == nil && c.item.UserMeta() == metaBlob {
		c.value, err = c.r.blob(c.value)
	}
	if c.value == nil {
		c.value = []byte{}
	}
	return err
}

// Keep implements store.Cursor.
func (c *cursor) Keep() []byte {
	value := c.Value()
	if value == nil || c.item.UserMeta() == metaBlob {
		return value
	}
	return append(make([]byte, 0, len(value)), value...)
}

// Err implements store.Cursor.
func (c *cursor) Err() error { return c.err }

// Close implements store.Cursor. What Key and Value have returned stays. The
// cursor is not used again.
func (c *cursor) Close() {
	if c.it != nil {
		c.it.Close()
	}
	*c = cursor{walk: walk{span: span{buf: c.span.buf[:0]}, last: c.last[:0]}, from: c.from[:0], grab: c.grab}
	if cap(c.span.buf)+cap(c.last)+cap(c.from) < 1<<12 {
		cursors.Put(c)
	}
}

// Count implements store.Counter: a scan of keys without what a cursor does on
// the way.
func (r *reader) Count(g store.Range) (n int, err error) {
	defer caught(&err)
	g.Reverse = false
	w := walk{span: spanOf(nil, g)}
	if bytes.Compare(w.span.lo, w.span.hi) >= 0 {
		return 0, nil
	}
	if err := r.s.checkKeys(w.span.lo, w.span.hi); err != nil {
		return 0, err
	}
	w.open(r.txn, true)
	defer func() { w.it.Close() }()
	for w.it.Seek(w.span.lo); w.skipHidden() != nil; w.it.Next() {
		n++
	}
	return n, nil
}
