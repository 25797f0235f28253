package cache

import (
	"context"
	"errors"

	"github.com/kivisdb/kivis/store"
)

// Offline returns a context that asks for what is here: while the origin cannot be
// reached, read-only transactions that begin with it see what the layers know, as
// of the version that they have followed to, instead of failing. A read of
// anything else is [ErrUnreachable]. [Store.Age] says how old it is.
func Offline(ctx context.Context) context.Context {
	return store.Offline(ctx)
}

// mayBeOffline says whether a transaction may do without the origin, which has
// failed, and sees to it that it can begin.
func (s *Store) mayBeOffline(ctx context.Context, write bool, err error) bool {
	if write || !store.IsOffline(ctx) || !errors.Is(err, store.ErrUnreachable) {
		return false
	}
	if s.current.Load().usable() {
		return true
	}
	select {
	case s.following <- struct{}{}:
		defer func() { <-s.following }()
	case <-ctx.Done():
		return false
	}
	if old := s.current.Load(); !old.usable() {
		v := unpinned(s, old.as.version)
		v.offline = true
		s.publish(v, nothing)
	}
	return true
}

// startOffline begins with what the layers know, or returns err if none knows
// anything. Those that know an older version than others are left out until the
// origin can be reached.
func (s *Store) startOffline(err error) error {
	var best *layer
	for _, l := range s.layers {
		if l.loaded && (best == nil || l.position.Load() > best.position.Load()) {
			best = l
		}
	}
	if best == nil {
		return err
	}
	version := best.position.Load()
	s.life = best.life
	s.hist.checked.Store(best.checked)
	s.hist.init(version)
	for _, l := range s.layers {
		switch {
		case !l.keeps:
			l.life = s.life
			l.position.Store(version)
		case !l.loaded || l.life != s.life || l.position.Load() != version:
			l.behind = true
			l.off.Store(true)
		}
	}
	s.core.Init(&s.engine, version, s.limits(false))
	s.current.Store(unpinned(s, version))
	s.doubt.Store(true)
	s.work()
	return nil
}
