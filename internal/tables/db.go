package tables

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/kivisdb/kivis/internal/retry"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// Config is the settings of a [DB].
type Config struct {
	MaxAttempts int  // how often an operation is run when it conflicts; at least 1
	AllowOlder  bool // types may be older than what is stored; else only reads of them are allowed
}

// A DB is the tables of one store. Its methods are safe for concurrent use.
type DB struct {
	store  store.Store
	getter store.Getter // store, if it is one
	secret []byte       // signs page cursors

	verified bool // the store is a store.Verified

	incarnation schema.Incarnation

	// schemaMu is held for writing from the commit of a catalog to the
	// publication of its Set. See Begin.
	schemaMu  sync.RWMutex
	set       atomic.Pointer[schema.Set]
	models    []*schema.Model // what set was made with; guarded by schemaMu
	elsewhere elsewhere

	allowOlder bool

	sequences sequences
	gate      *retry.Gate
	loop      retry.Loop
	live      liveList
	counters  counters
}

// Open returns the tables of s. It reads the catalog, or writes that of a new
// database into an empty store. The error is schema.ErrNewerFormat where a
// newer release wrote the database, ErrRestoring where a restore into the store
// has not ended, and says so where the store holds something else. The store
// stays open, also after an error.
func Open(ctx context.Context, s store.Store, cfg Config) (*DB, error) {
	db := &DB{store: s, getter: store.GetterOf(s), gate: retry.NewGate()}
	db.allowOlder, db.verified = cfg.AllowOlder, store.IsBelieved(s)
	if w, ok := s.(store.Watcher); ok && store.IsShared(s) {
		db.elsewhere.watcher, db.getter = w, nil
	}
	db.sequences.store = s
	db.loop = retry.Loop{Max: cfg.MaxAttempts, Gate: db.gate, Retried: func() { db.counters.retries.Add(1) }}
	c, err := db.load(ctx)
	switch {
	case isNotFound(err):
		c, err = db.createOnce(ctx)
	case err == nil && db.incarnation == schema.Incarnation{}:
		db.incarnation, err = incarnate(ctx, &db.loop, db.store)
	}
	if err != nil {
		return nil, err
	}
	set, err := schema.Bind(c, nil)
	if err != nil {
		return nil, err
	}
	db.set.Store(set)
	return db, nil
}

func isNotFound(err error) bool { return errors.Is(err, store.ErrNotFound) }

// createOnce writes the catalog of a new database, or reads the one that another
// process has written meanwhile.
func (db *DB) createOnce(ctx context.Context) (*schema.Catalog, error) {
	made := creation{db: db}
	_, err := db.loop.Run(ctx, &made)
	err, _ = retry.Unmark(err)
	return made.catalog, err
}

// creation is createOnce under way.
type creation struct {
	db      *DB
	catalog *schema.Catalog
}

// Attempt makes the catalog, unless there is one by now.
func (c *creation) Attempt(ctx context.Context) (err error) {
	if c.catalog, err = c.db.load(ctx); !isNotFound(err) {
		return err
	}
	c.catalog, err = c.db.create(ctx)
	return retry.Conflict(err)
}

// load returns the stored catalog and takes the secret and the incarnation, if
// there is one, beside it. What is here will do where the rest is out of reach.
func (db *DB) load(ctx context.Context) (*schema.Catalog, error) {
	kv, err := db.store.Begin(store.Offline(ctx), false)
	if err != nil {
		return nil, err
	}
	defer kv.Discard()
	if err := checkRestored(kv); err != nil {
		return nil, err
	}
	c, err := readCatalog(kv)
	if err != nil {
		return nil, err
	}
	if db.secret, err = kv.Get(secretKey); err != nil {
		return nil, err
	}
	db.incarnation, err = readIncarnation(kv)
	return c, err
}

// Close gives leased ids back and closes the store.
func (db *DB) Close(ctx context.Context) error {
	return errors.Join(db.sequences.giveBack(ctx), db.store.Close())
}

// Schema returns the tables as of now, registered or not.
func (db *DB) Schema() *schema.Set { return db.set.Load() }

// Secret returns the key that signs page cursors, which must not be changed.
func (db *DB) Secret() []byte { return db.secret }

// Incarnation returns the database's incarnation; the zero one where a release
// that knew none has made the database, and the store is read-only.
func (db *DB) Incarnation() schema.Incarnation { return db.incarnation }

// Verify has the store check its own files.
func (db *DB) Verify(ctx context.Context) error { return store.Verify(ctx, db.store) }

// Stats returns what the database has done so far.
func (db *DB) Stats() Stats {
	n, age := db.live.count()
	return Stats{
		Commits:   db.counters.commits.Load(),
		Conflicts: db.counters.conflicts.Load(),
		Retries:   db.counters.retries.Load(),
		OpenTx:    n,
		Oldest:    age,
	}
}
