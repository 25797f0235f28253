package kivis

import (
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
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
	chunk chunk      // what the current chunk has done
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
// fn runs once. Where a chunk conflicts with another transaction, its calls are
// made again: what was put or deleted by key is so as it was, and the functions
// of Modify and Update run again on what is there by then, as does a Delete or
// Modify by a query. What a chunk has read in any other way, and others have
// changed meanwhile, fn may have acted upon: then the error is ErrConflict. Put
// such reads into [Bulk.Update].
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
	c.end(Outcome{Rows: b.done}, err)
	return err
}

func (db *DB) newBulk(ctx context.Context, opts *BulkOptions) (*Bulk, error) {
	if err := db.outside(ctx); err != nil {
		return nil, err
	}
	t, err := db.core.Begin(ctx, false) // an fn that does nothing is to learn, too, that the database is closed
	if err != nil {
		return nil, err
	}
	t.Discard()
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

// settle keeps what a call has done, and ends the chunk if it is full.
func (b *Bulk) settle(ctx context.Context, m *mutation, wrote []tables.Write) error {
	if b.hold > 0 || b.t == nil {
		return nil
	}
	if m.work.repeats() {
		b.chunk.add(repeatedCall{m})
	} else {
		b.chunk.write(wrote)
	}
	return b.flushFull(ctx)
}

// flushFull ends the chunk if it is full.
func (b *Bulk) flushFull(ctx context.Context) error {
	if len(b.t.Log()) < b.opts.ChunkSize {
		return nil
	}
	return b.flush(ctx)
}

// observed keeps what a call has read, but in a step, which runs again.
func (b *Bulk) observed(tb *schema.Table, tuple, value []byte) {
	switch {
	case b.hold > 0:
	case tb == nil:
		b.chunk.scanned = true
	default:
		b.chunk.read(b.t.Log(), tb, tuple, value)
	}
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
	if readOnly {
		b.observed(nil, nil, nil)
	}
	s := bulkStep{b: b, ctx: b.db.carry(ctx, b.mark), readOnly: readOnly, fn: fn}
	if err := s.again(t); err != nil || readOnly || b.hold > 0 {
		return err
	}
	b.chunk.add(s)
	return b.flushFull(ctx)
}

// bulkStep is a View or an Update of a Bulk.
type bulkStep struct {
	b        *Bulk
	ctx      context.Context
	readOnly bool
	fn       func(context.Context, *Tx) error
}

// again runs the function in t.
func (s bulkStep) again(t *tables.Tx) error {
	s.b.hold++
	defer func() { s.b.hold-- }()
	return t.Nested(func() error {
		return s.fn(s.ctx, &Tx{t: t, db: s.b.db, readOnly: s.readOnly, ctx: s.ctx, managed: true})
	})
}

// flush commits the current chunk, and does its work again after a conflict.
func (b *Bulk) flush(ctx context.Context) error {
	if b.t == nil {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b.t.Freeze()
	did := b.chunk
	n := len(b.t.Log())
	_, err := b.db.core.Commit(ctx, b.t, func(t *tables.Tx) error {
		t.Escape()
		t.Track()
		t.KeepLog()
		b.t = t
		err := did.again(t)
		n = len(t.Log())
		return err
	})
	b.t, b.chunk = nil, chunk{}
	if err != nil {
		return bulkError(err)
	}
	b.done += n
	if b.opts.Progress != nil && n > 0 {
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
