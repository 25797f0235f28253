package occ

import (
	"context"

	"github.com/kivisdb/kivis/store"
)

// Commit implements [store.Tx].
func (tx *Tx) Commit() (uint64, error) {
	wrote, err := tx.beginCommit()
	switch {
	case err != nil:
		return 0, err
	case !wrote:
		return tx.version, nil
	}
	// Should the engine panic, the store must still be able to close.
	defer tx.endCommit()
	return tx.core.engine.Commit(tx)
}

// beginCommit ends tx for its user, and says whether there is something to
// commit.
func (tx *Tx) beginCommit() (bool, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.usable(); err != nil {
		tx.end(store.ErrTxDone)
		return false, err
	}
	for c := tx.cursors; c != nil; c = c.next {
		c.observe()
	}
	if tx.changes == nil || tx.changes.overlay.Len() == 0 {
		tx.end(store.ErrTxDone)
		return false, nil
	}
	tx.cease()
	return true, nil
}

// cease ends tx for its user, while it stays one of the live ones: nobody else
// ends it before endCommit.
func (tx *Tx) cease() {
	tx.close(store.ErrTxDone)
	tx.committing = true
	tx.closeReader()
	tx.core.ceaseReading(tx)
}

func (tx *Tx) endCommit() {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.committing = false
	tx.free()
}

// Discard implements [store.Tx].
func (tx *Tx) Discard() { tx.finish(store.ErrTxDone) }

// finish discards tx, unless it has ended or is being committed.
func (tx *Tx) finish(reason error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.end(reason)
}

// expire discards tx if its context has ended and no call is in progress. It
// says whether tx has gone.
func (tx *Tx) expire() bool {
	if !tx.mu.TryLock() {
		return false
	}
	defer tx.mu.Unlock()
	if tx.ended != nil || tx.ctx == nil || tx.ctx.Err() == nil {
		return false
	}
	tx.end(tx.ctx.Err())
	return true
}

// end discards tx, unless it has ended. Later calls return reason.
func (tx *Tx) end(reason error) {
	if tx.ended != nil {
		return
	}
	tx.close(reason)
	tx.closeReader()
	tx.free()
}

// closeReader closes the cursors and the reader.
func (tx *Tx) closeReader() {
	for tx.cursors != nil {
		tx.cursors.shut()
	}
	tx.reader.Close()
	tx.reader = nil
	if tx.stop != nil {
		tx.stop()
		tx.stop = nil
	}
}

// free takes tx out of the live ones and gives its memory back.
func (tx *Tx) free() {
	if c := tx.changes; c != nil {
		tx.changes = nil
		c.overlay.reset()
		c.footprint.reset()
		changesPool.Put(c)
	}
	tx.core.leave(tx)
}

// watch has the end of the context discard tx at once. Only scans need it, for
// they hold on to what an engine keeps open; other transactions notice at their
// next call, or when [Core.Oldest] finds them in the way.
func (tx *Tx) watch() {
	if tx.ctx == nil || tx.stop != nil {
		return
	}
	ctx := tx.ctx
	tx.stop = context.AfterFunc(ctx, func() { tx.finish(ctx.Err()) })
}
