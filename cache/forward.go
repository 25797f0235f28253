package cache

import (
	"context"
	"errors"

	"github.com/kivisdb/kivis/store"
)

var (
	_ store.Feeder   = (*Store)(nil)
	_ store.Watcher  = (*Store)(nil)
	_ store.Leaser   = (*Store)(nil)
	_ store.Verifier = (*Store)(nil)
	_ store.Verified = (*Store)(nil)
	_ store.Embedded = (*Store)(nil)
	_ store.Sharer   = (*Store)(nil)
	_ store.Sizer    = (*Store)(nil)
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

// Written implements [store.Watcher]: by the origin, or else by what the layers
// have followed.
func (s *Store) Written(ranges []store.Range, version uint64) (bool, error) {
	if w, ok := s.origin.(store.Watcher); ok {
		return w.Written(ranges, version)
	}
	if err := s.fresh(s.open, true); err != nil {
		return false, err
	}
	return s.core.Written(ranges, version)
}

// Watch implements [store.Watcher]. Over an origin that is none, a commit that is
// made through the stack closes the channel before it returns, and one that is not
// does a little later.
func (s *Store) Watch(ranges []store.Range, version uint64) (written <-chan struct{}, stop func()) {
	if w, ok := s.origin.(store.Watcher); ok {
		return w.Watch(ranges, version)
	}
	s.follower.Do(func() { s.workers.Go(s.followOn) })
	return s.core.Watch(ranges, version)
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
func (s *Store) Verified() bool { return store.IsBelieved(s.origin) }

// Embedded implements [store.Embedded].
func (s *Store) Embedded() bool { return s.embedded }

// Size implements [store.Sizer]: of the origin, 0 where it does not know.
func (s *Store) Size() (int64, error) {
	if sizer, ok := s.origin.(store.Sizer); ok {
		return sizer.Size()
	}
	return 0, nil
}

// Unwrap returns the origin, which keeps the feed.
func (s *Store) Unwrap() store.Store { return s.origin }

// Shared implements [store.Sharer]: others may write to the origin.
func (s *Store) Shared() bool { return true }
