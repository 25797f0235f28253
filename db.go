// Package kivis is an embedded, transactional record database: it turns
// annotated Go structs into tables over any ordered key-value store.
//
// Annotate a struct, open a store, register the struct, and use its table:
//
//	type User struct {
//		kivis.Auto[User]        // ID: auto-increment primary key
//		Email string `kivis:"unique"`
//		Age   int    `kivis:"index"`
//	}
//
//	st, err := badgerstore.Open("users.db", nil) // or memstore.New()
//	db, err := kivis.Open(st, nil)
//	defer db.Close()
//	err = db.Register(&User{})
//
//	users := kivis.TableOf[User](db)
//	id, err := users.Insert(ctx, &User{Email: "ada@example.com", Age: 36})
//
//	age := kivis.FieldOf(func(u *User) *int { return &u.Age })
//	adults, err := users.Where(age.Ge(18)).OrderBy(age.Desc()).Limit(20).Collect(ctx)
//
// [DB.Register] compiles the struct's tags, described in package schema, once,
// and compares the result with the catalog that the database keeps, so that a
// struct that no longer fits its data is noticed. Unique indexes and
// references hold at all times. Transactions are serializable: [DB.Update]
// retries conflicts.
//
// The error of a call names the call, the table and the key; test it with
// [errors.Is] against the sentinels below, or with [errors.As] for
// [UniqueError], [ReferenceError] and the others. Nothing in this package
// panics on what a user gives it.
package kivis

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

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

// keepFeed has the store keep its feed, if an option or a consumer asks for it. One
// that is open for reading, or out of reach, is not told.
func (db *DB) keepFeed(ctx context.Context) error {
	wanted, err := db.opts.Feed != nil, error(nil)
	if !wanted {
		wanted, err = db.core.HasConsumers(ctx)
	}
	if wanted && err == nil {
		err = db.core.KeepFeed(ctx, db.feed())
	}
	if errors.Is(err, ErrReadOnly) || errors.Is(err, ErrUnreachable) {
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

// claims are the stores that have a DB in this process: a second one would
// have a schema, sequences and caches of its own, which know nothing of the
// first one's. A DB that is dropped without a Close gives up its claim.
var claims sync.Map // claim -> weak.Pointer[DB]

// claim identifies a store by its address.
type claim struct {
	typ  reflect.Type
	addr uintptr
}

// claimStore notes that db is the one over s, or returns ErrInUse. A store
// without an address of its own is let pass.
func (db *DB) claimStore(s store.Store) error {
	v := reflect.ValueOf(s)
	switch {
	case s == nil || v.Kind() == reflect.Pointer && v.IsNil():
		return errors.New("the store is nil")
	case v.Kind() != reflect.Pointer || v.Type().Elem().Size() == 0:
		return nil
	}
	id, mine := claim{v.Type(), v.Pointer()}, weak.Make(db)
	for {
		have, taken := claims.LoadOrStore(id, mine)
		if !taken {
			break
		}
		if have.(weak.Pointer[DB]).Value() != nil {
			return fmt.Errorf("%w: another DB of this process has the store", ErrInUse)
		}
		if claims.CompareAndSwap(id, have, mine) {
			break
		}
	}
	drop := func(id claim) { claims.CompareAndDelete(id, mine) }
	runtime.AddCleanup(db, drop, id)
	db.unclaim = func() { drop(id) }
	return nil
}
