package slowstore

import (
	"context"
	"errors"
	"slices"

	"github.com/kivisdb/kivis/store"
)

var (
	_ store.Tx       = (*tx)(nil)
	_ store.Counter  = (*tx)(nil)
	_ store.Recorder = (*tx)(nil)
	_ store.Creator  = (*tx)(nil)
	_ store.Cursor   = (*cursor)(nil)
)

// tx is a transaction whose reads and whose commit are requests. Its writes are
// those of the wrapped one.
type tx struct {
	store.Tx
	s   *Store
	ctx context.Context
}

// Get implements [store.Tx].
func (t *tx) Get(key []byte) (value []byte, err error) {
	err = t.s.call(t.ctx, Get, func() (int, error) {
		value, err = t.Tx.Get(key)
		return len(value), err
	})
	if err != nil {
		return nil, err
	}
	return value, nil
}

// GetMany implements [store.Tx].
func (t *tx) GetMany(keys, values [][]byte) error {
	found := make([][]byte, len(values))
	err := t.s.call(t.ctx, GetMany, func() (n int, err error) {
		err = t.Tx.GetMany(keys, found)
		for _, v := range found {
			n += len(v)
		}
		return n, err
	})
	if err == nil {
		copy(values, found)
	}
	return err
}

// Count implements [store.Counter].
func (t *tx) Count(r store.Range) (n int, err error) {
	err = t.s.call(t.ctx, Count, func() (int, error) {
		n, err = store.Count(t.Tx, r)
		return 0, err
	})
	return n, err
}

// Create implements [store.Creator].
func (t *tx) Create(key, value []byte) error { return store.Create(t.Tx, key, value) }

// Record implements [store.Recorder].
func (t *tx) Record() { store.Record(t.Tx) }

// Footprint implements [store.Recorder].
func (t *tx) Footprint() []store.Range { return store.Footprint(t.Tx) }

// Scan implements [store.Tx].
func (t *tx) Scan(r store.Range) (store.Cursor, error) {
	c, err := t.Tx.Scan(r)
	if err != nil {
		return nil, err
	}
	return &cursor{Cursor: c, t: t}, nil
}

// Commit implements [store.Tx].
func (t *tx) Commit() (version uint64, err error) {
	sent := false
	err = t.s.commit(context.WithoutCancel(t.ctx), func() (err error) {
		sent = true
		version, err = t.Tx.Commit()
		return err
	})
	if !sent {
		t.Tx.Discard()
	}
	if errors.Is(err, store.ErrCommitUnknown) || err != nil {
		return 0, err
	}
	return version, nil
}

// atOnce is how many entries one request of a scan brings.
const atOnce = 256

// cursor counts a request for so many entries. That it reads them one by one from
// the wrapped store makes no difference to who uses it.
type cursor struct {
	store.Cursor
	t    *tx
	left int // how many entries the last request has brought and Next has not shown
	size int
	err  error
}

// Next implements [store.Cursor].
func (c *cursor) Next() bool { return c.move(c.Cursor.Next) }

// Seek implements [store.Cursor].
func (c *cursor) Seek(key []byte) bool {
	key = slices.Clone(key)
	c.left = 0
	return c.move(func() bool { return c.Cursor.Seek(key) })
}

// move goes to another entry, by a request if it has not been brought yet.
func (c *cursor) move(step func() bool) (ok bool) {
	if c.err != nil {
		return false
	}
	if c.left > 0 {
		c.left--
		ok = step()
		c.size += c.bytes(ok)
		return ok
	}
	done := false
	c.err = c.t.s.call(c.t.ctx, Scan, func() (int, error) {
		if !done {
			done, ok = true, step()
		}
		n := c.size
		c.size = c.bytes(ok)
		return n, c.Cursor.Err()
	})
	c.left = atOnce - 1
	return ok && c.err == nil
}

func (c *cursor) bytes(ok bool) int {
	if !ok {
		return 0
	}
	return len(c.Cursor.Key()) + len(c.Cursor.Value())
}

// Key implements [store.Cursor].
func (c *cursor) Key() []byte {
	if c.err != nil {
		return nil
	}
	return c.Cursor.Key()
}

// Value implements [store.Cursor].
func (c *cursor) Value() []byte {
	if c.err != nil {
		return nil
	}
	return c.Cursor.Value()
}

// Keep implements [store.Cursor].
func (c *cursor) Keep() []byte {
	if c.err != nil {
		return nil
	}
	return c.Cursor.Keep()
}

// Err implements [store.Cursor].
func (c *cursor) Err() error {
	if c.err != nil {
		return c.err
	}
	return c.Cursor.Err()
}
