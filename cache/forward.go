package cache

import (
	"context"
	"errors"
	"slices"

	"github.com/kivisdb/kivis/store"
)

var (
	_ store.Feeder     = (*Store)(nil)
	_ store.FeedKeeper = (*Store)(nil)
	_ store.Watcher    = (*Store)(nil)
	_ store.Leaser     = (*Store)(nil)
	_ store.Verifier   = (*Store)(nil)
	_ store.Verified   = (*Store)(nil)
	_ store.Embedded   = (*Store)(nil)
	_ store.Sizer      = (*Store)(nil)
)

// Changes implements [store.Feeder], by the origin. A transaction that is begun in
// yield sees the commit, for Begin asks the origin.
func (s *Store) Changes(ctx context.Context, after uint64, yield func(store.Commit) bool) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	return s.failure(s.feeder.Changes(ctx, after, yield))
}

// Wait implements [store.Feeder].
func (s *Store) Wait(ctx context.Context, after uint64) (uint64, error) {
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	version, err := s.feeder.Wait(ctx, after)
	return version, s.failure(err)
}

// Head implements [store.Feeder].
func (s *Store) Head(ctx context.Context) (uint64, error) {
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	version, err := s.head(ctx)
	return version, s.failure(err)
}

// KeepFeed implements [store.FeedKeeper], if the origin does.
func (s *Store) KeepFeed(ctx context.Context, f *store.Feed) error {
	keeper, ok := s.origin.(store.FeedKeeper)
	if !ok {
		return errors.ErrUnsupported
	}
	return keeper.KeepFeed(ctx, f)
}

// Written implements [store.Watcher]: by the origin, or else by asking its feed.
func (s *Store) Written(ranges []store.Range, version uint64) (bool, error) {
	if w, ok := s.origin.(store.Watcher); ok {
		return w.Written(ranges, version)
	}
	written := false
	err := s.Changes(s.open, version, func(c store.Commit) bool {
		written = slices.ContainsFunc(c.Writes, func(w store.Write) bool { return within(ranges, w.Key) })
		return !written
	})
	return written, err
}

// within says whether a key is in one of ranges.
func within(ranges []store.Range, key []byte) bool {
	return slices.ContainsFunc(ranges, func(r store.Range) bool {
		return string(r.Lo) <= string(key) && under(key, r.Hi)
	})
}

// Watch implements [store.Watcher]. Over an origin that is none, the channel is
// closed a while after the commit.
func (s *Store) Watch(ranges []store.Range, version uint64) (written <-chan struct{}, stop func()) {
	if w, ok := s.origin.(store.Watcher); ok {
		return w.Watch(ranges, version)
	}
	ctx, stop := context.WithCancel(s.open)
	done := make(chan struct{})
	go func() {
		if s.untilWritten(ctx, ranges, version) {
			close(done)
		}
	}()
	return done, stop
}

// untilWritten returns true once something in ranges may have been written after
// version, or the store is closed, and false if ctx ends before.
func (s *Store) untilWritten(ctx context.Context, ranges []store.Range, version uint64) bool {
	for {
		head, err := s.feeder.Wait(ctx, version)
		if err == nil {
			var hit bool
			if hit, err = s.Written(ranges, version); hit {
				return true
			}
			version = head
		}
		if err != nil {
			return ctx.Err() == nil || s.open.Err() != nil
		}
	}
}

// Lease implements [store.Leaser], in the origin.
func (s *Store) Lease(ctx context.Context, key []byte, update func(old []byte) ([]byte, error)) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	return s.failure(store.Lease(ctx, s.origin, key, update))
}

// Verify implements [store.Verifier]: of the origin, and of the layers.
func (s *Store) Verify(ctx context.Context) error {
	errs := []error{store.Verify(ctx, s.origin)}
	for _, l := range s.layers {
		errs = append(errs, store.Verify(ctx, l.local))
	}
	return errors.Join(errs...)
}

// Verified implements [store.Verified]. A layer that outlives the process keeps a
// checksum with each entry.
func (s *Store) Verified() bool { return store.IsVerified(s.origin) }

// Embedded implements [store.Embedded].
func (s *Store) Embedded() bool { return s.embedded }

// Size implements [store.Sizer]: of the origin, 0 where it does not know.
func (s *Store) Size() (int64, error) {
	if sizer, ok := s.origin.(store.Sizer); ok {
		return sizer.Size()
	}
	return 0, nil
}

// Unwrap returns the origin.
func (s *Store) Unwrap() store.Store { return s.origin }
