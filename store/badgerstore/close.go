package badgerstore

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore/internal/badgerfile"
)

// Badger turns its last memtable into a table when it is closed, tries again
// every second for ever where it cannot, and its Close waits for that. What is
// in a memtable is in its log too, so a store that gives up loses nothing: the
// next Open finds it as after a kill.

// closeLimit is how long Badger may take to close, with compactions to end.
const closeLimit = 2 * time.Minute

// Close implements [store.Store]. It gives up, with an error, where the engine
// cannot finish: because the directory has gone, the disk is full or broken.
// What was committed is in the log then, and the next Open finds it there; the
// directory may stay locked until the process ends.
func (s *Store) Close() error {
	if !s.closing.CompareAndSwap(false, true) {
		return nil
	}
	s.core.Fail(store.ErrClosed) // no read is in progress from here on
	s.flusher.closing.Store(true)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.core.Close()
		close(s.stop)
		s.stopped.Wait()
	}()
	if s.waitEnded(ended) {
		return s.closeEngine()
	}
	if s.gate.flattening.Load() != nil {
		return s.leaveFlatten(ended)
	}
	// A commit may wait for a memtable to be flushed. Closing Badger ends it.
	err := s.closeEngine()
	select {
	case <-ended:
	case <-time.After(time.Second):
	}
	return err
}

// waitEnded waits until nothing uses Badger any more, and returns false if that
// may never be.
func (s *Store) waitEnded(ended <-chan struct{}) bool {
	limit := time.NewTimer(closeLimit)
	defer limit.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 0; ; {
		select {
		case <-ended:
			return true
		case <-s.flusher.stopped:
			return false
		case <-limit.C:
			return false
		case <-tick.C:
		}
		if s.gate.stopped() == nil {
			n = 0
		} else if n++; n == flushTries {
			return false
		}
	}
}

// closeEngine closes Badger and gives the directory free, if it can.
func (s *Store) closeEngine() error {
	s.handles.free()
	if err := s.stuck(); err != nil {
		return err
	}
	s.flusher.closing.Store(true)
	done := make(chan error, 1)
	go func() {
		labelGoroutine(s.gate.label)
		done <- closeBadger(s.db)
	}()
	return s.waitClosed(done)
}

// waitClosed waits until Badger is closed, but not for ever.
func (s *Store) waitClosed(done <-chan error) error {
	limit := time.NewTimer(closeLimit)
	defer limit.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 0; ; {
		select {
		case err := <-done:
			return s.closed(err)
		case <-limit.C:
			go s.unlockAfter(done)
			return s.unfinished(fmt.Errorf("the engine has not ended after %v", closeLimit))
		case <-tick.C:
		}
		err := s.stuck()
		if why := s.gate.stopped(); err == nil && why != nil {
			err = s.unfinished(why)
		}
		if why := s.flusher.err(); err == nil && why != nil {
			// Badger waits for ever if another memtable is waiting behind the one
			// that cannot be flushed.
			err = s.unfinished(why)
		}
		if err == nil {
			n = 0
			continue
		}
		if n++; n < flushTries || s.finishing() {
			continue
		}
		if !s.abandoned() {
			go s.unlockAfter(done)
		}
		return err
	}
}

// finishing says whether Badger, which is being closed, still has memtables to flush,
// or a compaction to end, beside one that stays where it is for good.
func (s *Store) finishing() bool {
	if s.gate.broken.Load() == nil || s.dirCheck.gone() != nil {
		return false
	}
	ended, never := s.ended()
	return !ended && !never
}

// ended says whether Badger, which is being closed, does nothing any more, beside a
// compaction that stays where it is for good, or whether it never ends: its Close
// waits for a flush that waits for that compaction, and other compactors go on.
func (s *Store) ended() (ended, never bool) {
	logs, err := badgerfile.ListLogs(s.dir)
	flushed := err == nil && len(logs) == 0 || s.flusher.err() != nil
	flush, _, closing := waits(s.gate.label)
	never = closing && (flush || s.flusher.err() != nil)
	return (flushed || never) && s.gate.held(), never
}

// abandoned gives the directory free where all that is left of Badger, which is
// being closed, is a compaction that stays where it is for good.
func (s *Store) abandoned() bool {
	if s.gate.broken.Load() == nil {
		return false
	}
	if ended, _ := s.ended(); !ended {
		return false
	}
	s.log.close()
	s.unlock()
	return true
}

// leaveFlatten is Close while Flatten is at a compaction that does not end. Badger
// is not closed: its Close does not wait for that, and takes the tables away.
func (s *Store) leaveFlatten(ended <-chan struct{}) error {
	s.handles.free()
	broken := s.gate.broken.Load()
	if broken == nil {
		go func() {
			<-ended
			s.closeEngine()
		}()
		return s.unfinished(errors.New("a compaction has not ended"))
	}
	for end := time.Now().Add(closeLimit); time.Now().Before(end); time.Sleep(gatePoll) {
		if s.atRest() {
			s.log.close()
			s.unlock()
			break
		}
	}
	return s.unfinished(*broken)
}

// atRest says whether Badger does nothing any more, though it has not been closed:
// all compactions stay where they are for good, no commit is in it and there is no
// memtable to flush, or both wait for a compaction.
func (s *Store) atRest() bool {
	if !s.gate.held() {
		return false
	}
	nobody := s.writer.inside.Load() == 0
	logs, err := badgerfile.ListLogs(s.dir)
	if nobody && err == nil && len(logs) <= 1 {
		return true
	}
	flush, commit, _ := waits(s.gate.label)
	return flush && (nobody || commit)
}

// unlockAfter gives the directory free when Badger ends after all, as it may
// once there is room.
func (s *Store) unlockAfter(done <-chan error) {
	<-done
	s.log.close()
	s.unlock()
}

// closed gives the directory free after Badger has ended.
func (s *Store) closed(err error) error {
	s.log.close()
	s.unlock()
	if why := s.flusher.err(); why != nil {
		return s.unfinished(why)
	}
	if gone := s.dirCheck.gone(); gone != nil && !s.opts.ReadOnly {
		return s.unfinished(gone)
	}
	return err
}

// stuck returns why Badger must not be closed: it would get a SIGBUS, or write
// into somebody else's directory.
func (s *Store) stuck() error {
	switch {
	case s.opts.ReadOnly:
		return nil
	case s.dirCheck.replaced():
		return s.unfinished(s.dirCheck.gone())
	case !s.flushable():
		return s.unfinished(syscall.ENOSPC)
	}
	return nil
}

// unfinished is the error of a Close that leaves things as a kill would.
func (s *Store) unfinished(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return err // there is no next Open
	}
	return fmt.Errorf("badgerstore: closing %s: the latest commits stay in the log, and the next Open finds them there: %w", s.dir, err)
}

func closeBadger(db *badger.DB) (err error) {
	defer caught(&err)
	return wrapEngine("close", db.Close())
}
