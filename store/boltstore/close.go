package boltstore

import (
	"errors"
	"fmt"
	"time"

	"github.com/kivisdb/kivis/store/occ"
)

// closeLimit is how long the engine may take to close. It waits for its locks,
// which it keeps where it has panicked.
const closeLimit = 10 * time.Second

// Close implements [store.Store]. It notes in the file, in both meta pages, that
// the store was closed. Where the engine cannot finish, Close gives up with an
// error, which loses nothing that was committed.
func (s *Store) Close() error {
	if !s.core.Close() {
		return nil
	}
	s.shut() // ends Verify
	err := s.markClosed()
	s.current.release()
	return errors.Join(err, s.closeEngine())
}

// markClosed writes the newest state into both meta pages, if there was a commit.
func (s *Store) markClosed() error {
	s.queue.Committing.Lock()
	defer s.queue.Committing.Unlock()
	if !s.marked || s.failed != nil || s.damage.Load() != nil {
		return nil
	}
	if err := s.gone(); err != nil {
		return err
	}
	for range 2 {
		err := s.write(state{s.core.Version(), true}, new(occ.Overlay), nil)
		if err != nil && s.failed == nil {
			return nil // there is no room, so the file is left as by a kill
		}
		if err != nil {
			return err
		}
	}
	if s.opts.NoSync {
		if err := s.db.Sync(); err != nil {
			return fmt.Errorf("boltstore: closing %s: %w", s.path, err)
		}
	}
	return nil
}

// closeEngine closes bbolt and gives the file free, if it can.
func (s *Store) closeEngine() error {
	done := make(chan error, 1)
	go func() { done <- s.db.Close() }()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("boltstore: closing %s: %w", s.path, err)
		}
		return nil
	case <-time.After(closeLimit):
		return fmt.Errorf("boltstore: closing %s: the engine has not ended after %v; the file stays locked until the process ends", s.path, closeLimit)
	}
}
