package kivis

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/codec"
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
	t     *txn // the current chunk; nil between chunks
	mark  *txn // what the context carries
	done  int  // records in committed chunks
	hold  int  // nested steps, in which no chunk ends
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
	if err = usable(err, fn == nil); err != nil {
		return wrap("bulk", nil, nil, err)
	}
	defer b.end()
	c := db.startCall(ctx, "bulk", "")
	defer c.abandoned()
	err = fn(b.mark.carry(c.ctx), b)
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
	b := &Bulk{db: db, mark: &txn{db: db}}
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
		b.t.discard()
	}
}

// join returns the current chunk, or begins one.
func (b *Bulk) join(ctx context.Context, _ bool) (*txn, *DB, error) {
	if b.ended {
		return nil, nil, ErrTxDone
	}
	if b.t == nil {
		t, err := b.db.begin(context.Background(), true)
		if err != nil {
			return nil, nil, err
		}
		t.shown, t.bulk = true, b
		t.live = b.db.open.add()
		b.t = t
	}
	return b.t, b.db, nil
}

func (b *Bulk) base() *DB { return b.db }

// settle ends the chunk if it is full.
func (b *Bulk) settle(ctx context.Context) error {
	if b.hold > 0 || b.t == nil || len(b.t.log) < b.opts.ChunkSize {
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
	if err = usable(err, fn == nil); err != nil {
		return wrap(op, nil, nil, err)
	}
	b.hold++
	defer func() { b.hold-- }()
	inner := b.mark.carry(ctx)
	err = t.step(func() error {
		return fn(inner, &Tx{t: t, readOnly: readOnly, ctx: inner, managed: true})
	})
	if err != nil {
		return err
	}
	if b.hold == 1 && len(t.log) >= b.opts.ChunkSize {
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
	b.t.freeze()
	log, hooks := b.t.log, b.t.onCommit
	_, err := b.db.retry(ctx, attemptFunc(func(ctx context.Context) error {
		if b.t == nil {
			if err := b.replay(ctx, log, hooks); err != nil {
				return err
			}
		}
		t := b.t
		b.t = nil
		defer t.release()
		return commitFault(t.commit(ctx))
	}))
	if err != nil {
		return wrapConflict("bulk", err)
	}
	b.done += len(log)
	if b.opts.Progress != nil && len(log) > 0 {
		b.opts.Progress(b.done)
	}
	return nil
}

// logged is one write of a chunk, kept to be made again.
type logged struct {
	table  uint32
	remove bool
	mode   mode
	tuple  []byte
	value  []byte // with its checksum
	expect []byte // what must be there still; nil where anything may
}

// note keeps w for a replay, if t is a chunk of a Bulk.
func (t *txn) note(w *write) {
	if t.bulk == nil {
		return
	}
	l := logged{table: w.tb.ID, mode: w.mode, tuple: bytes.Clone(w.tuple), value: bytes.Clone(w.value)}
	if w.changes {
		l.expect = w.old
	}
	t.log = append(t.log, l)
}

// noteRemoval keeps a delete for a replay, if t is a chunk of a Bulk.
func (t *txn) noteRemoval(tb *schema.Table, tuple []byte) {
	if t.bulk != nil {
		t.log = append(t.log, logged{table: tb.ID, remove: true, tuple: bytes.Clone(tuple)})
	}
}

// replay begins a new chunk with the writes of one that met a conflict.
func (b *Bulk) replay(ctx context.Context, log []logged, hooks []func()) error {
	t, _, err := b.join(ctx, true)
	if err != nil {
		return err
	}
	t.bulk = nil // the log is there already
	for i := range log {
		if err := t.again(&log[i]); err != nil {
			b.t = nil
			t.discard()
			return err
		}
	}
	t.onCommit = hooks
	return nil
}

// again makes a logged write once more.
func (t *txn) again(l *logged) error {
	tb := t.set.ByID(l.table)
	if l.remove {
		if err := t.remove(tb, l.tuple); !errors.Is(err, ErrNotFound) {
			return wrap("delete", tb, l.tuple, err)
		}
		return nil
	}
	w := write{tb: tb, mode: l.mode, tuple: l.tuple}
	if l.expect != nil {
		now, err := t.read(tb, l.tuple)
		if err != nil || !bytes.Equal(now, l.expect) {
			return wrap("bulk", tb, l.tuple, errors.Join(ErrConflict, err))
		}
		w.old, w.known = now, true
	}
	_, b, err := codec.Open(l.value, tb.ID, l.tuple)
	if err != nil {
		return err
	}
	w.new.bytes = b
	if w.new.offs, err = codec.Split(b, len(tb.Columns), nil); err != nil {
		return err
	}
	w.value = bytes.Clone(l.value[:len(l.value)-codec.ChecksumSize])
	return wrap("bulk", tb, l.tuple, t.apply(&w))
}
