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

// incarnate returns the incarnation of a database that had none, which it draws; none
// where the store only reads. Where another process does so at the same time, its stands.
func incarnate(ctx context.Context, loop *retry.Loop, st store.Store) (schema.Incarnation, error) {
	i := incarnating{store: st}
	_, err := loop.Run(ctx, &i)
	if errors.Is(err, store.ErrReadOnly) {
		return schema.Incarnation{}, nil
	}
	err, _ = retry.Unmark(err)
	return i.drawn, err
}

// incarnating is incarnate under way.
type incarnating struct {
	store store.Store
	drawn schema.Incarnation
}

// Attempt draws the incarnation, unless there is one by now.
func (i *incarnating) Attempt(ctx context.Context) error {
	kv, err := i.store.Begin(ctx, true)
	if err != nil {
		return err
	}
	defer kv.Discard()
	if i.drawn, err = readIncarnation(kv); err != nil || i.drawn != (schema.Incarnation{}) {
		return err
	}
	drawn := schema.NewIncarnation()
	if err := kv.Set(incarnationKey, drawn.Encode()); err != nil {
		return err
	}
	if _, err := kv.Commit(); err != nil {
		return retry.Conflict(err)
	}
	i.drawn = drawn
	return nil
}
