package tables

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/retry"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// secretSize is the length of the key that signs page cursors, in bytes.
const secretSize = 32

// readCatalog reads the catalog as kv sees it, or returns store.ErrNotFound
// where there is none.
func readCatalog(kv store.Tx) (*schema.Catalog, error) {
	head, err := kv.Get(headerKey)
	if err != nil {
		return nil, err
	}
	c, err := schema.DecodeHeader(head)
	if err != nil {
		return nil, err
	}
	rows, err := kv.Scan(record.PrefixRange(catalogKey(tableSpace)))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		e, err := schema.DecodeEntry(rows.Keep())
		if err != nil {
			return nil, err
		}
		c.Entries[e.ID] = e
	}
	return c, rows.Err()
}

// create writes the catalog of a new database into an empty store, and draws
// what is drawn once.
func (db *DB) create(ctx context.Context) (*schema.Catalog, error) {
	kv, err := db.store.Begin(ctx, true)
	if errors.Is(err, store.ErrReadOnly) {
		return nil, db.nothingToRead(ctx, err)
	}
	if err != nil {
		return nil, err
	}
	defer kv.Discard()
	if _, err := kv.Get(headerKey); err == nil {
		return nil, store.ErrConflict // another process has made it meanwhile
	}
	if err := checkEmpty(kv); err != nil {
		return nil, err
	}
	c := schema.NewCatalog()
	db.secret, db.incarnation = make([]byte, secretSize), schema.NewIncarnation()
	rand.Read(db.secret)
	if err := kv.Set(headerKey, schema.EncodeHeader(c)); err != nil {
		return nil, err
	}
	if err := kv.Set(secretKey, db.secret); err != nil {
		return nil, err
	}
	if err := kv.Set(incarnationKey, db.incarnation.Encode()); err != nil {
		return nil, err
	}
	_, err = kv.Commit()
	return c, err
}

// nothingToRead returns why a store that takes no writes cannot be opened.
func (db *DB) nothingToRead(ctx context.Context, readOnly error) error {
	kv, err := db.store.Begin(ctx, false)
	if err != nil {
		return err
	}
	defer kv.Discard()
	if err := checkEmpty(kv); err != nil {
		return err
	}
	return fmt.Errorf("the store holds no database yet: %w", readOnly)
}

// checkEmpty fails if the store holds keys, which then are not Kivis's.
func checkEmpty(kv store.Tx) error {
	c, err := kv.Scan(store.Range{KeysOnly: true})
	if err != nil {
		return err
	}
	defer c.Close()
	if c.Next() {
		return errors.New("the store holds keys but no Kivis database; refusing to write into it")
	}
	return c.Err()
}

// Catalog returns the catalog as it is stored now, or, of a store that is out of
// reach, as it is known here.
func (db *DB) Catalog(ctx context.Context) (*schema.Catalog, error) {
	kv, err := db.store.Begin(store.Offline(ctx), false)
	if err != nil {
		return nil, err
	}
	defer kv.Discard()
	return readCatalog(kv)
}

// Catalog returns the catalog as the transaction sees it.
func (t *Tx) Catalog() (*schema.Catalog, error) { return readCatalog(t.kv) }

// An Edition is a new catalog, with the ids of the tables whose entries are new
// or changed, and of those that are gone.
type Edition struct {
	Catalog       *schema.Catalog
	Touched, Gone []uint32
	Empty         []uint32          // tables that must be without records
	Built         []schema.IndexRef // indexes of which nobody need know any more how far they have come

	// Confirm, if it is set, says whether what was found out before still holds: of
	// the tables in Unwritten, nothing may be written between that and the commit.
	Confirm   func() error
	Unwritten []uint32
}

// changed reports whether there is anything to write.
func (e *Edition) changed() bool { return len(e.Touched)+len(e.Gone) > 0 }

// ErrNotEmpty: somebody has written into a table that was empty, and was to go.
var ErrNotEmpty = errors.New("records have been written meanwhile into a table that was empty: try again")

// save writes the edition in kv, which holds the catalog have. The feed learns which
// tables are new: see [TableWritten].
func (e *Edition) save(kv store.Tx, have *schema.Catalog) error {
	for _, id := range e.Empty {
		if found, err := hasKeys(kv, IndexPrefix(schema.IndexRef{Table: id})); err != nil || found {
			return errors.Join(err, ErrNotEmpty)
		}
	}
	for _, id := range e.Touched {
		set := kv.Set
		if have.Entries[id] == nil {
			set = func(key, value []byte) error { return store.Create(kv, key, value) }
		}
		if err := set(tableKey(id), e.Catalog.Entries[id].Encode()); err != nil {
			return err
		}
	}
	for _, id := range e.Gone {
		if err := kv.Delete(tableKey(id)); err != nil {
			return err
		}
	}
	return kv.Set(headerKey, schema.EncodeHeader(e.Catalog))
}

// confirm guards the tables that nobody may write to from here on, and then asks.
func (e *Edition) confirm(kv store.Tx) error {
	if e.Confirm == nil {
		return nil
	}
	for _, id := range e.Unwritten {
		r := record.PrefixRange(IndexPrefix(schema.IndexRef{Table: id}))
		if err := kv.Guard(r.Lo, r.Hi); err != nil {
			return err
		}
	}
	return e.Confirm()
}

// forget deletes how far the indexes that are built have come, and reports whether
// there was anything.
func (e *Edition) forget(kv store.Tx) (forgot bool, err error) {
	for _, ref := range e.Built {
		key := BuildKey(ref.Table, ref.Index)
		switch _, err := kv.Get(key); {
		case errors.Is(err, store.ErrNotFound):
			continue
		case err != nil:
			return false, err
		}
		if err := kv.Delete(key); err != nil {
			return false, err
		}
		forgot = true
	}
	return forgot, nil
}

// hasKeys reports whether there is a key with the prefix.
func hasKeys(kv store.Tx, prefix []byte) (bool, error) {
	r := record.PrefixRange(prefix)
	r.KeysOnly = true
	c, err := kv.Scan(r)
	if err != nil {
		return false, err
	}
	defer c.Close()
	return c.Next(), c.Err()
}

// ChangeCatalog replaces the catalog by what edit makes of it, and publishes
// the tables of models over the new one; in a store that others write to, of
// those models that fit it. After a conflict it is done again.
func (db *DB) ChangeCatalog(ctx context.Context, models []*schema.Model, edit func(*schema.Catalog) (Edition, error)) error {
	_, err := db.loop.Run(ctx, &catalogChange{db: db, models: models, edit: edit})
	err, _ = retry.Unmark(err)
	return err
}

// catalogChange is a ChangeCatalog.
type catalogChange struct {
	db     *DB
	models []*schema.Model
	edit   func(*schema.Catalog) (Edition, error)

	refused error // why the store takes no writes
}

// Attempt makes the change in a transaction of its own, a read-only one where
// the store takes no other: then there may be nothing to write.
func (c *catalogChange) Attempt(ctx context.Context) error {
	kv, err := c.db.store.Begin(ctx, true)
	if c.refused = nil; errors.Is(err, store.ErrReadOnly) || errors.Is(err, store.ErrUnreachable) {
		c.refused = err
		kv, err = c.db.store.Begin(store.Offline(ctx), false)
	}
	if err != nil {
		return err
	}
	defer kv.Discard()
	have, err := readCatalog(kv)
	if err != nil {
		return err
	}
	next, err := c.edit(have)
	if err != nil {
		return err
	}
	return c.commit(kv, have, next)
}

// commit commits an edition, if there is anything in it, and makes its Set the
// one that transactions begin with.
func (c *catalogChange) commit(kv store.Tx, have *schema.Catalog, e Edition) error {
	bind := schema.Bind
	if c.db.elsewhere.watcher != nil {
		bind = schema.BindFitting
	}
	set, err := bind(e.Catalog, c.models)
	if err != nil {
		return err
	}
	forgot := false
	if c.refused == nil {
		if forgot, err = e.forget(kv); err != nil {
			return err
		}
	}
	if e.changed() {
		if c.refused != nil {
			return c.refused
		}
		if err := e.confirm(kv); err != nil {
			return err
		}
		if err := errors.Join(e.save(kv, have), e.noteDropped(have, kv.Set)); err != nil {
			return err
		}
	}
	for _, id := range e.Gone {
		c.db.sequences.byID.Delete(id)
	}
	c.db.schemaMu.Lock()
	defer c.db.schemaMu.Unlock()
	switch {
	case !e.changed() && c.db.set.Load().Version() > e.Catalog.Version:
		return retry.Conflict(store.ErrConflict) // of another process, which this one has followed
	case e.changed() || forgot:
		if _, err := kv.Commit(); err != nil {
			return retry.Conflict(err)
		}
	}
	c.db.publish(set, c.models)
	return nil
}

// IndexPrefix returns what the keys of an index start with, also of one that
// no table has any more.
func IndexPrefix(ref schema.IndexRef) []byte {
	return codec.AppendUint(codec.AppendUint(nil, uint64(ref.Table)), uint64(ref.Index))
}

// noteDropped keeps in kv which tables an edition drops.
func (e *Edition) noteDropped(have *schema.Catalog, set func(key, value []byte) error) error {
	for _, id := range e.Gone {
		if was := have.Entries[id]; was != nil {
			if err := set(dropKey(id), []byte(was.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}
