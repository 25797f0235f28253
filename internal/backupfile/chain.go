package backupfile

import (
	"errors"
	"fmt"
	"io"

	"github.com/kivisdb/kivis/store"
)

// ErrChain: files are not a whole backup and what continues it, in order.
var ErrChain = errors.New("the files do not continue each other")

// A Chain is a whole backup and the increments to it: the entries that there
// were at the last one's version. It is safe for concurrent use.
type Chain struct {
	files []*File
}

// OpenChain returns the chain of a whole backup and the increments that follow
// it, in order. The error matches [ErrChain] where they do not.
func OpenChain(whole io.ReaderAt, increments ...io.ReaderAt) (*Chain, error) {
	c := &Chain{}
	for i, r := range append([]io.ReaderAt{whole}, increments...) {
		f, err := Open(r)
		if err == nil {
			err = c.continues(f)
		}
		if err != nil {
			return nil, c.inFile(i, len(increments)+1, err)
		}
		f.most = cached / (len(increments) + 1)
		c.files = append(c.files, f)
	}
	return c, nil
}

// inFile says in which of several files an error is.
func (c *Chain) inFile(i, n int, err error) error {
	if n == 1 {
		return err
	}
	return fmt.Errorf("file %d of %d: %w", i+1, n, err)
}

// continues returns an error where f may not come next.
func (c *Chain) continues(f *File) error {
	h := &f.info.Header
	if len(c.files) == 0 {
		if !h.Whole() {
			return fmt.Errorf("an increment, of the backup with the hash %x; that one comes first: %w", h.Previous[:8], ErrChain)
		}
		return nil
	}
	last := &c.files[len(c.files)-1].info
	switch {
	case h.Whole():
		return fmt.Errorf("a whole backup, not an increment: %w", ErrChain)
	case h.Previous != last.Hash:
		return fmt.Errorf("an increment of the backup with the hash %x, not of the one before it, %x: %w", h.Previous[:8], last.Hash[:8], ErrChain)
	case h.Incarnation != last.Incarnation:
		return fmt.Errorf("an increment of incarnation %x after a backup of %x: %w: %w", h.Incarnation, last.Incarnation, store.ErrIncarnation, ErrChain)
	case h.Version < last.Version:
		return fmt.Errorf("version %d after version %d: %w", h.Version, last.Version, ErrChain)
	}
	return nil
}

// Info returns what the last file says of itself.
func (c *Chain) Info() Info { return c.files[len(c.files)-1].info }

// Size returns how many bytes the files have together.
func (c *Chain) Size() int64 {
	n := int64(0)
	for _, f := range c.files {
		n += f.info.Size
	}
	return n
}

// Entries returns how many entries the files have together, deletions and what
// later ones replace included.
func (c *Chain) Entries() int64 {
	n := uint64(0)
	for _, f := range c.files {
		n += f.info.Entries + f.info.Deleted
	}
	return int64(n)
}

// Get returns the value of key, which never changes, or store.ErrNotFound.
func (c *Chain) Get(key []byte) ([]byte, error) {
	for i := len(c.files) - 1; i >= 0; i-- {
		p := place{file: c.files[i]}
		ok, err := p.seek(key)
		if err != nil {
			return nil, c.inFile(i, len(c.files), err)
		}
		if !ok || string(p.entry().key) != string(key) {
			continue
		}
		if p.entry().tag == tagDeleted {
			break
		}
		value, err := p.value()
		if value == nil && err == nil {
			value = []byte{}
		}
		return value, err
	}
	return nil, store.ErrNotFound
}

// Count returns how many keys r has.
func (c *Chain) Count(r store.Range) (int, error) {
	if len(c.files) == 1 {
		return c.files[0].count(r)
	}
	r.KeysOnly = true
	cur := c.Scan(r)
	n := 0
	for cur.Next() {
		n++
	}
	return n, cur.Err()
}

// count is Count in a whole backup, by the index.
func (f *File) count(r store.Range) (int, error) {
	lo, err := f.rank(r.Lo)
	if err != nil {
		return 0, err
	}
	hi := f.info.Entries
	if r.Hi != nil {
		if hi, err = f.rank(r.Hi); err != nil {
			return 0, err
		}
	}
	return int(max(hi, lo) - lo), nil
}
