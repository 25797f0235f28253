package occ

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kivisdb/kivis/store"
)

// feed is what a core tells of commits: to watches, to those who wait, and to
// those who ask for what has changed.
//
// A commit is noted before it is published, so that what is published is known,
// and told after it, so that who is told sees it.
type feed struct {
	recent  recent
	watches watches

	waited atomic.Bool // changed may be set
	mu     sync.Mutex
	change chan struct{} // closed by the next commit; nil while nobody waits
}

// note remembers a batch that is about to be published.
func (f *feed) note(version uint64, batch []*Tx) {
	f.recent.note(version, time.Now().UnixNano(), batch)
}

// tell says that a batch has been published.
func (f *feed) tell(version uint64, batch []*Tx) {
	f.watches.wrote(version, batch)
	f.wake()
}

// next returns a channel that is closed after the next commit is published, or
// when the core is closed.
func (f *feed) next() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.change == nil {
		f.change = make(chan struct{})
		f.waited.Store(true)
	}
	return f.change
}

// wake has those who wait look.
func (f *feed) wake() {
	if !f.waited.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.change != nil {
		close(f.change)
		f.change = nil
		f.waited.Store(false)
	}
}

// end tells everybody that there will be no more.
func (f *feed) end() {
	f.watches.close()
	f.wake()
}

// Head is [store.Feeder.Head].
func (c *Core) Head(ctx context.Context) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.version, c.refuse
}

// Wait is [store.Feeder.Wait].
func (c *Core) Wait(ctx context.Context, after uint64) (uint64, error) {
	for {
		next := c.feed.next()
		version, err := c.Head(ctx)
		if err != nil {
			return 0, err
		}
		if version > after {
			return version, nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// atOnce is how many transactions a reader of the feed takes at a time.
const atOnce = 256

// Changes is [store.Feeder.Changes].
func (c *Core) Changes(ctx context.Context, after uint64, yield func(store.Commit) bool) error {
	head, err := c.Head(ctx)
	switch {
	case err != nil:
		return err
	case after > head:
		return &store.GapError{After: after, Boundary: head}
	}
	return c.changesLately(ctx, after, head, yield)
}

// changesLately tells what is remembered of the versions after one, up to head.
func (c *Core) changesLately(ctx context.Context, after, head uint64, yield func(store.Commit) bool) error {
	var list []noted
	for {
		var err error
		if list, err = c.feed.recent.after(list[:0], after, head, atOnce); err != nil || len(list) == 0 {
			return err // nothing is left but versions of the store's own
		}
		for rest := list; len(rest) > 0; {
			if err := c.told(ctx); err != nil {
				return err
			}
			n := 1
			for n < len(rest) && rest[n].version == rest[0].version {
				n++
			}
			after = rest[0].version
			if !yield(commitOf(rest[:n])) {
				return nil
			}
			rest = rest[n:]
		}
	}
}

// told returns why no more is told.
func (c *Core) told(ctx context.Context) error {
	_, err := c.Head(ctx)
	return err
}

// KeepFeed is [store.FeedKeeper.KeepFeed] of a store in memory.
func (c *Core) KeepFeed(ctx context.Context, f *store.Feed) error {
	if _, err := c.Head(ctx); err != nil {
		return err
	}
	if f == nil {
		c.feed.recent.bound(0, maxRecent)
		return nil
	}
	keep, max, err := f.Bounds()
	if err == nil {
		c.feed.recent.bound(keep, max)
	}
	return err
}

// Written is [store.Watcher.Written].
func (c *Core) Written(ranges []store.Range, version uint64) (bool, error) {
	head, err := c.Head(context.Background())
	if err != nil {
		return false, err
	}
	var list []noted
	for {
		list, err = c.feed.recent.after(list[:0], version, head, atOnce)
		if err != nil || len(list) == 0 {
			return false, err
		}
		if wrote(list, ranges) {
			return true, nil
		}
		version = list[len(list)-1].version
	}
}

// Watch is [store.Watcher.Watch]. The watch is there before the question is
// asked whether it comes too late, so that no commit falls between.
func (c *Core) Watch(ranges []store.Range, version uint64) (written <-chan struct{}, stop func()) {
	w := c.feed.watches.add(ranges, version)
	if now, err := c.Written(ranges, version); now || err != nil {
		c.feed.watches.markOne(w)
	}
	return w.written, func() { c.feed.watches.remove(w) }
}
