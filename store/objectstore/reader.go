package objectstore

import (
	"errors"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

var (
	_ occ.Reader    = (*reader)(nil)
	_ store.Counter = (*reader)(nil)
)

// reader reads an era in a transaction of the local store. Keys have one byte more
// there.
type reader struct {
	tx  store.Tx
	gen byte
	buf []byte
}

func newReader(tx store.Tx, gen byte) *reader { return &reader{tx: tx, gen: gen} }

// Get implements [occ.Reader].
func (r *reader) Get(key []byte) ([]byte, error) {
	r.buf = append(append(r.buf[:0], r.gen), key...)
	return r.tx.Get(r.buf)
}

// GetMany implements [occ.Reader].
func (r *reader) GetMany(keys, values [][]byte) error {
	for i, key := range keys {
		value, err := r.Get(key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		values[i] = value
	}
	return nil
}

// Scan implements [occ.Reader].
func (r *reader) Scan(rg store.Range) (store.Cursor, error) {
	c, err := r.tx.Scan(r.inner(rg))
	if err != nil {
		return nil, err
	}
	return &cursor{Cursor: c, gen: r.gen}, nil
}

// inner returns the range of the local store that holds rg.
func (r *reader) inner(rg store.Range) store.Range {
	rg.Lo = append([]byte{r.gen}, rg.Lo...)
	if rg.Hi == nil {
		rg.Hi = []byte{r.gen + 1}
	} else {
		rg.Hi = append([]byte{r.gen}, rg.Hi...)
	}
	return rg
}

// Count implements [store.Counter].
func (r *reader) Count(rg store.Range) (int, error) { return store.Count(r.tx, r.inner(rg)) }

// Close implements [occ.Reader].
func (r *reader) Close() { r.tx.Discard() }

// cursor takes the first byte off the keys of another.
type cursor struct {
	store.Cursor
	gen byte
	buf []byte
}

// Key implements [store.Cursor].
func (c *cursor) Key() []byte {
	if key := c.Cursor.Key(); len(key) > 0 {
		return key[1:]
	}
	return nil
}

// Seek implements [store.Cursor].
func (c *cursor) Seek(key []byte) bool {
	c.buf = append(append(c.buf[:0], c.gen), key...)
	return c.Cursor.Seek(c.buf)
}
