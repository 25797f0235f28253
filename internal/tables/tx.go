package tables

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// A Tx is a store transaction with the schema as of its snapshot: what every
// call works on. It belongs to one goroutine at a time.
type Tx struct {
	use
	db     *DB
	kv     store.Tx
	set    *schema.Set
	write  bool
	writes int // calls that have written, to know what is stale

	rows     []*query.Rows // open, which a write must not disturb
	onCommit []func()
	advances []advance // ids given by the caller that a sequence must pass
	log      writeLog
	batch    *batch // set within a call on several records
	deferral deferral

	buf     scratch
	live    *LiveTx // nil for single calls
	escaped bool    // a user holds on to it, so its memory is not reused
	ended   atomic.Bool
}

// advance is an id that a caller gave: before the transaction commits, the
// sequence must be past it. A transaction that is rolled back advances nothing.
type advance struct {
	seq *sequence
	id  uint64
}

var txPool = sync.Pool{New: func() any { return new(Tx) }}

// Begin starts a transaction on the newest version, with the schema as of it.
// The end of ctx frees the snapshot.
//
// Invariant: set is the schema of kv's snapshot. A catalog is committed and its
// Set published under schemaMu, so no Begin falls between; and a write
// transaction guards the catalog's header, which such a commit writes, so that
// one begun before cannot commit after. Where others may change the catalog too,
// schemaOf looks whether they have.
func (db *DB) Begin(ctx context.Context, write bool) (*Tx, error) {
	t := txPool.Get().(*Tx)
	db.schemaMu.RLock()
	kv, err := db.store.Begin(ctx, write)
	set := db.set.Load()
	db.schemaMu.RUnlock()
	if err != nil {
		return nil, err
	}
	if t.set, err = db.schemaOf(kv, set); err != nil {
		kv.Discard()
		return nil, err
	}
	t.db, t.kv, t.write = db, kv, write
	t.ended.Store(false)
	t.state.Store(0)
	if write {
		if err := kv.Guard(headerKey, headerEnd); err != nil {
			kv.Discard()
			return nil, err
		}
	}
	return t, nil
}

// Track lists the transaction among those that Stats reports as open.
func (t *Tx) Track() { t.live = t.db.live.add() }

// Untrack takes it out of the list, though it has not ended. It may be called
// by any goroutine.
func (db *DB) Untrack(l *LiveTx) { db.live.remove(l) }

// Live returns the transaction's entry in the list of open ones, or nil.
func (t *Tx) Live() *LiveTx { return t.live }

// Escape keeps the transaction's memory from being used again: somebody may
// hold on to it after its end.
func (t *Tx) Escape() { t.escaped = true }

// Schema returns the tables as of the snapshot.
func (t *Tx) Schema() *schema.Set { return t.set }

// Ended reports whether the transaction has been committed or discarded.
func (t *Tx) Ended() bool { return t.ended.Load() }

// OnCommit has fn run once the transaction has committed.
func (t *Tx) OnCommit(fn func()) { t.onCommit = append(t.onCommit, fn) }

// Release discards the transaction, if it has not been committed, and hands
// its memory to the next one. Nothing may use t afterwards.
func (t *Tx) Release() {
	t.Discard()
	if t.escaped {
		return
	}
	t.onCommit, t.live, t.kv, t.set = nil, nil, nil, nil
	t.advances, t.log, t.rows, t.writes, t.deferral = t.advances[:0], writeLog{}, nil, 0, deferral{}
	t.buf.trim()
	txPool.Put(t)
}

// Discard drops the transaction, unless it has ended.
func (t *Tx) Discard() {
	if t.ended.CompareAndSwap(false, true) {
		t.kv.Discard()
		t.db.live.remove(t.live)
	}
}

// Commit makes the writes durable, then runs the OnCommit functions. The error
// is store.ErrConflict where others have written what the transaction read;
// then nothing is written. It is ErrTxBusy where two goroutines have used the
// transaction at once, and a [DeferredError] where a deferred reference is
// broken. It ends the transaction in any case.
func (t *Tx) Commit(ctx context.Context) error {
	err := t.Spoilt()
	if err == nil {
		err = t.checkDeferred()
	}
	if err == nil {
		err = t.advanceAll(ctx)
	}
	if err != nil {
		t.Discard()
		return err
	}
	if t.write {
		if err := t.db.gate.Wait(ctx); err != nil {
			t.Discard()
			return err
		}
	}
	_, err = t.kv.Commit()
	t.ended.Store(true)
	t.db.live.remove(t.live)
	t.db.counters.committed(err, t.write)
	if err != nil {
		return err
	}
	for _, fn := range t.onCommit {
		fn()
	}
	return nil
}

// advanceAll moves the sequences past the ids that the caller gave.
func (t *Tx) advanceAll(ctx context.Context) error {
	for _, a := range t.advances {
		if err := a.seq.advance(ctx, t.db.store, a.id); err != nil {
			return err
		}
	}
	t.advances = t.advances[:0]
	return nil
}

// Step runs fn, a call inside a longer transaction, so that an error leaves no
// trace of it: neither writes nor what is remembered for the commit.
func (t *Tx) Step(fn func() error) error { return t.step(fn, false) }

// Nested is Step for a user's function, which makes calls of its own.
func (t *Tx) Nested(fn func() error) error { return t.step(fn, true) }

func (t *Tx) step(fn func() error, user bool) (err error) {
	if err := t.Enter(); err != nil {
		return err
	}
	s := t.savepoint()
	done := false
	defer func() {
		if user {
			if busy := t.Enter(); busy != nil {
				err = errors.Join(err, busy)
				return // it can only be discarded
			}
		}
		defer t.Leave()
		if !done || err != nil {
			if undo := t.rollback(s); undo != nil && err == nil {
				err = undo
			}
		}
		t.kv.Release(s.at)
	}()
	if user {
		t.Leave()
	}
	err = fn()
	done = true
	return err
}

// savepoint is a place in a transaction to which it can be rolled back.
type savepoint struct {
	at                   store.Savepoint
	hooks, advances, log int
	refs, restricts      int // of the deferral
}

func (t *Tx) savepoint() savepoint {
	return savepoint{t.kv.Savepoint(), len(t.onCommit), len(t.advances), len(t.log.writes), len(t.deferral.refs), len(t.deferral.restricts)}
}

// rollback undoes all that came after s.
func (t *Tx) rollback(s savepoint) error {
	t.onCommit, t.advances, t.log.writes = t.onCommit[:s.hooks], t.advances[:s.advances], t.log.writes[:s.log]
	t.deferral.refs, t.deferral.restricts = t.deferral.refs[:s.refs], t.deferral.restricts[:s.restricts]
	return t.kv.Rollback(s.at)
}
