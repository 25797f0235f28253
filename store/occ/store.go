package occ

import (
	"context"

	"github.com/kivisdb/kivis/store"
)

var (
	_ store.Feeder     = Store{}
	_ store.FeedKeeper = Store{}
	_ store.Watcher    = Store{}
	_ store.Limiter    = Store{}
	_ store.Embedded   = Store{}
)

// Store is the part of an embedded store that is the same for all over a [Core]: what
// it says of its commits, of its limits and of itself. A store embeds it.
type Store struct{ core *Core }

// NewStore returns the Store over a core.
func NewStore(core *Core) Store { return Store{core} }

// Changes implements [store.Feeder].
func (s Store) Changes(ctx context.Context, after uint64, yield func(store.Commit) bool) error {
	return s.core.Changes(ctx, after, yield)
}

// Wait implements [store.Feeder].
func (s Store) Wait(ctx context.Context, after uint64) (uint64, error) {
	return s.core.Wait(ctx, after)
}

// Head implements [store.Feeder].
func (s Store) Head(ctx context.Context) (uint64, error) { return s.core.Head(ctx) }

// KeepFeed implements [store.FeedKeeper]: in a store on a disk the feed is kept in the
// store, and outlives it. Without it the store knows its process's latest commits, as
// long as their keys take less than 8 MiB.
func (s Store) KeepFeed(ctx context.Context, f *store.Feed) error { return s.core.KeepFeed(ctx, f) }

// Written implements [store.Watcher].
func (s Store) Written(ranges []store.Range, version uint64) (bool, error) {
	return s.core.Written(ranges, version)
}

// Watch implements [store.Watcher].
func (s Store) Watch(ranges []store.Range, version uint64) (written <-chan struct{}, stop func()) {
	return s.core.Watch(ranges, version)
}

// Limits implements [store.Limiter].
func (s Store) Limits() (maxKey int, tooLarge func(keys, bytes int) error) { return s.core.Limits() }

// Embedded implements [store.Embedded].
func (s Store) Embedded() bool { return true }
