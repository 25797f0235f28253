package occ

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

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

// note remembers a batch that is about to be published, as of a time.
func (f *feed) note(version uint64, now int64, batch []*Tx) { f.recent.note(version, now, batch) }

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
	for {
		commits, err := c.changesAfter(ctx, after, head)
		if err != nil || len(commits) == 0 {
			return err // nothing is left but versions of the store's own
		}
		for _, commit := range commits {
			if err := c.told(ctx); err != nil {
				return err
			}
			after = commit.Version
			if !yield(commit) {
				return nil
			}
		}
	}
}

// changesAfter returns the first commits after a version, up to head: from what is
// remembered or, where that does not reach, from the log.
func (c *Core) changesAfter(ctx context.Context, after, head uint64) (commits []store.Commit, err error) {
	list, err := c.feed.recent.after(nil, after, head, atOnce)
	if _, ok := c.engine.(LogEngine); ok && errors.Is(err, store.ErrGap) {
		return c.logged(ctx, after, head)
	}
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].version == list[0].version {
			n++
		}
		commits = append(commits, commitOf(list[:n]))
		list = list[n:]
	}
	return commits, err
}

// told returns why no more is told.
func (c *Core) told(ctx context.Context) error {
	_, err := c.Head(ctx)
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
