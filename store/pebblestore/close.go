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
	failedLimit = 2 * time.Second
)

// Close implements [store.Store]. It gives up, with an error, where the engine
// cannot finish. What was committed is in the log then, and the next Open finds it
// there; the directory may stay locked until the process ends.
func (s *Store) Close() error {
	if !s.closing.CompareAndSwap(false, true) {
		return nil
	}
	s.core.Fail(store.ErrClosed) // no read is in progress from here on
	s.shut()                     // ends Verify
	return s.within(func() error {
		s.core.Close()
		err := s.seal()
		s.current.release()
		return errors.Join(err, s.closeEngine())
	})
}

// within waits for f, but not for ever.
func (s *Store) within(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	for limit := time.Now().Add(closeLimit); ; {
		select {
		case err := <-done:
			return err
		case <-time.After(failedLimit):
		}
		if s.logger.gaveUp.Load() || time.Now().After(limit) {
			return fmt.Errorf("pebblestore: closing %s: the engine has not ended; the latest commits stay in the log, and the next Open finds them there", s.dir)
		}
	}
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
	return s.failed == nil && s.damage.Load() == nil && !s.logger.gaveUp.Load()
}

// closeEngine closes Pebble, notes that, and gives the directory free.
func (s *Store) closeEngine() error {
	defer s.lock.release()
	if err := s.closePebble(); err != nil {
		return err
	}
	if s.opts.ReadOnly || !s.sound() {
		return nil
	}
	if err := s.lock.gone(); err != nil {
		return err
	}
	return s.guard.change(func(st *guardState) { st.closed = true })
}

func (s *Store) closePebble() (err error) {
	defer s.caught(&err)
	return s.engineError("closing", s.db.Close())
}
