package cache

import (
	"context"
	"time"

	"github.com/kivisdb/kivis/store"
)

// Stats say what a stack does.
type Stats struct {
	Layers  []LayerStats // from the nearest
	Head    uint64       // the origin's newest version, as far as is known
	Version uint64       // the version that the layers have followed to
	Lag     uint64       // Head less Version
	Age     time.Duration
	Reads   int64 // how many reads the origin had to answer: of a key, of a batch, of a piece of a range
}

// LayerStats say what a layer does.
type LayerStats struct {
	Name      string // memory, persistent or archive
	Hits      int64  // how many reads it has answered
	Misses    int64  // how many it has passed on
	Bytes     int64  // in keys and values, and about what they cost besides
	Intervals int    // how many key intervals it knows whole
	Evictions int64  // how much it has forgotten to make room
	Position  uint64 // the version that it has followed to
	Complete  bool   // it knows everything
	Kept      int    // under how many names something is kept; see [store.Keeper]
	Err       error  // why it is not used, if it is not
}

// Stats returns what the stack has done until now.
func (s *Store) Stats() Stats {
	st := Stats{Version: s.current.Load().as.version, Age: s.Age(), Reads: s.reads.Load()}
	st.Head = max(s.newest.Load(), st.Version)
	if s.embedded {
		if head, err := s.feeder.Head(s.open); err == nil {
			st.Head = max(head, st.Version)
		}
	}
	st.Lag = st.Head - st.Version
	for _, l := range s.layers {
		st.Layers = append(st.Layers, l.stats())
	}
	return st
}

func (l *layer) stats() LayerStats {
	known := l.known.Load()
	st := LayerStats{
		Name:      l.name,
		Hits:      l.hits.Load(),
		Misses:    l.misses.Load(),
		Bytes:     l.bytes.Load(),
		Intervals: known.len(),
		Evictions: l.evictions.Load(),
		Position:  l.position.Load(),
	}
	_, gap := known.gap(nil)
	st.Complete = !gap && !l.off.Load()
	if p := l.pins.Load(); p != nil {
		st.Kept = len(p.byName)
	}
	if l.off.Load() {
		l.mu.Lock()
		defer l.mu.Unlock()
		st.Err = l.broken
	}
	return st
}

// Age returns how long ago the layers were last known to be as new as the origin.
func (s *Store) Age() time.Duration {
	if s.embedded {
		if head, err := s.feeder.Head(s.open); err == nil && head == s.current.Load().as.version {
			return 0
		}
	}
	return time.Since(time.Unix(0, s.hist.checked.Load()))
}

// Sync returns once every layer has followed to what is the origin's newest version
// now, archives have copied everything, and the functions of Keep have run on it, and
// what they read is there.
func (s *Store) Sync(ctx context.Context) error {
	if err := s.fresh(ctx, true); err != nil {
		return err
	}
	if err := s.finds.settled(ctx); err != nil {
		return err
	}
	return s.settled(ctx)
}

// copied returns once a layer knows what it keeps.
func (s *Store) copied(ctx context.Context, l *layer) error {
	for {
		l.mu.Lock()
		broken, off, change := l.broken, l.off.Load(), l.next()
		l.mu.Unlock()
		if off {
			return broken
		}
		if _, gap := l.missing(); !gap {
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.open.Done():
			return store.ErrClosed
		}
	}
}
