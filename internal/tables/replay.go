package tables

import (
	"bytes"
	"context"
	"errors"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/retry"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// KeepLog has the transaction keep its writes, for Log and [DB.Commit].
func (t *Tx) KeepLog() { t.log.on = true }

// Log returns the writes so far, in order. Puts that changed nothing count too.
func (t *Tx) Log() []Write { return t.log.writes }

// A ReplayError says which write could not be made again.
type ReplayError struct {
	Ref    *record.Ref
	Delete bool
	Err    error
}

// Error says what is wrong.
func (e *ReplayError) Error() string {
	return e.Ref.Table.Name + " " + e.Ref.String() + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *ReplayError) Unwrap() error { return e.Err }

// Commit commits a transaction that keeps a log. After a conflict it makes the
// logged writes again in a new one. It returns how often it has tried. The
// error is a [ReplayError] where a write could not be made again; that matches
// store.ErrConflict where a record that the write was made from has changed
// meanwhile. The transaction has ended in any case.
func (db *DB) Commit(ctx context.Context, t *Tx) (int, error) {
	return db.run(ctx, &logCommit{db: db, t: t, log: t.log.writes, hooks: t.onCommit})
}

// logCommit is a Commit under way.
type logCommit struct {
	db    *DB
	t     *Tx // nil after the first attempt
	log   []Write
	hooks []func()
}

// Attempt commits the transaction, or another with its writes.
func (c *logCommit) Attempt(ctx context.Context) error {
	t := c.t
	c.t = nil
	if t == nil {
		var err error
		if t, err = c.db.Begin(context.Background(), true); err != nil {
			return err
		}
	}
	defer t.Release()
	if len(c.log) > 0 && !t.log.on {
		if err := t.replay(c.log); err != nil {
			return err
		}
		t.onCommit = append(t.onCommit, c.hooks...)
	}
	return retry.Conflict(t.Commit(ctx))
}

// replay makes the writes of another transaction once more.
func (t *Tx) replay(log []Write) error {
	for i := range log {
		l := &log[i]
		tb := t.set.ByID(l.table)
		if err := t.again(tb, l); err != nil {
			return &ReplayError{record.RefTo(tb, l.tuple), l.remove, err}
		}
	}
	return nil
}

// again makes one write once more.
func (t *Tx) again(tb *schema.Table, l *Write) error {
	if l.remove {
		if err := t.Delete(tb, l.tuple); !errors.Is(err, ErrNotFound) {
			return err
		}
		return nil
	}
	w := put{tb: tb, mode: l.mode, key: Key{Tuple: l.tuple, Drawn: -1}}
	if l.expect != nil {
		now, err := t.Get(tb, l.tuple)
		if err != nil || !bytes.Equal(now, l.expect) {
			return errors.Join(store.ErrConflict, err)
		}
		w.old, w.current = now, true
	}
	_, b, err := codec.Open(l.value, tb.ID, l.tuple)
	if err != nil {
		return err
	}
	w.new.Bytes = b
	if w.new.Offs, err = codec.Split(b, len(tb.Columns), nil); err != nil {
		return err
	}
	w.value = bytes.Clone(l.value[:len(l.value)-codec.ChecksumSize])
	return t.apply(&w)
}
