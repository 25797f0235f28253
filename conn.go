package kivis

import (
	"context"
	"errors"

	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
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
	join(ctx context.Context, write bool) (*tables.Tx, *DB, error)
	// settle follows a write call that took part in a transaction: what it was,
	// and what it wrote.
	settle(ctx context.Context, m *mutation, wrote []tables.Write) error
	// observed follows a read that took part in a transaction: of the record with
	// the key tuple, whose stored value is nil where it is not there, or of
	// anything where tb is nil.
	observed(tb *schema.Table, tuple, value []byte)
	// base returns the database.
	base() *DB
}

var errUnbound = errors.New("the table handle is not bound to a database; call With(db) or With(tx)")

// join returns the transaction that a call on conn takes part in, if any.
func join(ctx context.Context, conn Conn, write bool) (*tables.Tx, *DB, error) {
	if !bound(conn) {
		return nil, nil, errUnbound
	}
	if err := checkContext(ctx); err != nil {
		return nil, nil, err
	}
	return conn.join(ctx, write)
}

// checkContext returns why nothing can be done with ctx, if that is so.
func checkContext(ctx context.Context) error {
	if ctx == nil {
		return errNoContext
	}
	return ctx.Err()
}

var errNoContext = errors.New("the context is nil")

var errNoFunc = errors.New("the function is nil")

// checkFunc returns err, or errNoFunc where a function is missing.
func checkFunc(err error, noFunc bool) error {
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
		return c.usable() == nil
	case *Tx:
		return c != nil && c.t != nil
	case *Bulk:
		return c != nil && c.db != nil
	}
	return false
}

// session is one read through a Conn: a snapshot and the table it reads.
type session struct {
	db     *DB
	t      *tables.Tx
	newest *tables.Newest // in place of t, where one record is read without a transaction
	table  *schema.Table
	life   lifetime
	own    bool // the transaction was begun for this call alone
	conn   Conn // where it was not
	call   call
}

// lifetime is how long a session reads, and what.
type lifetime uint8

const (
	untilReturn lifetime = iota // anything, before the call returns
	untilClose                  // anything, also while the caller is not in a call, as in the body of a loop over records
	point                       // the record of one key, through session.read
	maybePoint                  // anything before the call returns, but begin may leave the transaction to needTx
)

// open begins a read of a table through conn, which close
// must end. Until it is closed, the end of ctx frees the snapshot.
func open(ctx context.Context, conn Conn, op string, ref tableRef, life lifetime) (session, error) {
	t, db, err := join(ctx, conn, false)
	if err != nil {
		return session{}, failed(op, ref, err)
	}
	s := session{db: db, t: t, life: life, own: t == nil, conn: conn}
	if s.own {
		err = s.begin(ctx, life)
	} else {
		err = t.Enter()
	}
	if err != nil {
		return session{}, failed(op, ref, err)
	}
	if s.table, err = s.tableOf(ref); err != nil {
		s.release()
		return session{}, failed(op, ref, err)
	}
	if !s.own && life != point {
		conn.observed(nil, nil, nil)
	}
	s.call = db.startCall(ctx, op, s.table.Name)
	return s, nil
}

// begin starts a read on the DB alone.
func (s *session) begin(ctx context.Context, life lifetime) (err error) {
	if life == point || life == maybePoint {
		if s.newest = s.db.core.Newest(); s.newest != nil {
			return nil
		}
	}
	if life != untilClose {
		ctx = store.Detached(ctx)
	}
	if s.t, err = s.db.core.Begin(ctx, false); err == nil && life == untilClose {
		s.t.Track()
	}
	return err
}

// needTx begins the transaction of a session that has none yet, and finds its
// table anew.
func (s *session) needTx(ref tableRef) error {
	s.newest.Release()
	s.newest = nil
	t, err := s.db.core.Begin(store.Detached(s.call.ctx), false)
	if err != nil {
		return err
	}
	s.t = t
	tb, err := tableOf(t, ref)
	if err == nil {
		s.table = tb
	}
	return err
}

// keys returns what reads single keys of the store as the session sees them.
func (s *session) keys() query.Getter {
	if s.newest != nil {
		return s.newest.Keys(s.call.ctx)
	}
	return s.t.Reader()
}

// tableOf returns the table as the session sees it.
func (s *session) tableOf(ref tableRef) (*schema.Table, error) {
	if s.newest != nil {
		return ref.in(s.newest.Schema())
	}
	return tableOf(s.t, ref)
}

// tableOf returns the table as of a transaction.
func tableOf(t *tables.Tx, ref tableRef) (*schema.Table, error) {
	if t.Ended() {
		return nil, ErrTxDone
	}
	return ref.in(t.Schema())
}

// read returns the stored value of the record with the key, and its tuple,
// which is good until the session reads again.
func (s *session) read(ref tableRef, key keySlot) (tuple, value []byte, err error) {
	if s.newest != nil {
		return s.readNewest(ref, key)
	}
	tuple, err = key.encode(s.t.KeyBuffer(), s.table)
	if err != nil {
		return nil, nil, err
	}
	s.t.KeepKeyBuffer(tuple)
	value, err = s.t.Get(s.table, tuple)
	if !s.own {
		s.conn.observed(s.table, tuple, value)
	}
	return tuple, value, err
}

// readNewest is read without a transaction: again where the schema has changed
// meanwhile.
func (s *session) readNewest(ref tableRef, key keySlot) (tuple, value []byte, err error) {
	n := s.newest
	for {
		if tuple, err = key.encode(n.KeyBuffer(), s.table); err != nil {
			return nil, nil, err
		}
		n.KeepKeyBuffer(tuple)
		value, err = n.Get(s.call.ctx, s.table, tuple)
		if n.Current() {
			return tuple, value, err
		}
		n.Renew()
		if s.table, err = s.tableOf(ref); err != nil {
			return nil, nil, err
		}
	}
}

// release ends the transaction if it is the session's own, else the call on it.
func (s *session) release() {
	switch {
	case !s.own:
		s.t.Leave()
	case s.newest != nil:
		s.newest.Release()
	case s.t != nil:
		s.t.Release()
	}
}

// close ends the read, reports it to the tracer and the log, and returns err
// with the call, the table and, where tuple is set, the key in it.
func (s *session) close(tuple []byte, r Outcome, err error) error {
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
func failed(op string, ref tableRef, err error) error {
	e := &callError{op: op, table: ref.String(), err: err}
	if errors.Is(err, ErrInTx) {
		e.hint = "bind the handle to the transaction first: With(tx)"
	}
	return e
}
