package objectstore

import (
	"context"
	"math/rand/v2"
	"time"
)

// How long a collector waits at least, and at most.
const (
	shortestPause = time.Millisecond
	longestPause  = time.Minute
)

// collecting makes checkpoints when they are due, and drops what is no longer
// needed, until the store is closed. Every process that may write does so; what
// they do beside each other does no harm.
func (b *backend) collecting() {
	b.work.Go(func() {
		wait := max(shortestPause, min(b.opts.Keep/8, longestPause))
		// An error is one that the next round meets as well.
		for _ = b.state.clearSpare(); b.rest(wait); {
			_ = b.collect(b.ctx, b.opts.Keep) // which learns of checkpoints by others
			if b.due() && b.checkpoint(b.ctx) == nil {
				_ = b.collect(b.ctx, b.opts.Keep)
			}
			_ = b.state.clearSpare()
		}
	})
}

// rest waits for a while, or until a checkpoint is due, and says whether the store
// is still open. Then, too, it waits a little, and not as long as others do: who
// comes later finds the checkpoint there.
func (b *backend) rest(wait time.Duration) bool {
	timer := time.NewTimer(wait + rand.N(wait+1))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-b.full:
		return sleep(b.ctx, rand.N(min(wait, time.Second)+1))
	case <-b.ctx.Done():
		return false
	}
}

// collect raises the boundary to what was committed longer ago than keep, by the
// bucket's clock, and is in a checkpoint, and deletes what lies below.
func (b *backend) collect(ctx context.Context, keep time.Duration) error {
	at, err := b.checkBoundary(ctx)
	if err != nil {
		return err
	}
	if b.noteCheckpoint(at); at.checkpoint.version == 0 {
		return nil
	}
	to, err := b.oldLog(ctx, &at, keep)
	if err != nil {
		return err
	}
	if to > at.version {
		if err := b.raise(ctx, at, func(n *boundary) { n.version = to }); err != nil {
			return err
		}
		// By whomever it was raised, and how far, what is read now holds.
		if at, err = b.checkBoundary(ctx); err != nil {
			return err
		}
	}
	if err := b.deleteLog(ctx, at.version); err != nil {
		return err
	}
	for _, folder := range []string{checkpointFolder, writersFolder} {
		if err := b.deleteOlder(ctx, folder, at.checkpoint.version, keep); err != nil {
			return err
		}
	}
	return nil
}

// oldLog returns up to where the log is in a checkpoint, older than keep, and not
// the newest there is: that one shows who follows that it has missed nothing.
func (b *backend) oldLog(ctx context.Context, at *boundary, keep time.Duration) (to uint64, err error) {
	to = at.version
	for more := true; more; {
		var list []object
		if list, more, err = b.bucket.list(ctx, logFolder, nameOf(logFolder, to)); err != nil {
			return 0, err
		}
		old := numbers(logFolder, list)
		if len(old) == 0 {
			return to, nil
		}
		if !more {
			old = old[:len(old)-1]
		}
		for _, o := range old {
			if o.version > at.checkpoint.version || time.Since(o.modified) < keep {
				return to, nil
			}
			to = o.version
		}
	}
	return to, nil
}

// deleteLog deletes the log up to a version, and what stalled writers have made there.
func (b *backend) deleteLog(ctx context.Context, boundary uint64) error {
	for {
		list, more, err := b.bucket.list(ctx, logFolder, "")
		if err != nil {
			return err
		}
		var names []string
		for _, o := range numbers(logFolder, list) {
			if o.version <= boundary {
				names = append(names, o.name)
			}
		}
		if len(names) == 0 {
			return nil
		}
		if err := b.bucket.remove(ctx, names); err != nil || !more || len(names) < len(list) {
			return err
		}
	}
}

// deleteOlder deletes from a folder what is of versions before one. What was made
// lately may be being read.
func (b *backend) deleteOlder(ctx context.Context, folder string, version uint64, keep time.Duration) error {
	list, _, err := b.bucket.list(ctx, folder, "")
	if err != nil {
		return err
	}
	var names []string
	for _, o := range numbers(folder, list) {
		if o.version < version && time.Since(o.modified) >= keep {
			names = append(names, o.name)
		}
	}
	return b.bucket.remove(ctx, names)
}
