package tables

import (
	"bytes"
	"context"
	"errors"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/retry"
	"github.com/kivisdb/kivis/schema"
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

// Commit commits a transaction. After a conflict it has again do the work anew in
// another one. It returns how often it has tried; an error of again comes back as
// it is. The transaction has ended in any case.
func (db *DB) Commit(ctx context.Context, t *Tx, again func(t *Tx) error) (int, error) {
	return db.run(ctx, &recommit{db: db, t: t, again: again})
}

// recommit is a Commit under way.
type recommit struct {
	db    *DB
	t     *Tx // nil after the first attempt
	again func(t *Tx) error
}

// Attempt commits the transaction, or another in which the work is done anew.
func (c *recommit) Attempt(ctx context.Context) error {
	t := c.t
	c.t = nil
	if t == nil {
		var err error
		if t, err = c.db.Begin(context.Background(), true); err != nil {
			return err
		}
		if err := c.again(t); err != nil {
			t.Release()
			return err
		}
	}
	defer t.Release()
	return retry.Conflict(t.Commit(ctx))
}

// Replay makes writes of another transaction once more, as one call on several
// records. The error is a [ReplayError] where one could not be made.
func (t *Tx) Replay(log []Write) error {
	return t.Step(func() error {
		culprit, err := t.Batch(func() error { return t.replay(log) })
		if culprit != nil {
			return &ReplayError{Ref: t.refOf(log, culprit), Err: err}
		}
		return err
	})
}

// refOf returns the record with the tuple that one of the writes is of.
func (t *Tx) refOf(log []Write, tuple []byte) *record.Ref {
	for i := range log {
		if bytes.Equal(log[i].tuple, tuple) {
			return record.RefTo(t.set.ByID(log[i].table), tuple)
		}
	}
	return record.RefTo(t.set.ByID(log[0].table), tuple)
}

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
