package remote

import (
	"context"
	"errors"
	"time"

	"github.com/kivisdb/kivis/store"
)

// Head implements [store.Feeder]. It asks the engine.
func (s *Store) Head(ctx context.Context) (uint64, error) {
	if _, err := s.core.Head(ctx); err != nil {
		return 0, err
	}
	if err := s.pull(ctx); err != nil {
		return 0, err
	}
	return s.core.Head(ctx)
}

// Wait implements [store.Feeder].
func (s *Store) Wait(ctx context.Context, after uint64) (uint64, error) {
	s.following()
	return s.core.Wait(ctx, after)
}

// Changes implements [store.Feeder]: from memory where this process remembers,
// else from the engine's log.
func (s *Store) Changes(ctx context.Context, after uint64, yield func(store.Commit) bool) error {
	head, err := s.Head(ctx)
	if err != nil {
		return err
	}
	done := false
	tell := func(c store.Commit) bool {
		if c.Version > head {
			return false // it came after the call
		}
		after = c.Version
		done = !yield(c)
		return !done
	}
	err = s.core.Changes(ctx, after, tell)
	for last := after - 1; errors.Is(err, store.ErrGap) && !done && last != after && after < head; {
		last = after
		if err = s.changesFar(ctx, after, tell); err == nil && !done && after < head {
			err = s.core.Changes(ctx, after, tell)
		}
	}
	return err
}

// commitsAtOnce is how many commits are taken from the engine before they are told.
const commitsAtOnce = 256

// changesFar tells some commits of the engine's log. None is told while a request
// is under way: whoever is told may take long.
func (s *Store) changesFar(ctx context.Context, after uint64, tell func(store.Commit) bool) error {
	var list []store.Commit
	err := s.try(ctx, func(ctx context.Context) error {
		list = list[:0]
		return s.log.Changes(ctx, after, func(c store.Commit) bool {
			list = append(list, c)
			return len(list) < commitsAtOnce
		})
	})
	if err != nil {
		return err
	}
	for _, c := range list {
		if _, err := s.core.Head(ctx); err != nil {
			return err
		}
		if !tell(c) {
			break
		}
	}
	return nil
}

// Written implements [store.Watcher], as far as commits are known here: those
// that a transaction can see.
func (s *Store) Written(ranges []store.Range, version uint64) (bool, error) {
	return s.core.Written(ranges, version)
}

// Watch implements [store.Watcher]. A commit of another process marks the watch
// when this one learns of it.
func (s *Store) Watch(ranges []store.Range, version uint64) (written <-chan struct{}, stop func()) {
	s.following()
	return s.core.Watch(ranges, version)
}

// following has the store learn of commits by others as they are made, from the
// first time on that somebody wants to know.
func (s *Store) following() {
	s.follow.Do(func() {
		if _, err := s.core.Head(s.ctx); err == nil {
			s.background(s.followAll)
		}
	})
}

// followAll pulls whenever something has been committed, until the store is closed.
func (s *Store) followAll() {
	for pause := firstPause; !s.isClosing() && s.ctx.Err() == nil; {
		head, err := s.log.Wait(s.ctx, s.core.Version())
		if err == nil && head > s.core.Version() {
			err = s.pull(s.ctx)
		}
		if err == nil {
			pause = firstPause
			continue
		}
		s.pause(s.ctx, pause, time.Now().Add(time.Hour))
		pause = min(2*pause, lastPause)
	}
}
