package remotetest

import (
	"bytes"
	"context"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

// Commit implements [remote.Backend].
func (b *Backend) Commit(ctx context.Context, p *remote.Proposal) (version uint64, err error) {
	reply := make(chan uint64, 2) // a request may be carried out twice
	err = b.network.call(ctx, "Commit", func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		version, err := b.commit(p)
		reply <- version
		return err
	})
	if err != nil {
		return 0, err
	}
	return <-reply, nil
}

func (b *Backend) commit(p *remote.Proposal) (uint64, error) {
	if version, ok := b.ids[p.ID]; ok {
		return version, nil
	}
	if p.Base < b.boundary || p.Base > b.version || b.wrote(p.Footprint, p.Base) {
		return 0, store.ErrConflict
	}
	b.version++
	c := store.Commit{Version: b.version, Time: b.now()}
	for _, change := range p.Changes {
		key := bytes.Clone(change.Key)
		b.set(key, change.Value)
		c.Writes = append(c.Writes, store.Write{Key: key, Deleted: change.Value == nil, Created: change.Created})
	}
	b.log = append(b.log, logged{c, p.ID})
	b.ids[p.ID] = b.version
	close(b.change)
	b.change = make(chan struct{})
	return b.version, nil
}

// now returns the time, which does not go back.
func (b *Backend) now() time.Time {
	now := time.Now()
	if n := len(b.log); n > 0 && now.Before(b.log[n-1].Time) {
		return b.log[n-1].Time
	}
	return now
}

// set writes a value at the newest version, and forgets those that nobody can
// read any more.
func (b *Backend) set(key, value []byte) {
	found, ok := b.tree.Get(&item{key: key})
	if !ok {
		found = &item{key: key}
		b.tree.ReplaceOrInsert(found)
	}
	if value != nil {
		value = append(make([]byte, 0, len(value)), value...)
	}
	values := found.values
	for len(values) > 1 && values[1].version <= b.boundary {
		values = values[1:]
	}
	found.values = append(values, valueAt{b.version, value})
}

// wrote says whether anything in ranges was written after a version.
func (b *Backend) wrote(ranges []store.Range, after uint64) bool {
	for i := len(b.log) - 1; i >= 0 && b.log[i].Version > after; i-- {
		for _, w := range b.log[i].Writes {
			for _, r := range ranges {
				if bytes.Compare(w.Key, r.Lo) >= 0 && (r.Hi == nil || bytes.Compare(w.Key, r.Hi) < 0) {
					return true
				}
			}
		}
	}
	return false
}
