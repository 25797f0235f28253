package tables

import (
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/store"
)

var errNoKeeper = fmt.Errorf("the store has no layers in front of it: %w", errors.ErrUnsupported)

// Keep has the store keep what read reads, under a name: see [store.Keeper]. The
// catalog is kept as well, without which nothing can be opened.
func (db *DB) Keep(ctx context.Context, name string, read func(context.Context, *Tx) error) error {
	k := store.KeeperOf(db.store)
	if k == nil {
		return errNoKeeper
	}
	return k.Keep(ctx, name, func(ctx context.Context) ([]store.Range, uint64, error) {
		t, err := db.Begin(ctx, false)
		if err != nil {
			return nil, 0, err
		}
		t.Escape()
		t.Track()
		defer t.Discard()
		if err := t.Record(); err != nil {
			return nil, 0, err
		}
		if err := t.readCatalog(); err != nil {
			return nil, 0, err
		}
		if err := read(ctx, t); err != nil {
			return nil, 0, err
		}
		if err := t.Spoilt(); err != nil {
			return nil, 0, err
		}
		return t.Footprint(), t.Version(), nil
	})
}

// Forget ends a Keep.
func (db *DB) Forget(name string) error {
	if k := store.KeeperOf(db.store); k != nil {
		return k.Forget(name)
	}
	return errNoKeeper
}

// readCatalog reads all that opening a database does.
func (t *Tx) readCatalog() error {
	for _, key := range [][]byte{headerKey, secretKey, incarnationKey, restoringKey} {
		if _, err := t.kv.Get(key); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	for _, space := range []uint64{tableSpace, consumerSpace} {
		c, err := t.kv.Scan(record.PrefixRange(catalogKey(space)))
		if err != nil {
			return err
		}
		for c.Next() {
		}
		c.Close()
		if err := c.Err(); err != nil {
			return err
		}
	}
	return nil
}
