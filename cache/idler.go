package cache

import (
	"sync"
	"sync/atomic"
	"time"
)

// idle is how long the origin's transaction of a version is held that nobody uses: so
// long at least, and twice as long at most.
const idle = time.Second

// idler has the newest view let go of the origin when nobody has used it for a while,
// so that the origin need not keep the version for nobody. One timer serves all views,
// since each commit makes one.
type idler struct {
	running atomic.Bool

	mu    sync.Mutex
	timer *time.Timer
	ended bool
	seen  *view // the newest one when the timer ran last
}

// begin has a look be taken from now on, unless that is so.
func (i *idler) begin(s *Store) {
	if i.running.Load() {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.ended || i.running.Swap(true):
	case i.timer == nil:
		i.timer = time.AfterFunc(idle, s.look)
	default:
		i.timer.Reset(idle)
	}
}

// end ends it for ever.
func (i *idler) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended = true
	if i.timer != nil {
		i.timer.Stop()
	}
}

// look has the newest view let go of the origin, if it was the newest at the last look
// and nobody uses it.
func (s *Store) look() {
	i := &s.idler
	i.mu.Lock()
	defer i.mu.Unlock()
	v := s.current.Load()
	if v != i.seen || !s.unpin(v) {
		i.seen = v
		if !i.ended {
			i.timer.Reset(idle)
		}
		return
	}
	i.seen = nil
	i.running.Store(false)
	if s.current.Load().pinned() && !i.ended && !i.running.Swap(true) {
		i.timer.Reset(idle) // it was published just before, and has found the timer running
	}
}

// unpin has v let go of the origin, if it is the newest view and nobody uses it. It
// says whether the newest view has none of the origin's transactions.
func (s *Store) unpin(v *view) bool {
	select {
	case s.following <- struct{}{}:
		defer func() { <-s.following }()
	default:
		return false
	}
	if !v.pinned() || s.current.Load() != v {
		return !s.current.Load().pinned()
	}
	dropped := false
	s.core.Follow(v.as.version, time.Now(), nothing, func([]uint64) {
		if v.refs.Load() == 1 {
			s.current.Store(unpinned(s, v.as.version))
			dropped = true
		}
	})
	if dropped {
		v.release()
	}
	return dropped
}
