package store

import "context"

// Keeper is implemented by a [Store] that can keep what is read often near at
// hand, through restarts, though the data is elsewhere.
type Keeper interface {
	// Keep has what find reads stay known here, under a name, in place of what
	// that name had: find returns the ranges that it has read, and the version
	// that it has read them at. It is run now, and again whenever something in
	// its ranges is written, until Forget or Close, so it may be called by
	// another goroutine at any time. What has been kept under a name stays so
	// through a restart, and goes on being followed; find is to be given again.
	//
	// Keep returns once find has run, with its error. Where that matches
	// ErrUnreachable, and something is kept under the name from before, the
	// error is nil: find runs as soon as it can. An error that matches
	// errors.ErrUnsupported says that nothing here outlives the process.
	Keep(ctx context.Context, name string, find func(context.Context) (read []Range, version uint64, err error)) error

	// Forget ends a Keep: what was kept under the name, and under no other, is
	// dropped. A name that nothing is kept under does no harm.
	Forget(name string) error
}

// KeeperOf returns s as a Keeper, or nil. A store that wraps another is asked
// itself: what it does may be no matter of the other's.
func KeeperOf(s Store) Keeper {
	k, _ := s.(Keeper)
	return k
}
