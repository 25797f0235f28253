package tables

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/kivisdb/kivis/internal/retry"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// ErrOlderType: another program has registered a newer type of the records.
var ErrOlderType = errors.New("another program has registered a newer type of these records: run a newer program, or set Options.AllowOlder, " +
	"which zeroes what this one does not know in each record that it writes")

// elsewhere is the schema of a store that others may change the catalog of.
//
// The invariant: known is a set, and a version up to which it is the schema. A
// commit is told of by the store before it is seen by any transaction; so where
// nothing up to a snapshot has written the header since that version, the set is
// the snapshot's schema too.
type elsewhere struct {
	watcher store.Watcher // nil where nobody else writes to the store
	known   atomic.Pointer[setAt]
}

// setAt is a set that is the schema as of a version.
type setAt struct {
	set     *schema.Set
	version uint64
}

// headerRange holds the catalog's header alone.
var headerRange = []store.Range{{Lo: headerKey, Hi: headerEnd}}

// schemaOf returns the schema as of kv's snapshot. set is the newest that this
// process has made.
func (db *DB) schemaOf(kv store.Tx, set *schema.Set) (*schema.Set, error) {
	w := db.elsewhere.watcher
	if w == nil {
		return set, nil
	}
	version := kv.Version()
	known := db.elsewhere.known.Load()
	if known != nil && known.set.Version() >= set.Version() && version >= known.version {
		current := known.set
		if set.Version() == current.Version() {
			current = set // which may have types that were registered since
		}
		if version == known.version {
			return current, nil
		}
		if written, err := w.Written(headerRange, known.version); err == nil && !written {
			db.elsewhere.know(known, &setAt{current, version})
			return current, nil
		}
	}
	return db.readSchema(kv, set, known)
}

// know replaces what is known, unless another has done so.
func (e *elsewhere) know(was, is *setAt) { e.known.CompareAndSwap(was, is) }

// readSchema reads the schema as of kv's snapshot: its header, and all of it
// where that is not the one of a set that there is.
func (db *DB) readSchema(kv store.Tx, set *schema.Set, known *setAt) (*schema.Set, error) {
	head, err := kv.Get(headerKey)
	if err != nil {
		return nil, err
	}
	c, err := schema.DecodeHeader(head)
	if err != nil {
		return nil, err
	}
	switch {
	case c.Version == set.Version():
	case known != nil && c.Version == known.set.Version():
		set = known.set
	default:
		if c, err = readCatalog(kv); err != nil {
			return nil, err
		}
		if set, err = schema.Bind(c, db.fitting(c)); err != nil {
			return nil, err
		}
		if have := db.set.Load(); set.Version() > have.Version() {
			db.set.CompareAndSwap(have, set) // for those who ask outside of a transaction
		}
	}
	if version := kv.Version(); known == nil || version > known.version {
		db.elsewhere.know(known, &setAt{set, version})
	}
	return set, nil
}

// models returns those of the set that was published last.
func (db *DB) models() []*schema.Model {
	if m := db.bound.Load(); m != nil {
		return *m
	}
	return nil
}

// fitting returns those models that have a table in a catalog: another program
// may have dropped one, or changed it so that the type no longer fits.
func (db *DB) fitting(c *schema.Catalog) []*schema.Model {
	var models []*schema.Model
	for _, m := range db.models() {
		if _, err := schema.Bind(c, []*schema.Model{m}); err == nil {
			models = append(models, m)
		}
	}
	return models
}

// creation is [DB.create] under way, of several processes perhaps.
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
