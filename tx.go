package kivis

import (
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

// Tx is a transaction: one snapshot of the database and the writes made on top
// of it. It is serializable, phantoms included. Reads see its own writes. A Tx
// belongs to one goroutine at a time: a call that comes while another is under
// way is ErrTxBusy, and the transaction can then only be discarded. A call that
// fails otherwise leaves no trace in it, and it stays usable, except after
// ErrTxTooLarge.
type Tx struct {
	t        *tables.Tx
	db       *DB
	readOnly bool
	ctx      context.Context
	managed  bool // View or Update ends it, not the user
}

// View runs fn in a read-only transaction and returns fn's error. The context
// that fn gets carries the transaction: calls with it through handles bound to
// the DB fail with ErrInTx. A View inside another transaction reads that one.
func (db *DB) View(ctx context.Context, fn func(context.Context, *Tx) error) error {
	if err := checkFunc(db.outside(ctx), fn == nil); err != nil {
		return wrap("view", nil, nil, err)
	}
	c := db.startCall(ctx, "view", "")
	defer c.abandoned()
	err := db.view(c.ctx, fn)
	c.end(Outcome{Attempts: 1}, err)
	return err
}

func (db *DB) view(ctx context.Context, fn func(context.Context, *Tx) error) error {
	t, err := db.core.Begin(ctx, false)
	if err != nil {
		return wrap("view", nil, nil, err)
	}
	t.Escape()
	t.Track()
	defer t.Discard()
	inner := db.carry(ctx, t)
	return fn(inner, &Tx{t: t, db: db, readOnly: true, ctx: inner, managed: true})
}

// Update runs fn in a transaction and commits it if fn returns nil; an error,
// a panic or runtime.Goexit rolls back. A conflict with another transaction
// runs fn again, after a pause that grows, until it commits, ctx ends or
// Options.MaxAttempts is reached; the error is then ErrConflict. So fn must
// have no effects but through its Tx: assign what it captures before using it,
// and leave the rest to OnCommit. Only the transaction's own conflicts are
// retried: an ErrConflict that fn brings from elsewhere is returned.
func (db *DB) Update(ctx context.Context, fn func(context.Context, *Tx) error) error {
	if err := checkFunc(db.outside(ctx), fn == nil); err != nil {
		return wrap("update", nil, nil, err)
	}
	c := db.startCall(ctx, "update", "")
	defer c.abandoned()
	op := updating{db: db, fn: fn}
	attempts, err := db.core.Update(c.ctx, &op)
	if !op.failed {
		err = wrap("update", nil, nil, db.outOfAttempts(attempts, err))
	}
	c.end(Outcome{Attempts: attempts}, err)
	return err
}

// updating is an Update under way.
type updating struct {
	db     *DB
	fn     func(context.Context, *Tx) error
	failed bool // the last error was the function's
}

// Run calls the function once.
func (u *updating) Run(ctx context.Context, t *tables.Tx) error {
	inner := u.db.carry(ctx, t)
	u.failed = false
	err := u.fn(inner, &Tx{t: t, db: u.db, ctx: inner, managed: true})
	u.failed = err != nil
	return err
}

// Begin starts a transaction that the caller ends with Commit or Discard. The
// end of ctx discards it. Prefer View and Update, which cannot be left open
// and, in Update's case, retry conflicts.
func (db *DB) Begin(ctx context.Context, write bool) (*Tx, error) {
	if err := db.outside(ctx); err != nil {
		return nil, wrap("begin", nil, nil, err)
	}
	t, err := db.core.Begin(ctx, write)
	if err != nil {
		return nil, wrap("begin", nil, nil, err)
	}
	t.Escape()
	t.Track()
	if ctx.Done() != nil {
		context.AfterFunc(ctx, func() { db.core.Untrack(t.Live()) })
	}
	return &Tx{t: t, db: db, readOnly: !write, ctx: db.carry(ctx, t)}, nil
}

// outside returns ErrInTx where ctx carries an open transaction of db, and the
// context's error where it has ended.
func (db *DB) outside(ctx context.Context) error {
	if err := db.usable(); err != nil {
		return err
	}
	if err := checkContext(ctx); err != nil {
		return err
	}
	if t, ok := ctx.Value(inTx{db}).(interface{ Ended() bool }); ok && !t.Ended() {
		return ErrInTx
	}
	return nil
}

// inTx is the context key under which a transaction of db is carried.
type inTx struct{ db *DB }

// carry returns ctx with a transaction in it, or a Bulk, so that calls on the
// DB can tell.
func (db *DB) carry(ctx context.Context, t interface{ Ended() bool }) context.Context {
	return context.WithValue(ctx, inTx{db}, t)
}

// join makes each call through a DB a transaction of its own.
func (db *DB) join(ctx context.Context, _ bool) (*tables.Tx, *DB, error) {
	return nil, db, db.outside(ctx)
}

func (db *DB) settle(context.Context, *mutation, []tables.Write) error { return nil }

func (db *DB) observed(*schema.Table, []byte, []byte) {}

func (db *DB) base() *DB { return db }

// Context returns the context that carries the transaction.
func (tx *Tx) Context() context.Context {
	if tx == nil || tx.ctx == nil {
		return context.Background()
	}
	return tx.ctx
}

var errNoTx = errors.New("the transaction is nil, or was not made by the database")

// Commit makes the transaction's writes durable and visible. It returns
// ErrConflict where another transaction wrote what this one read, and nothing
// was written. On a read-only transaction it returns nil.
func (tx *Tx) Commit() error {
	if tx == nil || tx.t == nil {
		return wrap("commit", nil, nil, errNoTx)
	}
	if tx.managed && !tx.t.Ended() {
		return wrap("commit", nil, nil, fmt.Errorf("return nil from the function instead: View and Update end their transaction themselves"))
	}
	if tx.t.Ended() {
		return wrap("commit", nil, nil, ErrTxDone)
	}
	if err := tx.ctx.Err(); err != nil {
		tx.t.Discard()
		return wrap("commit", nil, nil, err)
	}
	if err := tx.t.Enter(); err != nil {
		return wrap("commit", nil, nil, err)
	}
	defer tx.t.Leave()
	return wrap("commit", nil, nil, tx.t.Commit(tx.ctx))
}

// Discard drops the transaction. After Commit or another Discard it does
// nothing.
func (tx *Tx) Discard() {
	if tx != nil && tx.t != nil && !tx.managed {
		tx.t.Discard()
	}
}

// OnCommit has fn run once, after the transaction has committed, in the order
// of registration. Where an attempt or a nested step is undone, what it
// registered is dropped.
func (tx *Tx) OnCommit(fn func()) {
	if tx == nil || tx.t == nil || tx.t.Ended() || tx.readOnly || fn == nil || tx.t.Enter() != nil {
		return
	}
	defer tx.t.Leave()
	tx.t.OnCommit(fn)
}

// View runs fn in this transaction, with no right to write.
func (tx *Tx) View(ctx context.Context, fn func(context.Context, *Tx) error) error {
	if err := checkFunc(tx.alive(ctx), fn == nil); err != nil {
		return wrap("view", nil, nil, err)
	}
	inner := tx.db.carry(ctx, tx.t)
	return fn(inner, &Tx{t: tx.t, db: tx.db, readOnly: true, ctx: inner, managed: true})
}

// Update runs fn as a nested step of this transaction: an error or a panic
// undoes the step's writes and no others, and the transaction goes on.
func (tx *Tx) Update(ctx context.Context, fn func(context.Context, *Tx) error) error {
	if err := checkFunc(tx.alive(ctx), fn == nil); err != nil {
		return wrap("update", nil, nil, err)
	}
	if tx.readOnly {
		return wrap("update", nil, nil, ErrReadOnly)
	}
	inner := tx.db.carry(ctx, tx.t)
	return tx.t.Nested(func() error {
		return fn(inner, &Tx{t: tx.t, db: tx.db, ctx: inner, managed: true})
	})
}

// alive returns why the transaction cannot be used, if it cannot.
func (tx *Tx) alive(ctx context.Context) error {
	if tx == nil || tx.t == nil {
		return errNoTx
	}
	if tx.t.Ended() {
		return ErrTxDone
	}
	if err := tx.ctx.Err(); err != nil {
		return err
	}
	return checkContext(ctx)
}

// join has calls through a Tx take part in it.
func (tx *Tx) join(ctx context.Context, write bool) (*tables.Tx, *DB, error) {
	if err := tx.alive(ctx); err != nil {
		return nil, nil, err
	}
	if write && tx.readOnly {
		return nil, nil, ErrReadOnly
	}
	return tx.t, tx.db, nil
}

func (tx *Tx) settle(context.Context, *mutation, []tables.Write) error { return nil }

func (tx *Tx) observed(*schema.Table, []byte, []byte) {}

func (tx *Tx) base() *DB { return tx.db }

// Note returns what [Tx.SetNote] has kept in the database under a name, as the
// transaction sees it; nil where there is nothing.
func (tx *Tx) Note(name string) ([]byte, error) {
	if err := tx.enter(); err != nil {
		return nil, wrap("note", nil, nil, err)
	}
	defer tx.t.Leave()
	value, err := tx.t.Note(name)
	return value, wrap("note", nil, nil, err)
}

// SetNote keeps a few bytes in the database under a name, beside its tables and in
// this transaction: how far an import has come, for one, which is then so exactly
// if its records are in. They replace those of an earlier SetNote; nil removes
// them. A name has the maker's first, as in "myprogram/import".
func (tx *Tx) SetNote(name string, value []byte) error {
	err := tx.enter()
	if err != nil {
		return wrap("set note", nil, nil, err)
	}
	defer tx.t.Leave()
	if tx.readOnly {
		return wrap("set note", nil, nil, ErrReadOnly)
	}
	return wrap("set note", nil, nil, tx.t.SetNote(name, value))
}

// enter begins a call on the transaction, which Leave of its core ends.
func (tx *Tx) enter() error {
	if tx == nil || tx.t == nil {
		return errNoTx
	}
	if err := tx.alive(tx.ctx); err != nil {
		return err
	}
	return tx.t.Enter()
}
