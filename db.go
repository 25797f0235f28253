package kivis

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/kivisdb/kivis/internal/migrate"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/store"
)

// DB is a database: tables of records over a store. All its methods are safe
// for concurrent use.
type DB struct {
	core *tables.DB
	opts Options

	migrator  *migrate.Migrator
	fullScans atomic.Uint64
	unclaim   func() // gives up the claim on the store; nil where there is none
	closed    atomic.Bool
}

// Open returns a database over s, which it owns from now on: Close closes it,
// and so does an Open that fails. A nil opts means all defaults. The error is
// ErrNewerFormat's where a newer release of Kivis wrote the database, and says
// so where the store holds something else than a database. It is ErrInUse
// where another DB has the store, which stays that one's and open.
func Open(s store.Store, opts *Options) (*DB, error) {
	db := &DB{}
	err := db.claimStore(s)
	if err != nil {
		return nil, wrap("open", nil, nil, err)
	}
	if db.opts, err = opts.settings(); err == nil {
		db.core, err = tables.Open(context.Background(), s, tables.Config{MaxAttempts: db.opts.MaxAttempts, AllowOlder: db.opts.AllowOlder})
	}
	if err == nil {
		err = db.keepFeed(context.Background())
	}
	if err != nil {
		defer db.release()
		return nil, errors.Join(wrap("open", nil, nil, err), s.Close())
	}
	db.migrator = migrate.New(db.core, migrate.Options{
		AllowOlder: db.opts.AllowOlder, Background: db.opts.BackgroundBuilds, Logger: db.opts.Logger,
	})
	return db, nil
}

// keepFeed has the store keep its feed, if an option or a consumer asks for it.
func (db *DB) keepFeed(ctx context.Context) error {
	wanted := db.opts.Feed != nil
	if !wanted {
		var err error
		if wanted, err = db.core.HasConsumers(ctx); err != nil || !wanted {
			return err
		}
	}
	err := db.core.KeepFeed(ctx, db.feed())
	if errors.Is(err, ErrReadOnly) {
		return nil
	}
	return err
}

// Close closes the database and its store: it refuses new calls, waits for
// those in progress, and discards open transactions. A second Close returns
// nil.
func (db *DB) Close() error {
	if err := db.usable(); err != nil {
		return wrap("close", nil, nil, err)
	}
	if !db.closed.CompareAndSwap(false, true) {
		return nil
	}
	db.migrator.Close()
	err := db.core.Close(context.Background())
	db.release()
	return wrap("close", nil, nil, err)
}

var errNoDB = errors.New("the database is nil, or was not made by Open")

// usable returns an error for a DB that Open has not made.
func (db *DB) usable() error {
	if db == nil || db.core == nil {
		return errNoDB
	}
	return nil
}

// release gives up the claim on the store.
func (db *DB) release() {
	if db.unclaim != nil {
		db.unclaim()
	}
}
