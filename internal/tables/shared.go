package tables

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/kivisdb/kivis/internal/retry"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// sharing sees to the schema where other processes write to the store, too, and
// may change the catalog.
type sharing struct {
	db      *DB
	watcher store.Watcher // nil: the catalog has to be read each time

	// current is a version whose catalog the DB's Set is of. A commit of the
	// catalog that came later is one that the watcher knows.
	current atomic.Uint64

	loading sync.Mutex      // held while the catalog is read
	models  []*schema.Model // of the types registered here; under schemaMu
}

// headerRange is the range that holds the catalog's header, which every change of
// the catalog writes.
var headerRange = []store.Range{{Lo: headerKey, Hi: headerEnd}}

// newSharing returns what db needs over s, nil where no other process writes to it.
func newSharing(db *DB, s store.Store) *sharing {
	if !store.IsShared(s) {
		return nil
	}
	w, _ := s.(store.Watcher)
	return &sharing{db: db, watcher: w}
}

// schemaOf returns the schema of kv's snapshot, given the one that was published
// when kv began.
func (s *sharing) schemaOf(kv store.Tx, set *schema.Set) (*schema.Set, error) {
	if !s.changed(kv.Version()) {
		return set, nil
	}
	s.loading.Lock()
	defer s.loading.Unlock()
	if !s.changed(kv.Version()) {
		return s.db.set.Load(), nil
	}
	c, err := readCatalog(kv)
	if err != nil {
		return nil, err
	}
	return s.publish(c, kv.Version())
}

// changed reports whether the catalog may have been changed from current up to a
// version. If not, that is current.
func (s *sharing) changed(version uint64) bool {
	current := s.current.Load()
	if version <= current {
		return false
	}
	if s.watcher == nil {
		return true
	}
	if written, err := s.watcher.Written(headerRange, current); written || err != nil {
		return true
	}
	s.advance(version)
	return false
}

// advance makes version current, unless a later one is.
func (s *sharing) advance(version uint64) {
	for current := s.current.Load(); version > current && !s.current.CompareAndSwap(current, version); {
		current = s.current.Load()
	}
}

// publish has transactions begin with the tables of a catalog, which is that of a
// version.
func (s *sharing) publish(c *schema.Catalog, version uint64) (*schema.Set, error) {
	s.db.schemaMu.Lock()
	defer s.db.schemaMu.Unlock()
	set := s.db.set.Load()
	if c.Version > set.Version() {
		var err error
		if set, err = schema.Bind(c, s.fitting(c)); err != nil {
			return nil, err
		}
		s.db.set.Store(set)
	}
	s.advance(version)
	return set, nil
}

// fitting returns those of the models that have a table in a catalog: another
// program may have dropped one, or changed it so that the type no longer fits.
func (s *sharing) fitting(c *schema.Catalog) []*schema.Model {
	var models []*schema.Model
	for _, m := range s.models {
		if _, err := schema.Bind(c, []*schema.Model{m}); err == nil {
			models = append(models, m)
		}
	}
	return models
}

// registered notes the models of a catalog that this process has committed, or
// found as it is, in a transaction begun at a version. It is called under schemaMu.
func (s *sharing) registered(models []*schema.Model, version uint64) {
	if s != nil {
		s.models = models
		s.advance(version)
	}
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
