package faultstore

import (
	"errors"

	"github.com/kivisdb/kivis/store"
)

var (
	_ store.Tx      = (*tx)(nil)
	_ store.Counter = (*tx)(nil)
	_ store.Cursor  = (*cursor)(nil)
)

// tx is a transaction whose calls fail where they are told to.
type tx struct {
	s        *Store
	inner    store.Tx
	tooLarge error // from then on every call but Discard fails
	done     bool  // Commit failed
	wrote    bool
}

// refuse returns why a call must fail.
func (t *tx) refuse(kind Kind, key []byte) error {
	switch {
	case t.done:
		return store.ErrTxDone
	case t.tooLarge != nil:
		return t.tooLarge
	}
	err := t.s.refuse(kind, key)
	if errors.Is(err, store.ErrTxTooLarge) {
		t.tooLarge = err
	}
	return err
}

// Version implements [store.Tx].
func (t *tx) Version() uint64 { return t.inner.Version() }

// Get implements [store.Tx].
func (t *tx) Get(key []byte) ([]byte, error) {
	if err := t.refuse(Get, key); err != nil {
		return nil, err
	}
	return t.inner.Get(key)
}

// GetMany implements [store.Tx].
func (t *tx) GetMany(keys, values [][]byte) error {
	if err := t.refuse(GetMany, nil); err != nil {
		return err
	}
	return t.inner.GetMany(keys, values)
}

// Scan implements [store.Tx].
func (t *tx) Scan(r store.Range) (store.Cursor, error) {
	if err := t.refuse(Scan, r.Lo); err != nil {
		return nil, err
	}
	inner, err := t.inner.Scan(r)
	if err != nil {
		return nil, err
	}
	return &cursor{t: t, inner: inner}, nil
}

// Count implements [store.Counter].
func (t *tx) Count(r store.Range) (int, error) {
	if err := t.refuse(Count, r.Lo); err != nil {
		return 0, err
	}
	return store.Count(t.inner, r)
}

// Guard implements [store.Tx].
func (t *tx) Guard(lo, hi []byte) error {
	if err := t.refuse(Guard, lo); err != nil {
		return err
	}
	return t.inner.Guard(lo, hi)
}

// Set implements [store.Tx].
func (t *tx) Set(key, value []byte) error {
	if err := t.refuse(Set, key); err != nil {
		return err
	}
	t.wrote = true
	return t.inner.Set(key, value)
}

// Delete implements [store.Tx].
func (t *tx) Delete(key []byte) error {
	if err := t.refuse(Delete, key); err != nil {
		return err
	}
	t.wrote = true
	return t.inner.Delete(key)
}

// Savepoint implements [store.Tx].
func (t *tx) Savepoint() store.Savepoint { return t.inner.Savepoint() }

// Rollback implements [store.Tx].
func (t *tx) Rollback(s store.Savepoint) error {
	if err := t.refuse(Rollback, nil); err != nil {
		return err
	}
	return t.inner.Rollback(s)
}

// Release implements [store.Tx].
func (t *tx) Release(s store.Savepoint) { t.inner.Release(s) }

// Commit implements [store.Tx].
func (t *tx) Commit() (uint64, error) {
	if err := t.refuse(Commit, nil); err != nil {
		t.end()
		return 0, err
	}
	version, err := t.inner.Commit()
	if err != nil {
		return 0, err
	}
	if !t.wrote {
		return version, nil // there was nothing to be unsure of
	}
	if err := t.s.refuse(Committed, nil); err != nil {
		return 0, t.s.fail(err)
	}
	return version, nil
}

// Discard implements [store.Tx].
func (t *tx) Discard() { t.inner.Discard() }

// end discards t, whose Commit has failed.
func (t *tx) end() {
	t.inner.Discard()
	t.done = true
}

// cursor is a cursor whose steps fail where they are told to.
type cursor struct {
	t     *tx
	inner store.Cursor
	err   error
}

// Next implements [store.Cursor].
func (c *cursor) Next() bool { return c.refuse(nil) && c.inner.Next() }

// Seek implements [store.Cursor].
func (c *cursor) Seek(key []byte) bool { return c.refuse(key) && c.inner.Seek(key) }

// refuse ends the scan if a step must fail, and says whether it may be taken.
func (c *cursor) refuse(key []byte) bool {
	if c.err == nil {
		c.err = c.t.refuse(Next, key)
	}
	return c.err == nil
}

// Key implements [store.Cursor].
func (c *cursor) Key() []byte {
	if c.err != nil {
		return nil
	}
	return c.inner.Key()
}

// Value implements [store.Cursor].
func (c *cursor) Value() []byte {
	if c.err != nil {
		return nil
	}
	return c.inner.Value()
}

// Keep implements [store.Cursor].
func (c *cursor) Keep() []byte {
	if c.err != nil {
		return nil
	}
	return c.inner.Keep()
}

// Err implements [store.Cursor].
func (c *cursor) Err() error {
	if c.err != nil {
		return c.err
	}
	return c.inner.Err()
}

// Close implements [store.Cursor].
func (c *cursor) Close() { c.inner.Close() }
