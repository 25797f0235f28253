package kivis

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// DB is a database: tables of records over a store. All its methods are safe
// for concurrent use.
type DB struct {
	kv     store.Store
	getter store.Getter // kv, if it is one
	opts   Options

	// schemaMu is held for writing from the commit of a catalog to the
	// publication of its Set. See begin.
	schemaMu sync.RWMutex
	set      atomic.Pointer[schema.Set]

	register sync.Mutex // held by Register
	types    []reflect.Type
	models   []*schema.Model // of types
	builds   background

	sequences sync.Map // table id -> *sequence
	alone     *aloneGate
	open      openTxs
	stats     counters
	secret    []byte // signs page cursors
	unclaim   func() // gives up the claim on kv; nil where there is none
	closed    atomic.Bool
}

// Open returns a database over s, which it owns from now on: Close closes it,
// and so does an Open that fails. A nil opts means all defaults. The error is
// ErrNewerFormat's where a newer release of Kivis wrote the database, and says
// so where the store holds something else than a database. It is ErrInUse
// where another DB has the store, which stays that one's and open.
func Open(s store.Store, opts *Options) (*DB, error) {
	db := &DB{kv: s, alone: newAloneGate()}
	db.getter = store.GetterOf(s)
	err := db.claimStore(s)
	if err != nil {
		return nil, wrap("open", nil, nil, err)
	}
	if db.opts, err = opts.settings(); err == nil {
		err = db.load(context.Background())
	}
	if err != nil {
		defer db.release()
		return nil, errors.Join(wrap("open", nil, nil, err), s.Close())
	}
	return db, nil
}

// load reads the catalog, or writes that of a new database.
func (db *DB) load(ctx context.Context) error {
	c, err := db.readCatalog(ctx)
	if errors.Is(err, store.ErrNotFound) {
		if c, err = db.create(ctx); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	set, err := schema.Bind(c, nil)
	if err != nil {
		return err
	}
	db.set.Store(set)
	return nil
}

// readCatalog returns the stored catalog and reads the secret beside it, or
// store.ErrNotFound where there is none.
func (db *DB) readCatalog(ctx context.Context) (*schema.Catalog, error) {
	kv, err := db.kv.Begin(ctx, false)
	if err != nil {
		return nil, err
	}
	defer kv.Discard()
	c, err := catalogIn(kv)
	if err != nil {
		return nil, err
	}
	db.secret, err = kv.Get(secretKey)
	return c, err
}

// Close closes the database and its store: it refuses new calls, waits for
// those in progress, and discards open transactions. A second Close returns
// nil.
func (db *DB) Close() error {
	if !db.closed.CompareAndSwap(false, true) {
		return nil
	}
	db.builds.stop()
	var faults []error
	db.sequences.Range(func(_, s any) bool {
		if err := s.(*sequence).giveBack(context.Background(), db.kv); err != nil {
			faults = append(faults, fmt.Errorf("giving back leased ids: %w", err))
		}
		return true
	})
	if err := db.kv.Close(); err != nil {
		faults = append(faults, err)
	}
	db.release()
	return wrap("close", nil, nil, errors.Join(faults...))
}

// release gives up the claim on the store.
func (db *DB) release() {
	if db.unclaim != nil {
		db.unclaim()
	}
}
