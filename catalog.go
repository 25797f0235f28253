package kivis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// ErrNewerFormat: a newer release of Kivis wrote the database.
var ErrNewerFormat = schema.ErrNewerFormat

// secretSize is the length of the key that signs page cursors, in bytes.
const secretSize = 32

// catalogIn reads the catalog as kv sees it.
func catalogIn(kv store.Tx) (*schema.Catalog, error) {
	head, err := kv.Get(headerKey)
	if err != nil {
		return nil, err
	}
	c, err := schema.DecodeHeader(head)
	if err != nil {
		return nil, err
	}
	rows, err := kv.Scan(prefixRange(catalogKey(tableSpace)))
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

// create writes the catalog of a new database into an empty store.
func (db *DB) create(ctx context.Context) (*schema.Catalog, error) {
	kv, err := db.kv.Begin(ctx, true)
	if err != nil {
		return nil, err
	}
	defer kv.Discard()
	if err := refuseForeign(kv); err != nil {
		return nil, err
	}
	c := schema.NewCatalog()
	db.secret = make([]byte, secretSize)
	rand.Read(db.secret)
	if err := kv.Set(headerKey, schema.EncodeHeader(c)); err != nil {
		return nil, readOnlyHint(err)
	}
	if err := kv.Set(secretKey, db.secret); err != nil {
		return nil, err
	}
	_, err = kv.Commit()
	return c, err
}

func readOnlyHint(err error) error {
	if errors.Is(err, store.ErrReadOnly) {
		return fmt.Errorf("%w, and holds no database yet", err)
	}
	return err
}

// refuseForeign fails if the store holds keys, which then are not Kivis's.
func refuseForeign(kv store.Tx) error {
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

// edition is a new catalog, with the ids of the tables whose entries are new
// or changed, and of those that are gone.
type edition struct {
	catalog       *schema.Catalog
	touched, gone []uint32
}

// changed reports whether there is anything to write.
func (e *edition) changed() bool { return len(e.touched)+len(e.gone) > 0 }

// save writes the edition in kv.
func (e *edition) save(kv store.Tx) error {
	for _, id := range e.touched {
		if err := kv.Set(tableKey(id), e.catalog.Entries[id].Encode()); err != nil {
			return err
		}
	}
	for _, id := range e.gone {
		if err := kv.Delete(tableKey(id)); err != nil {
			return err
		}
	}
	return kv.Set(headerKey, schema.EncodeHeader(e.catalog))
}

// change replaces the catalog by what edit makes of it, and publishes the
// tables of models over the new one. It is tried again on a conflict.
func (db *DB) change(ctx context.Context, models []*schema.Model, edit func(c *schema.Catalog) (edition, error)) error {
	_, err := db.retry(ctx, attemptFunc(func(ctx context.Context) error {
		kv, err := db.kv.Begin(ctx, true)
		if errors.Is(err, store.ErrReadOnly) {
			kv, err = db.kv.Begin(ctx, false)
		}
		if err != nil {
			return err
		}
		defer kv.Discard()
		c, err := catalogIn(kv)
		if err != nil {
			return err
		}
		next, err := edit(c)
		if err != nil {
			return err
		}
		return db.publish(kv, next, models)
	}))
	return err
}

// publish commits an edition, if there is anything in it, and makes its Set
// the one that transactions begin with.
func (db *DB) publish(kv store.Tx, e edition, models []*schema.Model) error {
	set, err := schema.Bind(e.catalog, models)
	if err != nil {
		return err
	}
	if e.changed() {
		if err := e.save(kv); err != nil {
			return err
		}
	}
	db.schemaMu.Lock()
	defer db.schemaMu.Unlock()
	if e.changed() {
		if _, err := kv.Commit(); err != nil {
			return commitFault(err)
		}
	}
	db.set.Store(set)
	return nil
}
