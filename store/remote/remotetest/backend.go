package remotetest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/btree"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

var _ remote.Backend = (*Backend)(nil)

// Backend is a [remote.Backend] in memory.
type Backend struct {
	network network

	mu       sync.Mutex
	tree     *btree.BTreeG[*item]
	log      []logged      // after boundary, by version
	boundary uint64        // older versions are not kept
	version  uint64        // the newest
	change   chan struct{} // closed by the next commit
	ids      map[[16]byte]uint64
}

// item is a key with the values that it has had, the oldest first.
type item struct {
	key    []byte
	values []valueAt
}

// valueAt is a value from a version on; nil for a deletion.
type valueAt struct {
	version uint64
	value   []byte
}

// logged is a commit.
type logged struct {
	store.Commit
	id [16]byte
}

// New returns an empty engine.
func New() *Backend {
	return &Backend{
		tree:   btree.NewG(32, func(a, b *item) bool { return bytes.Compare(a.key, b.key) < 0 }),
		change: make(chan struct{}), version: 1, boundary: 1, ids: map[[16]byte]uint64{},
	}
}

// Head implements [remote.Backend].
func (b *Backend) Head(ctx context.Context) (version uint64, err error) {
	err = b.network.call(ctx, "Head", func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		version = b.version
		return nil
	})
	return version, err
}

// Read implements [remote.Backend].
func (b *Backend) Read(ctx context.Context, version uint64, keys [][]byte) (values [][]byte, err error) {
	err = b.network.call(ctx, "Read", func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if err := b.kept(version); err != nil {
			return err
		}
		values = make([][]byte, len(keys))
		for i, key := range keys {
			if found, ok := b.tree.Get(&item{key: key}); ok {
				values[i] = found.at(version)
			}
		}
		return nil
	})
	return values, err
}

// kept returns an error if a version is too old.
func (b *Backend) kept(version uint64) error {
	if version < b.boundary {
		return fmt.Errorf("remotetest: version %d, the oldest is %d: %w", version, b.boundary, store.ErrSnapshotTooOld)
	}
	return nil
}

// at returns the value at a version, or nil.
func (i *item) at(version uint64) []byte {
	for n := len(i.values) - 1; n >= 0; n-- {
		if i.values[n].version <= version {
			return i.values[n].value
		}
	}
	return nil
}

// maxPage is how many bytes one Scan returns, or one entry if that has more.
const maxPage = 4 << 20

// Scan implements [remote.Backend].
func (b *Backend) Scan(ctx context.Context, version uint64, r store.Range, limit int) (entries []remote.Entry, more bool, err error) {
	err = b.network.call(ctx, "Scan", func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if err := b.kept(version); err != nil {
			return err
		}
		entries, more = nil, false
		size := 0
		b.walk(r, func(i *item) bool {
			value := i.at(version)
			if value == nil {
				return true
			}
			if more = len(entries) == limit || size > maxPage; more {
				return false
			}
			if r.KeysOnly {
				value = nil
			}
			entries = append(entries, remote.Entry{Key: i.key, Value: value})
			size += len(i.key) + len(value)
			return true
		})
		return nil
	})
	return entries, more, err
}

// walk calls f for the items in r, in its direction, until it returns false.
func (b *Backend) walk(r store.Range, f func(*item) bool) {
	if r.Hi != nil && bytes.Compare(r.Lo, r.Hi) >= 0 {
		return
	}
	lo := &item{key: r.Lo}
	switch {
	case r.Reverse:
		up := func(i *item) bool { return bytes.Compare(i.key, r.Lo) >= 0 && f(i) }
		if r.Hi == nil {
			b.tree.Descend(up)
			return
		}
		b.tree.DescendLessOrEqual(&item{key: r.Hi}, func(i *item) bool { return bytes.Equal(i.key, r.Hi) || up(i) })
	case r.Hi == nil:
		b.tree.AscendGreaterOrEqual(lo, f)
	default:
		b.tree.AscendRange(lo, &item{key: r.Hi}, f)
	}
}

// Changes implements [remote.Backend].
func (b *Backend) Changes(ctx context.Context, after uint64, yield func(store.Commit) bool) error {
	var list []store.Commit
	err := b.network.call(ctx, "Changes", func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		list = nil
		switch {
		case after < b.boundary:
			return &store.GapError{After: after, Boundary: b.boundary}
		case after > b.version:
			return &store.GapError{After: after, Boundary: b.version}
		}
		for _, l := range b.log {
			if l.Version > after {
				list = append(list, l.Commit)
			}
		}
		return nil
	})
	for _, c := range list {
		if err != nil || !yield(c) {
			break
		}
	}
	return err
}

// waitAtMost is how long Wait waits.
const waitAtMost = 100 * time.Millisecond

// Wait implements [remote.Backend].
func (b *Backend) Wait(ctx context.Context, after uint64) (uint64, error) {
	b.mu.Lock()
	version, change := b.version, b.change
	b.mu.Unlock()
	if version <= after {
		timer := time.NewTimer(waitAtMost)
		defer timer.Stop()
		select {
		case <-change:
		case <-timer.C:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return b.Head(ctx)
}

// Collect forgets the versions before one.
func (b *Backend) Collect(version uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.boundary = max(b.boundary, min(version, b.version))
	for len(b.log) > 0 && b.log[0].Version <= b.boundary {
		delete(b.ids, b.log[0].id)
		b.log = b.log[1:]
	}
}
