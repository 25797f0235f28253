package cache

import (
	"bytes"
	"context"
	"time"

	"github.com/kivisdb/kivis/store"
)

// work begins what goes on in the background: nothing where all layers are in
// memory.
func (s *Store) work() {
	for _, l := range s.layers {
		if l.archive || l.pinned() != nil {
			l.copies.Do(func() { s.workers.Go(func() { s.copy(l) }) })
		}
	}
	if s.outlives() {
		s.follower.Do(func() { s.workers.Go(s.followOn) })
	}
}

const (
	askEvery = time.Second            // how often an origin is asked that tells nothing
	retry    = 100 * time.Millisecond // after what time an origin is tried again
	gather   = 2 * time.Millisecond   // how long commits are left to their committers, or gathered
)

// followOn has the layers follow the origin all the time, also while nobody asks.
func (s *Store) followOn() {
	for s.open.Err() == nil {
		ctx, cancel := context.WithTimeout(s.open, askEvery)
		version, err := s.feeder.Wait(ctx, s.current.Load().as.version)
		quiet := ctx.Err() != nil
		cancel()
		if err == nil && s.embedded {
			s.pause(gather)
		}
		if quiet || err == nil && !s.isAt(version) {
			err = s.fresh(s.open, true)
		}
		if err != nil {
			s.pause(retry)
		}
	}
}

// pause waits, or until Close.
func (s *Store) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.open.Done():
	}
}

// copy copies what a layer is to know and does not, whenever there is something.
func (s *Store) copy(l *layer) {
	size := copyKeys
	for s.open.Err() == nil {
		r, ok := l.missing()
		if !ok || l.off.Load() {
			select {
			case <-l.lost:
			case <-s.open.Done():
			}
			continue
		}
		done, err := s.copySome(l, r, size)
		switch {
		case err != nil:
			s.pause(retry)
		case done:
			size = min(2*size, copyKeys)
		default:
			size = max(size/2, 1)
		}
	}
}

// How much is copied at a time, at most. Where somebody writes into what is being
// copied it is read again, half as much.
const (
	copyKeys  = 1024
	copyBytes = 1 << 20
)

// copySome copies the beginning of a range, and says whether it has: else it was
// written meanwhile.
func (s *Store) copySome(l *layer, r store.Range, keys int) (bool, error) {
	if err := s.fresh(s.open, true); err != nil {
		return false, err
	}
	v := s.hold()
	if v == nil {
		return false, nil
	}
	defer v.release()
	f, err := v.collect(r, keys)
	if err != nil {
		return false, err
	}
	f.kept = true
	return l.fill(f), nil
}

// hold returns the newest view, with a reference to it, or nil where it has no
// transaction of the origin.
func (s *Store) hold() *view {
	tx, err := s.core.Begin(s.open, false)
	if err != nil {
		return nil
	}
	defer tx.Discard()
	v := s.current.Load()
	if v.as.version != tx.Version() || !v.pinned() {
		return nil // somebody has followed just now
	}
	v.refs.Add(1) // tx has one, so it is not gone
	return v
}

// collect reads the beginning of a range of the origin.
func (v *view) collect(r store.Range, keys int) (*filling, error) {
	c, err := v.scan(r)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	f := &filling{lo: r.Lo, hi: r.Hi, whole: true, as: v.as}
	for size := 0; c.Next(); {
		e := entry{bytes.Clone(c.Key()), c.Keep()}
		f.entries = append(f.entries, e)
		size += len(e.key) + len(e.value)
		if len(f.entries) >= keys || size >= copyBytes {
			f.hi = behind(e.key)
			return f, nil
		}
	}
	return f, c.Err()
}
