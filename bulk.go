package kivis

import (
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/internal/tables"
)

// BulkOptions are the settings of a Bulk. A nil *BulkOptions means all
// defaults.
type BulkOptions struct {
	ChunkSize int            // records in one transaction; 0 means 1,000
	Progress  func(done int) // called after each chunk with the records that are in
}

// defaultChunk is ChunkSize where it is not set.
const defaultChunk = 1000

// Bulk writes any number of records, in chunks that are a transaction each. It
// is not atomic as a whole: see [DB.Bulk]. It belongs to one goroutine.
type Bulk struct {
	db    *DB
	opts  BulkOptions
	t     *tables.Tx // the current chunk; nil between chunks
	mark  *bulkMark  // what the context carries
	done  int        // records in committed chunks
	hold  int        // nested steps, in which no chunk ends
	ended bool
}

// Bulk runs fn, which loads, changes or deletes any number of records through
// tables bound to its Bulk. Every rule holds, uniqueness and references
// included. What fn writes is committed in chunks, so it is not atomic as a
// whole: on an error, of fn or of a chunk, the current chunk is dropped, the
// earlier ones stay, and the error says how many records are in. Reads through
// the Bulk see what was committed and what is pending.
//
// fn runs once: a chunk that conflicts with another transaction is replayed
// from what it wrote. Where a record that fn changed has been changed by
// another in the meantime, the error is ErrConflict.
func (db *DB) Bulk(ctx context.Context, opts *BulkOptions, fn func(context.Context, *Bulk) error) error {
	b, err := db.newBulk(ctx, opts)
	if err = checkFunc(err, fn == nil); err != nil {
		return wrap("bulk", nil, nil, err)
	}
	defer b.end()
	c := db.startCall(ctx, "bulk", "")
	defer c.abandoned()
	err = fn(db.carry(c.ctx, b.mark), b)
	if err == nil {
		err = b.flush(c.ctx)
	}
	if err != nil {
		err = fmt.Errorf("kivis: bulk: %d records are in, and the chunk after them was dropped: %w", b.done, err)
	}
	c.end(Result{Rows: b.done}, err)
	return err
}

func (db *DB) newBulk(ctx context.Context, opts *BulkOptions) (*Bulk, error) {
	if err := db.outside(ctx); err != nil {
		return nil, err
	}
	b := &Bulk{db: db, mark: new(bulkMark)}
	if opts != nil {
		b.opts = *opts
	}
	switch {
	case b.opts.ChunkSize < 0:
		return nil, fmt.Errorf("ChunkSize (%d) must not be negative", b.opts.ChunkSize)
	case b.opts.ChunkSize == 0:
		b.opts.ChunkSize = defaultChunk
	}
	return b, nil
}

// end drops what has not been committed.
func (b *Bulk) end() {
	b.ended, b.mark.ended = true, true
	if b.t != nil {
		b.t.Discard()
	}
}

// join returns the current chunk, or begins one.
func (b *Bulk) join(ctx context.Context, _ bool) (*tables.Tx, *DB, error) {
	if b.ended {
		return nil, nil, ErrTxDone
	}
	if b.t == nil {
		t, err := b.db.core.Begin(context.Background(), true)
		if err != nil {
			return nil, nil, err
		}
		t.Escape()
		t.Track()
		t.KeepLog()
		b.t = t
	}
	return b.t, b.db, nil
}

func (b *Bulk) base() *DB { return b.db }

// settle ends the chunk if it is full.
func (b *Bulk) settle(ctx context.Context) error {
	if b.hold > 0 || b.t == nil || len(b.t.Log()) < b.opts.ChunkSize {
		return nil
	}
	return b.flush(ctx)
}

// View runs fn with read access to what was committed and what is pending.
func (b *Bulk) View(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return b.within(ctx, "view", true, fn)
}

// Update runs fn as a step whose writes end up in one chunk, all or none.
func (b *Bulk) Update(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return b.within(ctx, "update", false, fn)
}

func (b *Bulk) within(ctx context.Context, op string, readOnly bool, fn func(context.Context, *Tx) error) error {
	t, _, err := join(ctx, b, !readOnly)
	if err = checkFunc(err, fn == nil); err != nil {
		return wrap(op, nil, nil, err)
	}
	b.hold++
	defer func() { b.hold-- }()
	inner := b.db.carry(ctx, b.mark)
	err = t.Nested(func() error {
		return fn(inner, &Tx{t: t, db: b.db, readOnly: readOnly, ctx: inner, managed: true})
	})
	if err != nil {
		return err
	}
	if b.hold == 1 && len(t.Log()) >= b.opts.ChunkSize {
		return b.flush(ctx)
	}
	return nil
}

// flush commits the current chunk, replaying it after a conflict.
func (b *Bulk) flush(ctx context.Context) error {
	if b.t == nil {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b.t.Freeze()
	log := b.t.Log()
	_, err := b.db.core.Commit(ctx, b.t)
	b.t = nil
	if err != nil {
		return bulkError(err)
	}
	b.done += len(log)
	if b.opts.Progress != nil && len(log) > 0 {
		b.opts.Progress(b.done)
	}
	return nil
}

// bulkError names what a chunk failed on.
func bulkError(err error) error {
	var e *tables.ReplayError
	if !errors.As(err, &e) {
		return wrap("bulk", nil, nil, err)
	}
	op := "bulk"
	if e.Delete {
		op = "delete"
	}
	return wrap(op, e.Ref.Table, e.Ref.Tuple, e.Err)
}

// bulkMark stands for a Bulk in a context.
type bulkMark struct{ ended bool }

// Ended reports whether the Bulk has ended.
func (m *bulkMark) Ended() bool { return m.ended }
