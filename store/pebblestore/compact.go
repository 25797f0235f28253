package pebblestore

import (
	"context"
	"fmt"
	"time"

	"github.com/kivisdb/kivis/store"
)

// Compact gives back now the space of all that was deleted or overwritten, but for
// what open transactions still see. Pebble does so by itself where much is written;
// what was deleted from a store that does not grow may stay. It rewrites the tables
// that hold such things, and needs as much space as they have while it does. Reads
// and commits go on meanwhile. When ctx ends, or the store is closed, it returns
// after the part that it is at, and what it has done stays.
func (s *Store) Compact(ctx context.Context) (err error) {
	s.working.RLock() // Close waits
	defer s.working.RUnlock()
	done, err := s.using()
	if err != nil {
		return err
	}
	done() // it would keep what is overwritten from here on
	if s.opts.ReadOnly {
		return fmt.Errorf("pebblestore: compact: %w", store.ErrReadOnly)
	}
	if err := s.space.room(s.db.Metrics().DiskSpaceUsage()); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.open, func() { cancel(store.ErrClosed) })()
	_, err = await(s.collapse, func() (none struct{}, err error) {
		defer s.caught(&err)
		return none, s.db.Compact(ctx, []byte{spaceMeta}, []byte{spaceLog + 1}, false)
	})
	if err == nil {
		err = s.cleaned(ctx)
	}
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("pebblestore: compact: %w", context.Cause(ctx))
	}
	return s.engineError("compacting", err)
}

// cleaned waits for Pebble to have removed the files that it needs no more, which it
// does by and by, so that Size is what it will be.
func (s *Store) cleaned(ctx context.Context) error {
	for s.db.Metrics().Table.ObsoleteCount > 0 && s.collapse.err() == nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return s.collapse.err()
}
