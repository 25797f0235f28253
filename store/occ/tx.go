package occ

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/kivisdb/kivis/store"
)

var (
	_ store.Tx      = (*Tx)(nil)
	_ store.Counter = (*Tx)(nil)
	_ store.Sealer  = (*Tx)(nil)
)

// Tx is a transaction, a complete [store.Tx] over a [Reader]. Its lock makes
// it safe to end from another goroutine: by Discard, the end of the context, or
// the store's Close.
type Tx struct {
	core    *Core
	version uint64
	write   bool
	notes   bool            // keeps a footprint
	ctx     context.Context // nil if it cannot end
	gone    atomic.Bool     // ended is set
	prev    *Tx             // in the core's list, under its lock
	next    *Tx
	blind   bool // reads no more; under the core's lock

	mu         sync.Mutex
	stop       func() bool // stops the watch on ctx; nil while there is none
	reader     Reader      // nil once closed
	ended      error       // why calls are refused; nil while live
	failed     error       // store.ErrTxTooLarge, wrapped: only Discard is left
	committing bool
	changes    *changes // nil until something is noted or written
	cursors    *cursor  // the open ones
}

// changes is what a write transaction needs, or one that notes what it reads.
type changes struct {
	overlay   Overlay
	footprint Footprint
	missing   [2][][]byte // scratch of GetMany
}

var changesPool = sync.Pool{New: func() any { return new(changes) }}

// Version implements [store.Tx].
func (tx *Tx) Version() uint64 { return tx.version }

// Overlay returns the writes of a transaction that is being committed.
func (tx *Tx) Overlay() *Overlay { return &tx.own().overlay }

// Writes calls f for each write of a transaction that is being committed, in
// key order, the value of a deletion being nil. The bytes never change and may
// be kept.
func (tx *Tx) Writes(f func(key, value []byte, deleted bool)) {
	for e := range tx.own().overlay.All() {
		f(e.Key(), e.Value(), e.Deleted())
	}
}

// own returns the changes of tx, making them at the first use.
func (tx *Tx) own() *changes {
	if tx.changes == nil {
		tx.changes = changesPool.Get().(*changes)
	}
	return tx.changes
}

// usable returns why a call must be refused, having discarded tx if its context
// has ended.
func (tx *Tx) usable() error {
	if tx.ended != nil {
		return tx.ended
	}
	if tx.ctx != nil {
		if err := tx.ctx.Err(); err != nil {
			tx.end(err)
			return err
		}
	}
	return tx.failed
}

// alive says whether tx has not ended, without the lock.
func (tx *Tx) alive() bool {
	return !tx.gone.Load() && (tx.ctx == nil || tx.ctx.Err() == nil)
}

// close makes later calls return reason.
func (tx *Tx) close(reason error) {
	tx.ended = reason
	tx.gone.Store(true)
}

// Get implements [store.Tx].
func (tx *Tx) Get(key []byte) ([]byte, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.usable(); err != nil {
		return nil, err
	}
	if tx.notes {
		if e, ok := tx.own().overlay.Get(key); ok {
			return valueOf(e)
		}
		tx.changes.footprint.AddKey(key)
	}
	return tx.reader.Get(key)
}

func valueOf(e Entry) ([]byte, error) {
	if e.Deleted() {
		return nil, store.ErrNotFound
	}
	return e.Value(), nil
}

// GetMany implements [store.Tx].
func (tx *Tx) GetMany(keys, values [][]byte) error {
	if len(keys) != len(values) {
		return fmt.Errorf("store: GetMany of %d keys into %d values", len(keys), len(values))
	}
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.usable(); err != nil {
		return err
	}
	if !tx.notes {
		return tx.reader.GetMany(keys, values)
	}
	return tx.getMany(keys, values)
}

func (tx *Tx) getMany(keys, values [][]byte) error {
	c := tx.own()
	if c.overlay.Len() == 0 {
		for _, key := range keys {
			c.footprint.AddKey(key)
		}
		return tx.reader.GetMany(keys, values)
	}
	missing := c.missing[0][:0]
	for _, key := range keys {
		if _, ok := c.overlay.Get(key); !ok {
			c.footprint.AddKey(key)
			missing = append(missing, key)
		}
	}
	found := append(c.missing[1][:0], make([][]byte, len(missing))...)
	c.missing = [2][][]byte{missing, found}
	defer clear(missing)
	defer clear(found)
	if err := tx.reader.GetMany(missing, found); err != nil {
		return err
	}
	c.merge(keys, values, found)
	return nil
}

// merge sets the values of keys from the overlay, the others from found.
func (c *changes) merge(keys, values, found [][]byte) {
	for i, key := range keys {
		if e, ok := c.overlay.Get(key); ok {
			values[i] = e.Value()
			continue
		}
		values[i], found = found[0], found[1:]
	}
}

// Guard implements [store.Tx].
func (tx *Tx) Guard(lo, hi []byte) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.usable(); err != nil {
		return err
	}
	if tx.notes {
		tx.own().footprint.AddRange(lo, hi)
	}
	return nil
}

// Set implements [store.Tx].
func (tx *Tx) Set(key, value []byte) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.writable(key); err != nil {
		return err
	}
	tx.own().overlay.Set(key, value)
	return tx.checkLimit()
}

// Create implements [store.Creator].
func (tx *Tx) Create(key, value []byte) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.writable(key); err != nil {
		return err
	}
	tx.own().overlay.Create(key, value)
	return tx.checkLimit()
}

// SetSealed implements [store.Sealer].
func (tx *Tx) SetSealed(key, value []byte, created bool) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.writable(key); err != nil {
		return err
	}
	tx.own().overlay.SetSealed(key, value, created)
	return tx.checkLimit()
}

// Delete implements [store.Tx].
func (tx *Tx) Delete(key []byte) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.writable(key); err != nil {
		return err
	}
	tx.own().overlay.Delete(key)
	return tx.checkLimit()
}

// Adopt makes a write that another transaction has made, sharing its memory. This one
// has not written the key yet.
func (tx *Tx) Adopt(e Entry) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.writable(e.Key()); err != nil {
		return err
	}
	tx.own().overlay.Put(e)
	return tx.checkLimit()
}

// writable returns why a write of key must be refused.
func (tx *Tx) writable(key []byte) error {
	if err := tx.usable(); err != nil {
		return err
	}
	if !tx.write {
		return store.ErrReadOnly
	}
	if limit := tx.core.options.MaxKey; limit > 0 && len(key) > limit {
		return fmt.Errorf("store: key of %d bytes, the longest is %d: %w", len(key), limit, store.ErrKeyTooLarge)
	}
	return nil
}

func (tx *Tx) checkLimit() error {
	if limit := tx.core.options.Limit; limit != nil {
		o := &tx.changes.overlay
		tx.failed = limit(o.Len(), o.Size())
	}
	return tx.failed
}

// Savepoint implements [store.Tx].
func (tx *Tx) Savepoint() store.Savepoint {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.usable() != nil {
		return 0
	}
	return tx.own().overlay.Savepoint()
}

// Rollback implements [store.Tx].
func (tx *Tx) Rollback(s store.Savepoint) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.usable(); err != nil {
		return err
	}
	return tx.own().overlay.Rollback(s)
}

// Release implements [store.Tx].
func (tx *Tx) Release(s store.Savepoint) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.usable() == nil {
		tx.own().overlay.Release(s)
	}
}

// Count implements [store.Counter].
func (tx *Tx) Count(r store.Range) (int, error) {
	r.KeysOnly, r.Reverse = true, false
	if n, err := tx.countFast(r); !errors.Is(err, errors.ErrUnsupported) {
		return n, err
	}
	c, err := tx.Scan(r)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	n := 0
	for c.Next() {
		n++
	}
	return n, c.Err()
}

// countFast counts through the reader, if it can and tx has written nothing.
func (tx *Tx) countFast(r store.Range) (int, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.usable(); err != nil {
		return 0, err
	}
	counter, ok := tx.reader.(store.Counter)
	if !ok || tx.changes != nil && tx.changes.overlay.Len() > 0 {
		return 0, errors.ErrUnsupported
	}
	if tx.notes {
		tx.own().footprint.AddRange(r.Lo, r.Hi)
	}
	return counter.Count(r)
}
