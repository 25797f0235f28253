package remote

import (
	"bytes"
	"context"
	"sort"

	"github.com/kivisdb/kivis/store"
)

// How many entries a scan asks for: few at first, since many scans end early.
const (
	firstPage = 100
	nextPage  = 1000
)

// aheadFrom is the page of a scan during which the next one is fetched for the first
// time: what is shorter shall not have the engine read what nobody looks at.
const aheadFrom = 3

// cursor is a scan, which fetches a page at a time. Once half of a page has been
// passed the next one is fetched meanwhile, if the scan is long.
type cursor struct {
	r     *reader
	page  []Entry
	pos   int         // of the current entry in page; -1 before the first
	rest  store.Range // what comes after the page
	more  bool        // there may be something in rest
	limit int         // of the next page
	pages int         // how many there were
	next  chan page   // is being fetched; nil if none is
	ended bool
	err   error
}

// page is the answer to one request.
type page struct {
	entries []Entry
	more    bool
	err     error
}

// Next implements store.Cursor.
func (c *cursor) Next() bool {
	if c.ended {
		return false
	}
	if c.pos+1 == len(c.page) {
		return c.turn()
	}
	c.pos++
	if c.more && c.next == nil && c.pages >= aheadFrom && c.pos >= len(c.page)/2 {
		c.prefetch()
	}
	return true
}

// Seek implements store.Cursor. The key lies ahead, and within the range.
func (c *cursor) Seek(key []byte) bool {
	if c.ended {
		return false
	}
	left := c.page[c.pos+1:]
	n := sort.Search(len(left), func(i int) bool { return !c.before(left[i].Key, key) })
	if n < len(left) {
		c.pos += n
		return c.Next()
	}
	c.pos = len(c.page) - 1
	if c.more {
		c.restrict(key)
	}
	return c.turn()
}

// before says whether a comes before b in the scan's direction.
func (c *cursor) before(a, b []byte) bool {
	if c.rest.Reverse {
		return bytes.Compare(a, b) > 0
	}
	return bytes.Compare(a, b) < 0
}

// restrict has the scan go on at key. What is being fetched is of no use, unless
// key lies before it.
func (c *cursor) restrict(key []byte) {
	switch {
	case c.rest.Reverse && (c.rest.Hi == nil || bytes.Compare(key, c.rest.Hi) < 0):
		c.rest.Hi = append(bytes.Clone(key), 0)
	case !c.rest.Reverse && bytes.Compare(key, c.rest.Lo) > 0:
		c.rest.Lo = bytes.Clone(key)
	default:
		return
	}
	c.next = nil
}

// turn goes to the next page, and to its first entry.
func (c *cursor) turn() bool {
	for c.more {
		p := c.fetch()
		if c.err = p.err; p.err != nil {
			break
		}
		c.take(p)
		if len(p.entries) > 0 {
			c.pos = 0
			return true
		}
	}
	c.ended = true
	return false
}

// fetch returns the next page, which may have been asked for already.
func (c *cursor) fetch() page {
	if c.next == nil {
		return c.r.page(c.rest, c.limit)
	}
	p := <-c.next
	c.next = nil
	return p
}

// take makes p the page.
func (c *cursor) take(p page) {
	c.page, c.more, c.limit = p.entries, p.more, nextPage
	c.pages++
	if n := len(p.entries); n > 0 {
		last := p.entries[n-1].Key
		if c.rest.Reverse {
			c.rest.Hi = last
		} else {
			c.rest.Lo = append(last[:len(last):len(last)], 0)
		}
	}
}

// prefetch asks for the next page. The answer is waited for when it is needed, or never.
func (c *cursor) prefetch() {
	next := make(chan page, 1)
	c.next = next
	r, rest, limit := c.r, c.rest, c.limit
	if !r.s.background(func() { next <- r.page(rest, limit) }) {
		next <- page{err: store.ErrClosed}
	}
}

// page makes one request.
func (r *reader) page(rg store.Range, limit int) (p page) {
	p.err = r.s.try(r.ctx, func(ctx context.Context) (err error) {
		p.entries, p.more, err = r.from.Scan(ctx, r.version, rg, limit)
		return err
	})
	return p
}

// Key implements store.Cursor.
func (c *cursor) Key() []byte {
	if c.ended || c.pos < 0 {
		return nil
	}
	return c.page[c.pos].Key
}

// Value implements store.Cursor.
func (c *cursor) Value() []byte {
	if c.ended || c.pos < 0 || c.rest.KeysOnly {
		return nil
	}
	return c.page[c.pos].Value
}

// Keep implements store.Cursor.
func (c *cursor) Keep() []byte { return c.Value() }

// Err implements store.Cursor.
func (c *cursor) Err() error { return c.err }

// Close implements store.Cursor.
func (c *cursor) Close() {}
