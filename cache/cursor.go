package cache

import (
	"bytes"

	"github.com/kivisdb/kivis/store"
)

// cursor shows a range in pieces: each from the first layer that knows where it
// begins, as far as that knows, or from the origin. What it passes over, the
// layers before keep.
type cursor struct {
	r    *reader
	rest store.Range // what the current piece and those after it show
	from int         // the layer that the current piece is of; all of them: the origin

	cur   store.Cursor // of the current piece; nil between pieces
	local *piece       // if a layer has it
	end   []byte       // where it ends, in the direction
	last  bool         // it ends where the range does
	strip int          // how many bytes of its keys are the layer's own

	key, value []byte
	fresh      bool   // key is good
	shown      []byte // the key that a layer that can fail has shown last
	done       bool
	err        error
	breaks     int
	fill       collector
}

var _ store.Cursor = (*cursor)(nil)

func newCursor(r *reader, rg store.Range) *cursor {
	return &cursor{r: r, rest: rg}
}

// Next implements [store.Cursor].
func (c *cursor) Next() bool {
	for !c.done {
		if c.cur == nil && !c.open() {
			return false
		}
		if c.cur.Next() {
			if c.take() {
				return true
			}
			continue
		}
		c.finish()
	}
	c.fresh = false
	return false
}

// Seek implements [store.Cursor].
func (c *cursor) Seek(key []byte) bool {
	if c.done {
		return false
	}
	if c.cur != nil {
		c.fill.pass(c)
		if c.ahead(key) {
			c.skip(key)
			return c.Next()
		}
		return c.seekIn(key)
	}
	c.skip(key)
	return c.Next()
}

// seekIn goes on to key in the current piece.
func (c *cursor) seekIn(key []byte) bool {
	c.fill.restart(c, key)
	var ok bool
	if c.strip == 0 {
		ok = c.cur.Seek(key)
	} else {
		ok = c.cur.Seek(append(append([]byte(nil), entryKey...), key...))
	}
	c.narrow(key)
	if ok && c.take() {
		return true
	}
	if c.cur != nil && !ok {
		c.finish()
	}
	return c.Next()
}

// ahead says whether key lies beyond the current piece.
func (c *cursor) ahead(key []byte) bool {
	switch {
	case c.last:
		return false
	case c.rest.Reverse:
		return bytes.Compare(key, c.end) < 0
	}
	return bytes.Compare(key, c.end) >= 0
}

// skip ends the current piece and has the rest begin at key.
func (c *cursor) skip(key []byte) {
	c.closePiece()
	c.narrow(key)
}

// narrow has the rest begin at key.
func (c *cursor) narrow(key []byte) {
	if c.rest.Reverse {
		c.rest.Hi = behind(bytes.Clone(key))
		return
	}
	c.rest.Lo = bytes.Clone(key)
}

// open opens the next piece, and says whether there is one.
func (c *cursor) open() bool {
	if c.rest.Hi != nil && bytes.Compare(c.rest.Lo, c.rest.Hi) >= 0 {
		c.done = true
		return false
	}
	for i, l := range c.r.s.layers {
		// For the layers before to keep it, a piece is read with its values.
		r := c.rest
		r.KeysOnly = r.KeysOnly && i == 0
		if p, ok := l.piece(r, c.r.v.as); ok {
			l.hits.Add(1)
			c.show(i, p.cur, p.r)
			c.local, c.strip = p, len(l.prefix)
			return true
		}
		l.misses.Add(1)
	}
	return c.openOrigin()
}

func (c *cursor) openOrigin() bool {
	r := c.rest
	r.KeysOnly = r.KeysOnly && len(c.r.s.layers) == 0
	if c.breaks < maxBreaks {
		c.breaks++
		if r.Reverse {
			r.Lo = c.r.s.lastKnown(r)
		} else {
			r.Hi = c.r.s.nextKnown(r)
		}
	}
	cur, err := c.r.v.scan(r)
	if err != nil {
		c.err, c.done = err, true
		return false
	}
	c.show(len(c.r.s.layers), cur, r)
	c.local, c.strip = nil, 0
	return true
}

// maxBreaks is how many times the origin is not asked for what layers know. Were
// it any number, a layer that knows many single keys would make many requests of
// one.
const maxBreaks = 8

// nextKnown returns where the part of r ends of which no layer knows anything, as
// far as that is worth a request of its own.
func (s *Store) nextKnown(r store.Range) []byte {
	hi := r.Hi
	for _, l := range s.layers {
		if iv, ok := l.known.Load().after(r.Lo); ok && !l.off.Load() && !isSingle(iv) {
			hi = lower(hi, iv.lo.Key())
		}
	}
	return hi
}

// lastKnown is nextKnown in the other direction.
func (s *Store) lastKnown(r store.Range) []byte {
	lo := r.Lo
	for _, l := range s.layers {
		iv, ok := l.known.Load().before(r.Hi)
		if ok && !l.off.Load() && !isSingle(iv) && !covers(iv.hi, r.Hi) && bytes.Compare(iv.hi, lo) > 0 {
			lo = iv.hi
		}
	}
	return lo
}

// isSingle says whether an interval holds one key alone.
func isSingle(iv interval) bool {
	n := len(iv.lo.Key())
	return len(iv.hi) == n+1 && iv.hi[n] == 0 && bytes.Equal(iv.hi[:n], iv.lo.Key())
}

// show makes a cursor over r the current piece.
func (c *cursor) show(from int, cur store.Cursor, r store.Range) {
	c.from, c.cur = from, cur
	if r.Reverse {
		c.end, c.last = r.Lo, bytes.Equal(r.Lo, c.rest.Lo)
	} else {
		c.end, c.last = r.Hi, covers(r.Hi, c.rest.Hi)
	}
	c.fill.begin(c, r)
}

// take makes the entry of the piece the current one. It returns false where the
// layer's bytes are damaged: then the piece has ended before it.
func (c *cursor) take() bool {
	key := c.cur.Key()[c.strip:]
	if c.local == nil {
		c.key, c.value, c.fresh = key, nil, true
		c.fill.add(c)
		return true
	}
	l := c.r.s.layers[c.from]
	c.value = c.cur.Value()
	if l.keeps && c.value != nil {
		value, err := unseal(key, c.value)
		if err != nil {
			l.fail(err)
			c.again(key)
			return false
		}
		c.value = value
	}
	c.key, c.fresh = key, true
	if l.keeps {
		c.shown = append(c.shown[:0], key...)
	}
	l.passed(key)
	c.fill.add(c)
	return true
}

// again has the rest begin with key, in another piece.
func (c *cursor) again(key []byte) {
	key = bytes.Clone(key)
	c.closePiece()
	c.narrow(key)
}

// finish ends a piece that has been shown to its end.
func (c *cursor) finish() {
	if err := c.cur.Err(); err != nil {
		c.failed(err)
		return
	}
	c.fill.end(c)
	end, last := c.end, c.last
	c.closePiece()
	switch {
	case last:
		c.done = true
	case c.rest.Reverse:
		c.rest.Hi = end
	default:
		c.rest.Lo = end
	}
}

// failed ends a piece whose cursor has failed: the origin's error is the scan's,
// a layer's is the layer's alone.
func (c *cursor) failed(err error) {
	if c.local == nil {
		c.err, c.done = err, true
		return
	}
	c.r.s.layers[c.from].fail(err)
	if c.fresh {
		if c.rest.Reverse {
			c.rest.Hi = bytes.Clone(c.shown)
		} else {
			c.rest.Lo = behind(bytes.Clone(c.shown))
		}
	}
	c.closePiece()
}

// closePiece ends the current piece, if there is one.
func (c *cursor) closePiece() {
	if c.cur == nil {
		return
	}
	if c.local != nil {
		c.local.close()
	} else {
		c.cur.Close()
	}
	c.cur, c.local, c.strip = nil, nil, 0
	c.fresh = false
}

// Key implements [store.Cursor].
func (c *cursor) Key() []byte {
	if !c.fresh {
		return nil
	}
	return c.key
}

// Value implements [store.Cursor].
func (c *cursor) Value() []byte {
	switch {
	case !c.fresh || c.rest.KeysOnly:
		return nil
	case c.local == nil:
		return c.cur.Value()
	}
	return c.value
}

// Keep implements [store.Cursor].
func (c *cursor) Keep() []byte {
	switch {
	case !c.fresh || c.rest.KeysOnly:
		return nil
	case c.strip > 0:
		return bytes.Clone(c.value)
	}
	return c.cur.Keep()
}

// Err implements [store.Cursor].
func (c *cursor) Err() error { return c.err }

// Close implements [store.Cursor].
func (c *cursor) Close() {
	if c.cur != nil {
		c.fill.pass(c)
	}
	c.closePiece()
	c.done = true
}
