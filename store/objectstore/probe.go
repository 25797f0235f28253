package objectstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
)

// probe returns ErrNoConditions if the bucket does not do what a commit relies on.
func (b *bucket) probe(ctx context.Context) error {
	name := probeFolder + rand.Text()
	err := b.tryConditions(ctx, name)
	if removed := b.remove(ctx, []string{name}); err == nil {
		err = removed
	}
	return err
}

// tryConditions makes an object that nobody else knows of. That it is there already
// means that the request has come twice.
func (b *bucket) tryConditions(ctx context.Context, name string) error {
	if err := b.create(ctx, name, []byte("1")); err != nil && !errors.Is(err, errTaken) {
		return fmt.Errorf("objectstore: trying the bucket: %w", err)
	}
	if err := refuses(b.create(ctx, name, []byte("2")), "If-None-Match: *"); err != nil {
		return err
	}
	_, tag, err := b.get(ctx, name, maxBoundary)
	if err != nil {
		return fmt.Errorf("objectstore: trying the bucket: %w", err)
	}
	err = b.replace(ctx, name, []byte("3"), tag)
	taken := errors.Is(err, errTaken)
	var data []byte
	if taken {
		data, _, err = b.get(ctx, name, maxBoundary)
	}
	switch {
	case err != nil:
		return fmt.Errorf("objectstore: trying the bucket: %w", err)
	case taken && string(data) != "3":
		return fmt.Errorf("%w: it does not take If-Match with the tag that it has given", ErrNoConditions)
	}
	return refuses(b.replace(ctx, name, []byte("4"), tag), "If-Match")
}

// refuses returns nil if err is the one that a condition which does not hold gives.
func refuses(err error, condition string) error {
	switch {
	case err == nil:
		return fmt.Errorf("%w: it has made an object against %s", ErrNoConditions, condition)
	case errors.Is(err, errTaken):
		return nil
	}
	return fmt.Errorf("objectstore: trying the bucket: %w", err)
}
