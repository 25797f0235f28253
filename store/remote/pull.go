package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

// puller has those who want to know what has been committed share requests. Who
// comes while one is under way waits for the next: the answer to this one may
// have been on its way already when a commit returned that they must see.
type puller struct {
	mu   sync.Mutex
	next *pulled // not sent yet; nil if nobody waits for it
	busy bool    // requests are being made
}

// pulled is a request that some share.
type pulled struct {
	done chan struct{}
	err  error // good once done is closed
}

// pull learns what has been committed up to now, and publishes it.
func (s *Store) pull(ctx context.Context) error {
	p := s.puller.join(func() bool { return s.background(s.pullAll) })
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join returns the request that is sent next, and has it sent by run, which says
// whether it does.
func (q *puller) join(run func() bool) *pulled {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.next == nil {
		q.next = &pulled{done: make(chan struct{})}
	}
	p := q.next
	if !q.busy {
		if q.busy = run(); !q.busy {
			q.next, p.err = nil, store.ErrClosed
			close(p.done)
		}
	}
	return p
}

// take returns the request to be sent now, which nobody joins any more, or nil.
func (q *puller) take() *pulled {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := q.next
	q.next, q.busy = nil, p != nil
	return p
}

// pullAll makes requests for as long as somebody waits for one. They end with
// the store at the latest.
func (s *Store) pullAll() {
	for p := s.puller.take(); p != nil; p = s.puller.take() {
		p.err = s.pullOnce()
		close(p.done)
	}
}

// pullOnce asks what has been committed since the newest version known.
func (s *Store) pullOnce() error {
	at := max(1, int64(time.Since(s.start)))
	err := s.try(s.ctx, func(ctx context.Context) error {
		return s.log.Changes(ctx, s.core.Version(), func(c store.Commit) bool {
			s.publish(c.Version, c.Time, occ.OverlayOf(c.Writes))
			return true
		})
	})
	if errors.Is(err, store.ErrGap) {
		err = s.skip()
	}
	if err == nil {
		s.fresh.Store(at)
	}
	return err
}

// skip goes to the newest version where it is not known what was committed up to it.
func (s *Store) skip() error {
	var head uint64
	err := s.try(s.ctx, func(ctx context.Context) (err error) {
		head, err = s.log.Head(ctx)
		return err
	})
	if err != nil {
		return err
	}
	s.publishing.Lock()
	defer s.publishing.Unlock()
	version := s.core.Version()
	if head < version {
		return fmt.Errorf("%w: from %d to %d; open it anew: %w", errMoved, version, head, store.ErrIncarnation)
	}
	if head > version {
		s.jump(head)
	}
	return nil
}

// publish makes a version the newest, unless it is known already: all before it are.
func (s *Store) publish(version uint64, at time.Time, writes *occ.Overlay) {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	if version > s.core.Version() {
		s.core.Follow(version, at, writes, nil)
		s.published(version)
	}
}

// jump makes a version the newest, up to which it is not known what was written.
func (s *Store) jump(version uint64) {
	s.core.Follow(version, time.Time{}, nil, nil)
	s.published(version)
}

// published tells a Local how far it may go.
func (s *Store) published(version uint64) {
	if s.local != nil {
		s.local.Published(version)
	}
}
