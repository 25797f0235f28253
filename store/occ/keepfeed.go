package occ

import (
	"context"

	"github.com/kivisdb/kivis/store"
)

// KeepFeed is [store.FeedKeeper.KeepFeed]: in the log of a [LogEngine], in memory
// for others.
func (c *Core) KeepFeed(ctx context.Context, f *store.Feed) error {
	if _, err := c.Head(ctx); err != nil {
		return err
	}
	want, err := wantedLog(f)
	if err != nil {
		return err
	}
	e, ok := c.engine.(LogEngine)
	switch {
	case ok && c.options.ReadOnly:
		return store.ErrReadOnly
	case ok:
		return c.keepLog(ctx, e, want)
	case f == nil:
		c.feed.recent.bound(0, maxRecent)
	default:
		c.feed.recent.bound(want.keep, want.max)
	}
	return nil
}

func wantedLog(f *store.Feed) (s logState, err error) {
	if f == nil {
		return s, nil
	}
	s.on = true
	s.keep, s.max, err = f.Bounds()
	return s, err
}

// keepLog makes the log what is wanted. What it then is to lose goes with later
// commits, or at once if the log is off.
func (c *Core) keepLog(ctx context.Context, e LogEngine, want logState) error {
	l := &c.log
	l.keeping.Lock()
	defer l.keeping.Unlock()
	err := c.commitLog(e, func() bool {
		if l.on == want.on && l.keep == want.keep && l.max == want.max {
			return false
		}
		l.wish = &want
		return true
	})
	if err != nil {
		return err
	}
	c.boundRecent(want)
	for more := !want.on; more && err == nil; {
		if err = ctx.Err(); err == nil {
			err = c.commitLog(e, func() bool { more = l.left(); return more })
		}
	}
	return err
}

// commitLog has the log committed, unless begin, which runs in the committer,
// returns false. Close waits for it.
func (c *Core) commitLog(e LogEngine, begin func() bool) error {
	tx, err := c.Begin(context.Background(), false)
	if err != nil {
		return err
	}
	tx.mu.Lock()
	tx.cease()
	tx.mu.Unlock()
	defer tx.endCommit()
	return e.CommitLog(begin)
}
