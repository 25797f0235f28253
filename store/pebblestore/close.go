package pebblestore

import (
	"errors"
	"fmt"
	"time"

	"github.com/kivisdb/kivis/store"
)

const (
	// closeLimit is how long the engine may take to end, with flushes and
	// compactions in progress.
	closeLimit = 2 * time.Minute

	// failedLimit is how long it may take once it has given up: it may never end.
	failedLimit = 300 * time.Millisecond
)

// Close implements [store.Store]. It gives up, with an error, where the engine
// cannot finish. What was committed is in the log then, and the next Open finds it
// there.
func (s *Store) Close() error {
	if !s.closing.CompareAndSwap(false, true) {
		return nil
	}
	s.core.Fail(store.ErrClosed) // no read is in progress from here on
	s.shut()                     // ends Verify and Compact
	err := s.within(func() error {
		s.working.Lock()
		defer s.working.Unlock()
		s.core.Close()
		err := s.seal()
		s.current.release()
		return errors.Join(err, s.closeEngine())
	})
	s.lock.release()
	return err
}

// within waits for f, but not for ever. If it gives up the engine has ended: it
// writes nothing any more.
func (s *Store) within(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	limit := time.NewTimer(closeLimit)
	defer limit.Stop()
	select {
	case err := <-done:
		return err
	case <-s.collapse.ended:
	case <-limit.C:
		s.collapse.note("it has not ended after %v", closeLimit)
	}
	select {
	case err := <-done:
		return err
	case <-time.After(failedLimit):
	}
	return fmt.Errorf("pebblestore: closing %s: the latest commits stay in the log, and the next Open finds them there: %w", s.dir, s.collapse.err())
}

// seal turns what is in the log into a table, so that the logs are not needed any
// more, where anything was written.
func (s *Store) seal() (err error) {
	defer s.caught(&err)
	if s.opts.ReadOnly || !s.sound() || !s.wrote {
		return nil
	}
	if err := s.lock.gone(); err != nil {
		return err
	}
	return s.engineError("closing", s.db.Flush())
}

// sound says whether the engine is as it should be.
func (s *Store) sound() bool {
	return s.failed == nil && s.damage.Load() == nil && s.collapse.err() == nil
}

// closeEngine closes Pebble, and notes that.
func (s *Store) closeEngine() error {
	if err := s.closePebble(); err != nil {
		return err
	}
	if s.opts.ReadOnly || !s.sound() {
		return s.collapse.err()
	}
	if err := s.lock.gone(); err != nil {
		return err
	}
	return s.guard.change(func(st *guardState) { st.closed = true })
}

func (s *Store) closePebble() (err error) {
	defer s.caught(&err)
	s.applier.end()
	return s.engineError("closing", s.db.Close())
}
