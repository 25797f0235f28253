package objectstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kivisdb/kivis/store"
)

// What one step of following reads at most, and how many objects at a time.
const (
	followObjects  = 256
	followBytes    = 32 << 20
	readsAtOnce    = 8
	followAttempts = 3
)

// lock has one at a time follow the log, or read a checkpoint.
func (b *backend) lock(ctx context.Context) error {
	select {
	case b.following <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *backend) unlock() { <-b.following }

// follow learns what has been committed since the newest version known: all of it,
// or, where more is set, some. In one request if that is nothing. It returns a
// store.GapError where the log no longer says.
func (b *backend) follow(ctx context.Context) (more bool, err error) {
	if err := b.lock(ctx); err != nil {
		return false, err
	}
	defer b.unlock()
	return b.followLocked(ctx)
}

func (b *backend) followLocked(ctx context.Context) (more bool, err error) {
	for range followAttempts {
		// An object may be collected between the list and the read.
		if more, err = b.step(ctx); !errors.Is(err, errMissing) {
			return more, err
		}
	}
	return false, fmt.Errorf("%w: %w", err, store.ErrCorrupt)
}

// step is followLocked, once. The newest object of the log is never deleted. So if
// nothing is listed behind the newest one known, that is the newest of all, and what
// is listed shows that it is still there.
func (b *backend) step(ctx context.Context) (more bool, err error) {
	head, asked := b.window.newest(), time.Now()
	list, more, err := b.bucket.list(ctx, logFolder, nameOf(logFolder, head.version-1))
	if err != nil {
		return false, err
	}
	there := from(head.version, numbers(logFolder, list))
	known := head.version == first
	if len(there) > 0 && there[0].version == head.version {
		known, there = true, there[1:]
	}
	if known && len(there) == 0 && !more {
		b.seen(asked)
		return false, nil
	}
	next, all := successors(there, head.version)
	commits, err := b.readChecked(ctx, head.version, next)
	switch {
	case err != nil:
		return false, err
	case !all:
		return false, damaged(nameOf(logFolder, head.version+uint64(len(commits))+1), "it is missing")
	case !known && len(commits) == 0:
		return false, damaged(nameOf(logFolder, head.version), "it is missing")
	}
	for _, c := range commits {
		if err := b.take(c); err != nil {
			return false, err
		}
	}
	if more = more || len(commits) < len(there); !more {
		b.seen(asked)
	}
	return more, nil
}

// from returns those from a version on: not every bucket begins a list where it is told.
func from(version uint64, list []numbered) []numbered {
	for len(list) > 0 && list[0].version < version {
		list = list[1:]
	}
	return list
}

// successors returns those that follow each other from a version on, at most as many
// as a step reads, and whether nothing is missing between them and what there is.
func successors(there []numbered, version uint64) (next []numbered, all bool) {
	bytes := int64(0)
	for i, o := range there {
		if o.version != version+uint64(i)+1 {
			return there[:i], false
		}
		if i == followObjects || i > 0 && bytes+o.size > followBytes {
			return there[:i], true
		}
		bytes += o.size
	}
	return there, true
}

// readChecked reads commits that were listed behind a version, and that the boundary
// has not passed them, in one round of requests. That is asked for after they were
// listed, so what is above it is what was committed.
func (b *backend) readChecked(ctx context.Context, version uint64, list []numbered) ([]*commit, error) {
	var at boundary
	var failed error
	var wg sync.WaitGroup
	wg.Go(func() { at, failed = b.checkBoundary(ctx) })
	commits, err := b.readAll(ctx, list)
	wg.Wait()
	switch {
	case failed != nil:
		return nil, failed
	case at.version > version:
		return nil, &store.GapError{After: version, Boundary: at.version}
	}
	return commits, err
}

// checkBoundary reads the boundary of the store, which must still be the same.
func (b *backend) checkBoundary(ctx context.Context) (boundary, error) {
	at, err := b.bucket.boundary(ctx)
	switch {
	case errors.Is(err, errMissing):
		return at, fmt.Errorf("objectstore: %v is no longer there: %w", b.bucket.place, store.ErrIncarnation)
	case err == nil && at.db != b.db:
		return at, fmt.Errorf("objectstore: %v is another store now: %w", b.bucket.place, store.ErrIncarnation)
	}
	return at, err
}

// readAll reads commits, several at a time.
func (b *backend) readAll(ctx context.Context, list []numbered) ([]*commit, error) {
	commits, errs := make([]*commit, len(list)), make([]error, len(list))
	var wg sync.WaitGroup
	slots := make(chan struct{}, readsAtOnce)
	for i, o := range list {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			commits[i], errs[i] = b.readCommit(ctx, o.version)
		})
	}
	wg.Wait()
	return commits, errors.Join(errs...)
}

// readCommit reads one object of the log.
func (b *backend) readCommit(ctx context.Context, version uint64) (*commit, error) {
	data, _, err := b.bucket.get(ctx, nameOf(logFolder, version), maxObject)
	if err != nil {
		return nil, err
	}
	return decodeCommit(b.db, version, data)
}

// take makes a commit the newest that is known.
func (b *backend) take(c *commit) error {
	if head := b.window.newest(); c.version != head.version+1 || c.previous != head.id {
		return damaged(nameOf(logFolder, c.version), "it does not continue version %d", head.version)
	}
	b.state.push(c)
	b.window.add(c, c.writer == b.writer)
	b.grown(c)
	return nil
}
