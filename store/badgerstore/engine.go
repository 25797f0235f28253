package badgerstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore/internal/badgerfile"
)

// openEngine locks the directory, looks at it, and has Badger open it.
func (s *Store) openEngine() (err error) {
	if s.dir == "" {
		// As from an unset variable. It would be the working directory.
		return errors.New("badgerstore: the directory is \"\"; want a path, such as \".\" for the working directory")
	}
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return fmt.Errorf("badgerstore: %w", err)
	}
	if err := s.makeDir(); err != nil {
		return err
	}
	unlock, err := lockDir(s.dir, s.opts.ReadOnly)
	if err != nil {
		return err
	}
	s.unlock = unlock
	defer func() {
		if err != nil {
			s.unlock()
		}
	}()
	if err := s.watchDir(); err != nil {
		return err
	}
	in, err := inspect(s.dir, s.opts.ReadOnly)
	if err != nil {
		return err
	}
	if err := s.acceptLoss(in); err != nil {
		return err
	}
	dir := s.dir
	if s.opts.ReadOnly {
		dir, err = s.readCopy(in)
	} else {
		err = s.prepare(in)
	}
	if err != nil {
		return err
	}
	s.leaveLock(dir)
	s.handles.dir, s.gate.off = s.dir, make(chan struct{})
	s.gate.dir, s.gate.free, s.gate.first = s.dirCheck, freeSpace, in.size()
	s.gate.label, s.gate.replayed = newLabel(), in.oldestLog()
	s.flusher.behind.Store(s.gate.replayed != nil)
	if !s.tested {
		s.gate.look = s.gate.slowly()
	}
	if s.db, err = openBadger(s.gate.label, s.opts.badger(dir, s.tested).WithLogger(logger{s.opts.Logger, &s.flusher, &s.gate, &s.handles})); err != nil {
		return wrapEngine("opening "+s.dir, err)
	}
	s.gate.db.Store(s.db)
	s.checkLater(in.tables)
	return nil
}

// checkEngine notes whether Badger is one that the package was tested with.
func (s *Store) checkEngine(read func() (*debug.BuildInfo, bool)) {
	version, tested := testedEngine(read)
	s.tested = tested
	if !tested && s.opts.Logger != nil {
		s.opts.Logger.Warn("badgerstore: not tested with this release of Badger, which is left to lock, sync and check by itself",
			"version", version, "from", testedFrom, "to", testedTo)
	}
}

// watchDir remembers which directory it is.
func (s *Store) watchDir() (err error) {
	if s.dirCheck, err = newDirCheck(s.dir, !s.opts.NoSync); err != nil {
		return err
	}
	s.flusher.dir, s.flusher.stopped = s.dirCheck, make(chan struct{})
	return nil
}

// leaveLock leaves the lock on dir to a release of Badger that is to lock by
// itself, which it does in the same way.
func (s *Store) leaveLock(dir string) {
	if !ownLock || s.tested || dir != s.dir {
		return
	}
	s.unlock()
	s.unlock = func() {}
}

// acceptLoss returns an error if files have lost what they had, unless a power
// failure may have met a store that does without syncs: that goes back to the
// version before. Nothing is deleted either way.
func (s *Store) acceptLoss(in *inspection) error {
	switch {
	case in.gap == 0 && in.lost == nil:
		return nil
	case s.opts.NoSync:
		if s.opts.Logger != nil {
			s.opts.Logger.Warn("badgerstore: commits are lost", "dir", s.dir, "version", in.gap, "tables", len(in.lost))
		}
		return nil
	}
	var err error
	if !s.opts.ReadOnly {
		err = in.setAside(lostSuffix)
	}
	if in.lost != nil {
		return errors.Join(in.lostError(), err)
	}
	return fmt.Errorf("badgerstore: the files in %s are damaged: version %d is in neither tables nor logs, though later ones are; "+
		"opened once with Options.NoSync, the store goes back to the one before: %w", s.dir, in.gap, store.ErrCorrupt)
}

// prepare makes a directory one that Badger can open for writing.
func (s *Store) prepare(in *inspection) error {
	if err := s.signLock(); err != nil {
		return err
	}
	if !s.opts.NoVerify {
		if err := in.checkCompaction(s.opts.baseLevel()); err != nil {
			return err
		}
	}
	if !s.flushable() {
		return fmt.Errorf("badgerstore: %s has no space left to turn its logs into tables: %w", s.dir, syscall.ENOSPC)
	}
	if err := in.setAside(droppedSuffix); err != nil {
		return err
	}
	if in.gap > 0 {
		if err := errors.Join(badgerfile.CutLogs(s.dir, in.logs), syncDir(s.dir)); err != nil {
			return fmt.Errorf("badgerstore: %w", err)
		}
	}
	return in.sweep()
}

// makeDir makes the directory of a new store, durably.
func (s *Store) makeDir() error {
	if _, err := os.Stat(s.dir); s.opts.ReadOnly || !errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("badgerstore: %w", err)
	}
	if err := syncDir(filepath.Dir(s.dir)); err != nil {
		return fmt.Errorf("badgerstore: %w", err)
	}
	return nil
}

func (s *Store) signLock() error {
	if !ownLock || !s.tested {
		return nil
	}
	path, unlock := filepath.Join(s.dir, lockName), s.unlock
	if err := os.WriteFile(path, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o600); err != nil {
		return fmt.Errorf("badgerstore: %w", err)
	}
	s.unlock = func() {
		os.Remove(path)
		unlock()
	}
	return nil
}

// openBadger opens Badger with a label on all of its goroutines.
func openBadger(label string, opts badger.Options) (db *badger.DB, err error) {
	var opened sync.WaitGroup
	opened.Go(func() {
		defer caught(&err)
		labelGoroutine(label)
		db, err = badger.OpenManaged(opts)
	})
	opened.Wait()
	return db, err
}

// flushable says whether there is space for what the logs hold.
func (s *Store) flushable() bool {
	free, ok := freeSpace(s.dir)
	return !ok || s.opts.ReadOnly || free >= unflushed(s.dir)
}
