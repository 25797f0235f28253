package kivis

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// txn is a store transaction with the schema as of its snapshot: what every
// call works on. It belongs to one goroutine at a time.
type txn struct {
	db     *DB
	kv     store.Tx
	set    *schema.Set
	write  bool
	bulk   *Bulk // set where the transaction is a chunk of a Bulk
	writes int   // calls that have written, to know what is stale

	iters    []*query.Rows // open iterators, which a write must not disturb
	onCommit []func()
	raises   []raise  // ids given by the caller that a sequence must pass
	log      []logged // of a Bulk: the writes, to replay after a conflict

	buf   scratch
	live  *liveTx // in the list of open transactions; nil for single calls
	shown bool    // a Tx of the user's refers to it, so its memory is not reused
	peeks bool    // there is no kv: see peeking
	ended bool
}

var txnPool = sync.Pool{New: func() any { return new(txn) }}

// begin starts a transaction on the newest version, with the schema as of it.
//
// Invariant: set is the schema of kv's snapshot. Register commits a catalog
// and publishes its Set under schemaMu, so no Begin falls between; and a write
// transaction guards the catalog's header, which Register writes, so that one
// begun before cannot commit after.
func (db *DB) begin(ctx context.Context, write bool) (*txn, error) {
	t := txnPool.Get().(*txn)
	db.schemaMu.RLock()
	kv, err := db.kv.Begin(ctx, write)
	t.set = db.set.Load()
	db.schemaMu.RUnlock()
	if err != nil {
		return nil, err
	}
	t.db, t.kv, t.write, t.ended, t.peeks = db, kv, write, false, false
	if write {
		if err := kv.Guard(headerKey, headerEnd); err != nil {
			kv.Discard()
			return nil, err
		}
	}
	return t, nil
}

// release discards the transaction, if it has not been committed, and hands
// its memory to the next one. Nothing may use t afterwards.
func (t *txn) release() {
	t.discard()
	if t.shown {
		return
	}
	t.onCommit, t.live, t.bulk, t.kv, t.set = nil, nil, nil, nil, nil
	t.raises, t.log, t.iters, t.writes = t.raises[:0], nil, nil, 0
	t.buf.trim()
	txnPool.Put(t)
}

func (t *txn) discard() {
	if !t.ended {
		t.ended = true
		if t.peeks {
			return
		}
		t.kv.Discard()
		t.db.open.remove(t.live)
	}
}

// commit makes the writes durable, then runs the OnCommit functions.
func (t *txn) commit(ctx context.Context) error {
	if err := t.raiseAll(ctx); err != nil {
		t.discard()
		return err
	}
	if err := t.db.alone.wait(ctx, t); err != nil {
		t.discard()
		return err
	}
	_, err := t.kv.Commit()
	t.ended = true
	t.db.open.remove(t.live)
	t.db.stats.committed(err, t.write)
	if err != nil {
		return err
	}
	for _, fn := range t.onCommit {
		fn()
	}
	return nil
}

// tableOf returns the table of a registered record type.
func (t *txn) tableOf(typ reflect.Type) (*schema.Table, error) {
	if t.ended {
		return nil, ErrTxDone
	}
	if tb := t.set.ByType(typ); tb != nil {
		return tb, nil
	}
	return nil, fmt.Errorf("%w: call db.Register(&%s{}) first", ErrNotRegistered, typ.Name())
}

// step runs fn, a write call inside a longer transaction, so that an error
// leaves no trace of it: neither writes nor what is remembered for the commit.
func (t *txn) step(fn func() error) (err error) {
	sp := t.kv.Savepoint()
	hooks, raises, log := len(t.onCommit), len(t.raises), len(t.log)
	done := false
	defer func() {
		if done && err == nil {
			t.kv.Release(sp)
			return
		}
		t.onCommit, t.raises, t.log = t.onCommit[:hooks], t.raises[:raises], t.log[:log]
		if undo := t.kv.Rollback(sp); undo != nil && err == nil {
			err = undo
		}
		t.kv.Release(sp)
	}()
	err = fn()
	done = true
	return err
}

// inTx is the context key under which a transaction of db is carried.
type inTx struct{ db *DB }

// carry returns ctx with t in it, so that calls on the DB can tell.
func (t *txn) carry(ctx context.Context) context.Context {
	return context.WithValue(ctx, inTx{t.db}, t)
}

// liveTx is an entry in the list of open transactions that Stats reports.
type liveTx struct {
	began      time.Time
	prev, next *liveTx
	gone       bool
}

// openTxs is the list of transactions open beyond a single call, oldest first.
type openTxs struct {
	mu          sync.Mutex
	oldest, new *liveTx
	n           int
}

func (o *openTxs) add() *liveTx {
	l := &liveTx{began: time.Now()}
	o.mu.Lock()
	defer o.mu.Unlock()
	if l.prev = o.new; l.prev != nil {
		l.prev.next = l
	} else {
		o.oldest = l
	}
	o.new = l
	o.n++
	return l
}

func (o *openTxs) remove(l *liveTx) {
	if l == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if l.gone {
		return
	}
	l.gone = true
	if l.prev != nil {
		l.prev.next = l.next
	} else {
		o.oldest = l.next
	}
	if l.next != nil {
		l.next.prev = l.prev
	} else {
		o.new = l.prev
	}
	o.n--
}

// count returns how many transactions are open, and the age of the oldest.
func (o *openTxs) count() (n int, age time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.oldest != nil {
		age = time.Since(o.oldest.began)
	}
	return o.n, age
}
