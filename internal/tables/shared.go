package tables

import (
	"errors"
	"sync/atomic"

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
		if version == known.version {
			return known.set, nil
		}
		if written, err := w.Written(headerRange, known.version); err == nil && !written {
			db.elsewhere.know(known, &setAt{known.set, version})
			return known.set, nil
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
		return db.bindSchema(kv)
	}
	if version := kv.Version(); known == nil || version > known.version {
		db.elsewhere.know(known, &setAt{set, version})
	}
	return set, nil
}

// bindSchema reads all of the schema as of kv's snapshot, and publishes it where
// it is the newest.
func (db *DB) bindSchema(kv store.Tx) (*schema.Set, error) {
	c, err := readCatalog(kv)
	if err != nil {
		return nil, err
	}
	db.schemaMu.Lock()
	defer db.schemaMu.Unlock()
	set, err := schema.BindFitting(c, db.models)
	if err == nil && set.Version() > db.set.Load().Version() {
		db.set.Store(set)
		db.elsewhere.known.Store(&setAt{set, kv.Version()})
	}
	return set, err
}

// publish makes a set, with its models, the one that transactions begin with. It
// is called under schemaMu.
func (db *DB) publish(set *schema.Set, models []*schema.Model) {
	db.models = models
	db.set.Store(set)
	db.elsewhere.known.Store(&setAt{set: set}) // as of a version that the next transaction finds out
}
