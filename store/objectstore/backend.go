package objectstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
	"github.com/kivisdb/kivis/store/remote"
)

var _ remote.Local = (*backend)(nil)

// backend is the log in the bucket and the state here.
type backend struct {
	bucket *bucket
	opts   Options
	db     [16]byte // of the store
	writer [16]byte // of this process's commits
	state  *state
	window window

	following  chan struct{} // held by who follows the log, or reads a checkpoint
	committing sync.Mutex    // for trial
	trial      trial
	loads      loads
	published  atomic.Uint64 // no older version is shown

	growth growth
	full   chan struct{} // a checkpoint may be due

	fresh atomic.Int64 // when the newest version known was surely the newest of all, since start
	start time.Time

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// stop ends what goes on in the background.
func (b *backend) stop() {
	b.cancel()
	b.work.Wait()
}

// seen notes that the newest version known was the newest of all at a time.
func (b *backend) seen(at time.Time) { b.fresh.Store(max(1, int64(at.Sub(b.start)))) }

// Head implements [remote.Log].
func (b *backend) Head(ctx context.Context) (uint64, error) {
	for {
		more, err := b.follow(ctx)
		switch {
		case errors.Is(err, store.ErrGap):
			if err := b.reload(ctx); err != nil {
				return 0, err
			}
		case errors.Is(err, store.ErrUnreachable) && store.IsOffline(ctx):
			return b.window.newest().version, nil
		case err != nil:
			return 0, err
		case !more:
			return b.window.newest().version, nil
		}
	}
}

// Snapshot implements [remote.Local].
func (b *backend) Snapshot(version uint64) (occ.Reader, error) { return b.state.snapshot(version) }

// Published implements [remote.Local].
func (b *backend) Published(version uint64) { b.published.Store(version) }

// Changes implements [remote.Log]. What is published by it is applied, so that what
// is known and not applied never is much.
func (b *backend) Changes(ctx context.Context, after uint64, yield func(store.Commit) bool) error {
	for more := true; more; {
		var err error
		if more, err = b.follow(ctx); err != nil {
			return err
		}
		list, _, ok := b.window.since(after)
		if !ok {
			return b.changesFar(ctx, after, yield)
		}
		for _, c := range list {
			if !yield(c.told()) {
				return nil
			}
			after = c.version
		}
		if err := b.settle(min(after, b.published.Load())); err != nil {
			return err
		}
	}
	return nil
}

// settle applies the log up to a version, below which nothing is shown any more.
func (b *backend) settle(version uint64) error {
	if err := b.state.advance(version); err != nil {
		return err
	}
	b.window.trim(version)
	return nil
}

// changesFar reads from the bucket what lies before the window.
func (b *backend) changesFar(ctx context.Context, after uint64, yield func(store.Commit) bool) error {
	head := b.window.newest().version
	if after > head {
		return &store.GapError{After: after, Boundary: head}
	}
	for after < head {
		list, _, err := b.bucket.list(ctx, logFolder, nameOf(logFolder, after))
		if err != nil {
			return err
		}
		next, _ := successors(numbers(logFolder, list), after)
		commits, err := b.readChecked(ctx, after, next)
		switch {
		case err != nil:
			return err
		case len(commits) == 0:
			return damaged(nameOf(logFolder, after+1), "it is missing")
		}
		for _, c := range commits {
			if !yield(c.told()) {
				return nil
			}
			after = c.version
		}
	}
	return nil
}

// Wait implements [remote.Log]. The bucket tells of nothing by itself.
func (b *backend) Wait(ctx context.Context, after uint64) (uint64, error) {
	if head := b.window.newest().version; head > after {
		return head, nil
	}
	timer := time.NewTimer(b.opts.Poll + rand.N(b.opts.Poll/4+1))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	_, err := b.follow(ctx)
	var gap *store.GapError
	if errors.As(err, &gap) {
		return max(gap.Boundary, after+1), nil // there is something, and who asks for it learns the rest
	}
	return b.window.newest().version, err
}

// Close implements io.Closer. Nothing is shown any more, so what is known can be
// applied, and the next Open need not read it again. If that fails, it does.
func (b *backend) Close() error {
	b.stop()
	_ = b.state.advance(b.window.newest().version)
	return b.state.local.Close()
}
