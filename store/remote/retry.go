package remote

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kivisdb/kivis/store"
)

// How long is waited between attempts: twice as long each time, and at random up
// to as much again, so that processes do not come back all at once.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = 500 * time.Millisecond
)

// try makes a request that changes nothing, again while the engine cannot be
// reached, as long as there is patience.
func (s *Store) try(ctx context.Context, request func(ctx context.Context) error) error {
	until := s.deadline()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := s.attempt(ctx, request)
		switch {
		case err == nil:
			s.down.Store(false)
			return nil
		case ctx.Err() != nil:
			return s.reason(ctx.Err())
		case !lost(err):
			return err
		case s.pause(ctx, pause, until):
		case ctx.Err() != nil:
			return s.reason(ctx.Err())
		default:
			s.down.Store(true)
			return s.reason(unreachable(err))
		}
	}
}

// deadline returns until when there is patience: until now, where the engine
// could not be reached the last time.
func (s *Store) deadline() time.Time {
	if s.down.Load() {
		return time.Now()
	}
	return time.Now().Add(s.opts.Patience)
}

// reason returns err, or why it must be expected where the store is being closed.
func (s *Store) reason(err error) error {
	if s.isClosing() {
		return store.ErrClosed
	}
	return err
}

// attempt makes one request, which may take Options.Timeout; a Local has its own
// bounds.
func (s *Store) attempt(ctx context.Context, request func(ctx context.Context) error) error {
	if s.local != nil {
		return request(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	return request(ctx)
}

// lost says whether a request that failed may succeed when it is made again.
func lost(err error) bool {
	return errors.Is(err, store.ErrUnreachable) || errors.Is(err, context.DeadlineExceeded)
}

// unreachable returns err as a store.ErrUnreachable.
func unreachable(err error) error {
	if errors.Is(err, store.ErrUnreachable) {
		return err
	}
	return fmt.Errorf("remote: %w: %w", store.ErrUnreachable, err)
}

// pause waits before another attempt, and says whether there is to be one.
func (s *Store) pause(ctx context.Context, d time.Duration, until time.Time) bool {
	d += rand.N(d)
	if time.Now().Add(d).After(until) {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.closing:
	case <-ctx.Done():
	}
	return false
}
