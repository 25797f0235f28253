package tables

import (
	"context"
	"errors"

	"github.com/kivisdb/kivis/internal/retry"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// readIncarnation returns the incarnation as kv sees it; zero where there is
// none.
func readIncarnation(kv store.Tx) (schema.Incarnation, error) {
	b, err := kv.Get(incarnationKey)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return schema.Incarnation{}, nil
	case err != nil:
		return schema.Incarnation{}, err
	}
	return schema.DecodeIncarnation(b)
}

// incarnate gives an incarnation to a database that has none, if the store can
// be written to. Where another process does so at the same time, its stands.
func (db *DB) incarnate(ctx context.Context) error {
	_, err := db.loop.Run(ctx, (*incarnating)(db))
	if errors.Is(err, store.ErrReadOnly) {
		return nil
	}
	err, _ = retry.Unmark(err)
	return err
}

// incarnating is incarnate under way.
type incarnating DB

// Attempt draws the incarnation, unless there is one by now.
func (db *incarnating) Attempt(ctx context.Context) error {
	kv, err := db.store.Begin(ctx, true)
	if err != nil {
		return err
	}
	defer kv.Discard()
	if db.incarnation, err = readIncarnation(kv); err != nil || db.incarnation != (schema.Incarnation{}) {
		return err
	}
	drawn := schema.NewIncarnation()
	if err := kv.Set(incarnationKey, drawn.Encode()); err != nil {
		return err
	}
	if _, err := kv.Commit(); err != nil {
		return retry.Conflict(err)
	}
	db.incarnation = drawn
	return nil
}
