package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrGap: the store no longer knows what was committed after a version. Read
// what is there now, and go on from the version that was read; see [GapError].
var ErrGap = errors.New("store: what was committed since is no longer known")

// GapError is an [ErrGap] with the way out in it.
type GapError struct {
	// After is the version that was asked for.
	After uint64
	// Boundary is the oldest version after which everything is known.
	Boundary uint64
}

// Error implements error.
func (e *GapError) Error() string {
	if e.After >= e.Boundary {
		return fmt.Sprintf("store: version %d is not one of this store's yet: what came after it is not known", e.After)
	}
	return fmt.Sprintf("store: what was committed after version %d is no longer known, only what was after %d", e.After, e.Boundary)
}

// Is says that e is an ErrGap.
func (e *GapError) Is(target error) bool { return target == ErrGap }

// Commit is what one version wrote: the keys, without their values. Nothing in
// it ever changes, so it may be kept.
type Commit struct {
	Version uint64
	Time    time.Time // by the clock of whoever committed; never below that of the commit before
	Writes  []Write   // in key order, each key once
}

// Write is a key that a commit has set or deleted.
type Write struct {
	Key     []byte
	Deleted bool // it was deleted, else set
	Created bool // it was absent before; only where the writer said so, by [Creator]
}

// Feeder is implemented by a [Store] that can say what was committed after a
// version, also by other processes. Its methods return ErrClosed after Close.
type Feeder interface {
	// Changes calls yield for what was committed after version after, in
	// order, each commit whole, up to the newest at the time of the call; it
	// ends early if yield returns false. It returns ErrGap where the store does
	// not know all of it: at once, or in the middle, if yield takes so long that
	// what is next is dropped. What it has told until then is whole, and is all
	// there was up to there. A transaction that is begun in yield sees the commit.
	Changes(ctx context.Context, after uint64, yield func(Commit) bool) error

	// Wait returns the newest committed version once it is above after.
	Wait(ctx context.Context, after uint64) (uint64, error)

	// Head returns the newest committed version, of whichever process. It is
	// free where the store is in this process.
	Head(ctx context.Context) (uint64, error)
}

// Feed says how long a store keeps what its [Feeder] tells. What is beyond one
// of the bounds is dropped by and by, the oldest first.
type Feed struct {
	Keep     time.Duration // how old a commit may become; 0 is 7 days
	MaxBytes int64         // how much all of them may take; 0 is 64 MiB
}

const (
	defaultKeep      = 7 * 24 * time.Hour
	defaultFeedBytes = 64 << 20
)

// Bounds returns the bounds with defaults filled in, or what is wrong with them.
func (f Feed) Bounds() (keep time.Duration, maxBytes int64, err error) {
	switch {
	case f.Keep < 0:
		return 0, 0, fmt.Errorf("store: Feed.Keep is %v; want more than 0, or 0 for %v", f.Keep, defaultKeep)
	case f.MaxBytes < 0:
		return 0, 0, fmt.Errorf("store: Feed.MaxBytes is %d; want more than 0, or 0 for %d", f.MaxBytes, int64(defaultFeedBytes))
	}
	keep, maxBytes = f.Keep, f.MaxBytes
	if keep == 0 {
		keep = defaultKeep
	}
	if maxBytes == 0 {
		maxBytes = defaultFeedBytes
	}
	return keep, maxBytes, nil
}

// FeedKeeper is implemented by a [Feeder] that can be told how long to keep
// what it tells. Without being told it knows what its process has committed
// lately, or nothing.
type FeedKeeper interface {
	// KeepFeed has everything that is committed from now on kept, within the
	// bounds of f, also when the store is closed and opened again, by whomever,
	// if the store outlives its process. A nil f ends that, and drops what is
	// kept. It returns ErrReadOnly on a read-only store.
	KeepFeed(ctx context.Context, f *Feed) error
}

// FeedKeeperOf returns s as a FeedKeeper, or else the store that s wraps, which it
// says by a method Unwrap, or nil where there is none.
func FeedKeeperOf(s Store) FeedKeeper {
	for {
		if k, ok := s.(FeedKeeper); ok {
			return k
		}
		w, ok := s.(interface{ Unwrap() Store })
		if !ok {
			return nil
		}
		s = w.Unwrap()
	}
}
