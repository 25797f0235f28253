package pebblestore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// dirLock is the lock on a directory, which also knows whether it is still the one
// that was opened. Pebble writes by path: once another directory has that path, it
// would write, and delete, there. The zero value is of a file system in memory.
type dirLock struct {
	file  *os.File
	path  string
	was   os.FileInfo
	rest  time.Duration // for how long a look is good
	until time.Time     // is the last one
}

// dirRest is how long a look at the path is good for a store without syncs, whose
// commits take a fraction of the time of others.
const dirRest = time.Millisecond

// claimDir makes the directory if need be, and takes the lock on it.
func (s *Store) claimDir() (err error) {
	if s.dir == "" {
		// As from an unset variable. It would be the working directory.
		return errors.New("pebblestore: the directory is \"\"; want a path, such as \".\" for the working directory")
	}
	if s.fs != vfs.Default {
		return nil
	}
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return fmt.Errorf("pebblestore: %w", err)
	}
	if !s.opts.ReadOnly {
		if err := s.makeDir(); err != nil {
			return fmt.Errorf("pebblestore: %w", err)
		}
	}
	s.lock.path = s.dir
	if s.opts.NoSync {
		s.lock.rest = dirRest
	}
	if s.lock.file, err = lockDir(s.dir, s.opts.ReadOnly); err != nil {
		return err
	}
	if s.lock.was, err = s.lock.file.Stat(); err != nil || !s.lock.was.IsDir() {
		s.lock.release()
		return fmt.Errorf("pebblestore: %s is not a directory: %w", s.dir, errors.Join(err, ErrForeign))
	}
	return nil
}

// makeDir makes the directory, durably.
func (s *Store) makeDir() error {
	if _, err := os.Stat(s.dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	parent, err := s.fs.OpenDir(filepath.Dir(s.dir))
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}

func (l *dirLock) release() {
	if l.file != nil {
		l.file.Close()
	}
}

// check returns an error if another directory, or none, has the path. The committer
// calls it.
func (l *dirLock) check() error {
	if l.file == nil {
		return nil
	}
	if l.rest > 0 {
		now := time.Now()
		if now.Before(l.until) {
			return nil
		}
		l.until = now.Add(l.rest)
	}
	return l.gone()
}

func (l *dirLock) gone() error {
	if l.file == nil {
		return nil
	}
	now, err := os.Stat(l.path)
	if err == nil && os.SameFile(now, l.was) {
		return nil
	}
	what := "has been removed or renamed"
	if err == nil {
		what = "has been replaced by another one"
	}
	return fmt.Errorf("pebblestore: the directory %s %s since it was opened; nothing is written any more: %w", l.path, what, fs.ErrNotExist)
}
