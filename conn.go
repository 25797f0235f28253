package kivis

import (
	"context"
	"errors"
	"reflect"

	"github.com/kivisdb/kivis/schema"
)

// Conn is what a [Table] reads and writes through: a *[DB], on which each call
// is a transaction of its own, a *[Tx] or a *[Bulk].
type Conn interface {
	// View runs fn in a read-only transaction: one snapshot.
	View(ctx context.Context, fn func(context.Context, *Tx) error) error
	// Update runs fn in a serializable transaction; see the type's own method.
	Update(ctx context.Context, fn func(context.Context, *Tx) error) error

	// join returns the transaction that a call through this Conn takes part
	// in, or nil where each has its own, and the database.
	join(ctx context.Context, write bool) (*txn, *DB, error)
	// settle follows a write call that took part in a transaction.
	settle(ctx context.Context) error
	// base returns the database.
	base() *DB
}

var errUnbound = errors.New("the table handle is not bound to a database; call With(db) or With(tx)")

// join returns the transaction that a call on conn takes part in, if any.
func join(ctx context.Context, conn Conn, write bool) (*txn, *DB, error) {
	if !bound(conn) {
		return nil, nil, errUnbound
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	return conn.join(ctx, write)
}

var errNoFunc = errors.New("the function is nil")

// usable returns err, or errNoFunc where a function is missing.
func usable(err error, noFunc bool) error {
	if err == nil && noFunc {
		return errNoFunc
	}
	return err
}

// bound reports whether conn is a Conn that can be used: not nil, nor a nil
// pointer to one.
func bound(conn Conn) bool {
	switch c := conn.(type) {
	case *DB:
		return c != nil
	case *Tx:
		return c != nil
	case *Bulk:
		return c != nil
	}
	return false
}

// session is one read through a Conn: a snapshot and the table it reads.
type session struct {
	t     *txn
	table *schema.Table
	own   bool // the transaction was begun for this call alone
	call  call
}

// extent is what a session reads.
type extent uint8

const (
	withinCall extent = iota // anything, before the call returns
	beyondCall               // anything, also while the caller is not in a call, as in the body of a loop over records
	oneKey                   // the record of one key, through session.read
)

// open begins a read of the table of record type typ through conn, which close
// must end. Beyond the call, the end of ctx frees the snapshot.
func open(ctx context.Context, conn Conn, op string, typ reflect.Type, of extent) (session, error) {
	t, db, err := join(ctx, conn, false)
	if err != nil {
		return session{}, failed(op, typ, err)
	}
	s := session{t: t}
	if t == nil {
		if s.t, err = db.beginRead(ctx, of); err != nil {
			return session{}, failed(op, typ, err)
		}
		s.own = true
	}
	if s.table, err = s.t.tableOf(typ); err != nil {
		s.release()
		return session{}, failed(op, typ, err)
	}
	s.call = s.t.db.startCall(ctx, op, s.table.Name)
	return s, nil
}

// beginRead starts a transaction for a read on the DB alone.
func (db *DB) beginRead(ctx context.Context, of extent) (*txn, error) {
	switch {
	case of == beyondCall:
		t, err := db.begin(ctx, false)
		if err == nil {
			t.live = db.open.add()
		}
		return t, err
	case of == oneKey && db.getter != nil:
		return db.peeking(), nil
	}
	return db.begin(context.Background(), false)
}

// read returns the stored value of the record with the key, and its tuple,
// which is good until the transaction is used again.
func (s *session) read(typ reflect.Type, key keySlot) (tuple, value []byte, err error) {
	t := s.t
	for {
		if t.buf.target, err = key.encode(t.buf.target[:0], s.table); err != nil {
			return nil, nil, err
		}
		if !t.peeks {
			value, err = t.read(s.table, t.buf.target)
			return t.buf.target, value, err
		}
		value, err = t.peek(s.call.ctx, s.table, t.buf.target)
		if t.current() {
			return t.buf.target, value, err
		}
		if s.table, err = t.renew(typ); err != nil {
			return nil, nil, err
		}
	}
}

// release ends the transaction if it is the session's own.
func (s *session) release() {
	if s.own {
		s.t.release()
	}
}

// close ends the read, reports it to the tracer and the log, and returns err
// with the call, the table and, where tuple is set, the key in it.
func (s *session) close(tuple []byte, r Result, err error) error {
	err = wrap(s.call.op, s.table, tuple, err)
	s.release()
	s.call.end(r, err)
	return err
}

// abandoned ends a read that has not been closed, since a user's function or
// method, which it called, did not return.
func (s *session) abandoned() {
	if !s.call.ended {
		s.release()
		s.call.abandoned()
	}
}

// failed names the call and the record type in an error from before the table
// is known.
func failed(op string, typ reflect.Type, err error) error {
	e := &callError{op: op, table: typ.String(), err: err}
	if errors.Is(err, ErrInTx) {
		e.hint = "bind the handle to the transaction first: With(tx)"
	}
	return e
}
