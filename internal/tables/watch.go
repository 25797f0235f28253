package tables

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/kivisdb/kivis/store"
)

// Record has the transaction, a read-only one, note what it reads, for
// Footprint. The schema counts as read.
func (t *Tx) Record() error {
	store.Record(t.kv)
	return t.kv.Guard(headerKey, headerEnd)
}

// Footprint returns what the transaction has read since Record; see
// [store.Recorder].
func (t *Tx) Footprint() []store.Range { return store.Footprint(t.kv) }

// Version returns the version of the snapshot.
func (t *Tx) Version() uint64 { return t.kv.Version() }

var errNoFeed = fmt.Errorf("the store does not say what is written to it: %w", errors.ErrUnsupported)

// Feeder returns the store as one, or an error that matches
// errors.ErrUnsupported.
func (db *DB) Feeder() (store.Feeder, error) {
	if f, ok := db.store.(store.Feeder); ok {
		return f, nil
	}
	return nil, errNoFeed
}

// KeepFeed has the store keep its feed within bounds, if it can be told to.
func (db *DB) KeepFeed(ctx context.Context, bounds *store.Feed) error {
	if k := store.FeedKeeperOf(db.store); k != nil {
		return k.KeepFeed(ctx, bounds)
	}
	return nil
}

// Watch is [store.Watcher.Watch]. Over a store that is none it follows the
// feed; the error is as that of Feeder.
func (db *DB) Watch(ranges []store.Range, version uint64) (written <-chan struct{}, stop func(), err error) {
	if w, ok := db.store.(store.Watcher); ok {
		written, stop = w.Watch(ranges, version)
		return written, stop, nil
	}
	f, err := db.Feeder()
	if err != nil {
		return nil, nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	ch := make(chan struct{})
	go func() {
		awaitWrite(ctx, f, ranges, version)
		close(ch)
	}()
	return ch, stop, nil
}

// awaitWrite returns once a commit after version has written into ranges, or f
// cannot tell.
func awaitWrite(ctx context.Context, f store.Feeder, ranges []store.Range, version uint64) {
	for {
		head, err := f.Wait(ctx, version)
		if err != nil {
			return
		}
		hit := false
		err = f.Changes(ctx, version, func(c store.Commit) bool {
			version = c.Version
			for i := range c.Writes {
				hit = hit || inRanges(ranges, c.Writes[i].Key)
			}
			return !hit
		})
		if hit || err != nil {
			return
		}
		version = max(version, head)
	}
}

// inRanges says whether key is in one of ranges, which ascend and are disjoint.
func inRanges(ranges []store.Range, key []byte) bool {
	i := sort.Search(len(ranges), func(i int) bool { return bytes.Compare(ranges[i].Lo, key) > 0 })
	return i > 0 && (ranges[i-1].Hi == nil || bytes.Compare(key, ranges[i-1].Hi) < 0)
}
