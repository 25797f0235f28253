package store

import (
	"context"
	"errors"
)

// lease tries Lease once, in a transaction of its own.
func lease(ctx context.Context, s Store, key []byte, update func(old []byte) ([]byte, error)) error {
	tx, err := s.Begin(ctx, true)
	if err != nil {
		return err
	}
	defer tx.Discard()
	old, err := tx.Get(key)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	value, err := update(old)
	if err != nil {
		return err
	}
	if err := tx.Set(key, value); err != nil {
		return err
	}
	_, err = tx.Commit()
	return err
}

func isConflict(err error) bool { return errors.Is(err, ErrConflict) }
