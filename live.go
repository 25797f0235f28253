package kivis

import (
	"context"
	"errors"
	"iter"
	"reflect"

	"github.com/kivisdb/kivis/internal/live"
	"github.com/kivisdb/kivis/internal/tables"
)

// Live yields what fn returns, and again whenever it would return something
// else: fn runs in a read-only transaction, and once more after each commit that
// has written into what its last run read. A result that is equal, as
// reflect.DeepEqual says, is not yielded again. Nothing is queued: while the
// loop's body is at work commits leave one mark, and the next result is the
// newest. When a commit has returned, each Live that it concerns is marked.
//
// The calls of fn must go through its Tx. An error of fn is yielded once and
// ends the loop, as does the end of ctx with its error, and Close with
// ErrClosed. Breaking off frees everything. It is an error that matches
// errors.ErrUnsupported where the store does not say what is written to it.
func Live[T any](ctx context.Context, db *DB, fn func(context.Context, *Tx) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if err := checkFunc(db.outside(ctx), fn == nil); err != nil {
			yield(none, wrap("live", nil, nil, err))
			return
		}
		l := liveValue[T]{db: db, fn: fn, yield: yield}
		if err := live.Follow(ctx, db.core, &l); err != nil {
			if !l.failed {
				err = wrap("live", nil, nil, err)
			}
			yield(none, err)
		}
	}
}

// liveValue is a Live under way.
type liveValue[T any] struct {
	db     *DB
	fn     func(context.Context, *Tx) (T, error)
	yield  func(T, error) bool
	shown  bool // last has been yielded
	last   T
	now    T
	failed bool // the last error was the function's
}

// Read calls the function.
func (l *liveValue[T]) Read(ctx context.Context, t *tables.Tx) (err error) {
	tx := l.db.reading(ctx, t)
	l.now, err = l.fn(tx.ctx, tx)
	l.failed = err != nil
	return err
}

// Show yields what the function has returned, if it is new.
func (l *liveValue[T]) Show(uint64) bool {
	if l.shown && reflect.DeepEqual(l.now, l.last) {
		return true
	}
	l.shown, l.last = true, l.now
	return l.yield(l.now, nil)
}

// reading returns a transaction, for reading alone, as a user's function gets it.
func (db *DB) reading(ctx context.Context, t *tables.Tx) *Tx {
	inner := db.carry(ctx, t)
	return &Tx{t: t, db: db, readOnly: true, ctx: inner, managed: true}
}

// following returns the database that conn is, for what follows one.
func following(ctx context.Context, conn Conn) (*DB, error) {
	if !bound(conn) {
		return nil, errUnbound
	}
	db, ok := conn.(*DB)
	if !ok {
		return nil, errNotDB
	}
	return db, db.outside(ctx)
}

var errNotDB = errors.New("a transaction is one snapshot, in which nothing changes: call it through a handle that is bound to the DB")
