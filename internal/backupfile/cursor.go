package backupfile

import (
	"bytes"

	"github.com/kivisdb/kivis/store"
)

var _ store.Cursor = (*Cursor)(nil)

// A Cursor goes over the entries of a range in a chain, the newest file's entry
// of each key. It is a [store.Cursor] whose Key and Value stay as they are for
// ever.
type Cursor struct {
	chain   *Chain
	r       store.Range
	sources []source
	began   bool
	done    bool
	err     error
	at      int // the source of the current entry
	value   []byte
}

// source is where a cursor stands in one file.
type source struct {
	place
	live bool // at an entry of the range; not yet, or no longer, otherwise
}

// Scan returns a cursor over r, whose bounds must not change.
func (c *Chain) Scan(r store.Range) *Cursor {
	x := &Cursor{chain: c, r: r, sources: make([]source, len(c.files))}
	for i, f := range c.files {
		x.sources[i].file = f
	}
	return x
}

// Next implements [store.Cursor].
func (c *Cursor) Next() bool {
	switch {
	case c.done:
		return false
	case !c.began:
		return c.start(c.origin())
	}
	key := c.Key()
	return c.settle(c.pass(key))
}

// Seek implements [store.Cursor].
func (c *Cursor) Seek(key []byte) bool {
	switch {
	case c.done:
		return false
	case c.began && c.compare(key, c.Key()) <= 0:
		return c.Next()
	case !c.began && c.compare(key, c.origin()) < 0:
		return c.Next()
	}
	return c.start(key)
}

// compare compares keys in the cursor's direction; nil is the far end where it
// is the bound of a reverse scan.
func (c *Cursor) compare(a, b []byte) int {
	if !c.r.Reverse {
		return bytes.Compare(a, b)
	}
	if b == nil {
		return 1
	}
	return bytes.Compare(b, a)
}

// origin is the bound at which the scan begins; nil is no bound.
func (c *Cursor) origin() []byte {
	if c.r.Reverse {
		return c.r.Hi
	}
	return c.r.Lo
}

// start has every source begin at key.
func (c *Cursor) start(key []byte) bool {
	// In reverse the range's own bound is not in it, a key to seek is.
	below := c.r.Reverse && !c.began && (key == nil || c.r.Hi != nil && bytes.Equal(key, c.r.Hi))
	c.began = true
	for i := range c.sources {
		if err := c.sources[i].start(&c.r, key, below); err != nil {
			return c.fail(i, err)
		}
	}
	return c.settle(true)
}

// start moves to the first entry at or beyond key, or beyond it where below is
// set.
func (s *source) start(r *store.Range, key []byte, below bool) (err error) {
	switch {
	case !r.Reverse:
		s.live, err = s.seek(key)
	case key == nil:
		s.live, err = s.last()
	default:
		s.live, err = s.seekDown(key, below)
	}
	return s.within(r, err)
}

// seekDown moves to the last entry at or below key, or below it.
func (s *source) seekDown(key []byte, below bool) (bool, error) {
	ok, err := s.seek(key)
	switch {
	case err != nil:
		return false, err
	case !ok:
		return s.last()
	case !below && bytes.Equal(s.entry().key, key):
		return true, nil
	}
	return s.prev()
}

// within ends the source where it has left the range.
func (s *source) within(r *store.Range, err error) error {
	if err != nil || !s.live {
		s.live = false
		return err
	}
	key := s.entry().key
	s.live = bytes.Compare(key, r.Lo) >= 0 && (r.Hi == nil || bytes.Compare(key, r.Hi) < 0)
	return nil
}

// pass moves every source that stands at key.
func (c *Cursor) pass(key []byte) bool {
	for i := range c.sources {
		s := &c.sources[i]
		if !s.live || !bytes.Equal(s.entry().key, key) {
			continue
		}
		var err error
		if c.r.Reverse {
			s.live, err = s.prev()
		} else {
			s.live, err = s.next()
		}
		if err = s.within(&c.r, err); err != nil {
			return c.fail(i, err)
		}
	}
	return true
}

// settle chooses the next entry that is no deletion.
func (c *Cursor) settle(ok bool) bool {
	for ok {
		if c.at = c.nearest(); c.at < 0 {
			c.done = true
			return false
		}
		s := &c.sources[c.at]
		if s.entry().tag != tagDeleted {
			return c.take(s)
		}
		ok = c.pass(s.entry().key)
	}
	return false
}

// nearest returns the source whose key comes first, of equal ones the newest
// file's, or -1 where all are at their end.
func (c *Cursor) nearest() int {
	best := -1
	for i := len(c.sources) - 1; i >= 0; i-- {
		s := &c.sources[i]
		if s.live && (best < 0 || c.compare(s.entry().key, c.sources[best].entry().key) < 0) {
			best = i
		}
	}
	return best
}

// take makes the source's entry the current one.
func (c *Cursor) take(s *source) bool {
	if c.r.KeysOnly {
		return true
	}
	value, err := s.value()
	if err != nil {
		return c.fail(c.at, err)
	}
	if c.value = value; value == nil {
		c.value = []byte{}
	}
	return true
}

func (c *Cursor) fail(i int, err error) bool {
	c.done, c.err = true, c.chain.inFile(i, len(c.sources), err)
	return false
}

// Key implements [store.Cursor].
func (c *Cursor) Key() []byte {
	if !c.began || c.done {
		return nil
	}
	return c.sources[c.at].entry().key
}

// Value implements [store.Cursor].
func (c *Cursor) Value() []byte {
	if !c.began || c.done {
		return nil
	}
	return c.value
}

// Keep implements [store.Cursor]. It is a copy, which does not hold on to the
// block.
func (c *Cursor) Keep() []byte {
	if v := c.Value(); v != nil {
		return append(make([]byte, 0, len(v)), v...)
	}
	return nil
}

// Err implements [store.Cursor].
func (c *Cursor) Err() error { return c.err }

// Close implements [store.Cursor].
func (c *Cursor) Close() { c.done = true }
