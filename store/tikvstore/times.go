package tikvstore

import (
	"context"
	"fmt"
	"sync"

	"github.com/kivisdb/kivis/store"
)

// manyTimes is of how many versions, the newest, it is remembered when they were
// the newest.
const manyTimes = 1 << 14

// times says of versions at which time of the cluster each was the newest. All times
// between two commits are as good as each other.
type times struct {
	mu     sync.Mutex
	of     map[uint64]uint64 // the latest that is known
	newest uint64
}

// note says that a version was the newest at a time.
func (t *times) note(version, at uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[uint64]uint64{}
	}
	if version+manyTimes < t.newest || at <= t.of[version] {
		return
	}
	t.of[version] = at
	if version > t.newest {
		t.newest = version
		if len(t.of) > 2*manyTimes {
			t.trim()
		}
	}
}

func (t *times) trim() {
	for version := range t.of {
		if version+manyTimes < t.newest {
			delete(t.of, version)
		}
	}
}

// find returns a time of a version, or 0.
func (t *times) find(version uint64) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.of[version]
}

// at has read read at a time of a version, and says whether it was kept at the time
// and all the while.
func (b *backend) at(ctx context.Context, version uint64, read func(at uint64) error) error {
	kept, err := b.kept(ctx)
	if err != nil {
		return err
	}
	at := b.times.find(version)
	if at == 0 || at < kept {
		if at, err = b.lookUp(ctx, version); err != nil {
			return err
		}
	}
	if at < kept {
		return tooOld(version)
	}
	if err := read(at); err != nil {
		return err
	}
	if kept, err = b.kept(ctx); err == nil && at < kept {
		return tooOld(version) // this process was held up
	}
	return err
}

func tooOld(version uint64) error {
	return fmt.Errorf("tikvstore: version %d is no longer kept: %w", version, store.ErrSnapshotTooOld)
}

// lookUp asks for the latest time of a version: that at which the next commit
// began, or now.
func (b *backend) lookUp(ctx context.Context, version uint64) (uint64, error) {
	now, err := b.now(ctx)
	if err != nil {
		return 0, err
	}
	this, next := b.log(version, 0), b.log(version+1, 0)
	found, err := b.client.GetSnapshot(now).BatchGet(ctx, [][]byte{this, next})
	if err != nil {
		return 0, outcome(err)
	}
	at := now
	if part, ok := found[string(next)]; ok {
		if _, at, err = decodeHeader(part); err != nil {
			return 0, err
		}
	} else if found[string(this)] == nil {
		return 0, tooOld(version)
	}
	b.times.note(version, at)
	return at, nil
}
