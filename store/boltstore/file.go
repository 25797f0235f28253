package boltstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"github.com/kivisdb/kivis/store"
)

// newSuffix names the file in which a store is made, until it has the state of an
// empty one and takes its place: there is never half a store.
const newSuffix = ".new"

// openEngine has bbolt open the file, which is made if need be, and returns the
// version in it.
func (s *Store) openEngine() (version uint64, err error) {
	if s.path == "" {
		return 0, errors.New("boltstore: the path is \"\"; want that of a file")
	}
	if s.path, err = filepath.Abs(s.path); err != nil {
		return 0, fmt.Errorf("boltstore: %w", err)
	}
	_, err = os.Lstat(s.path)
	switch {
	case err == nil:
		return s.openFile()
	case !errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("boltstore: %w", err)
	case s.opts.ReadOnly:
		return 0, fmt.Errorf("boltstore: there is no store to be read: %w", err)
	}
	return firstVersion, s.create()
}

// openFile opens a file that is there.
func (s *Store) openFile() (uint64, error) {
	flag := os.O_RDWR
	if s.opts.ReadOnly {
		flag = os.O_RDONLY
	}
	f, err := os.OpenFile(s.path, flag, 0)
	if err != nil {
		return 0, fmt.Errorf("boltstore: %w", err)
	}
	version, err := s.look(f)
	if err != nil {
		f.Close()
		return 0, err
	}
	return version, s.boltOpen(f)
}

// look locks a file, checks it, and returns the version in it.
func (s *Store) look(f *os.File) (uint64, error) {
	if err := lockFile(f, s.opts.ReadOnly); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		return 0, fmt.Errorf("boltstore: %w", err)
	case info.IsDir():
		return 0, fmt.Errorf("boltstore: %s is a directory; want a file: %w", s.path, ErrForeign)
	case info.Size() == 0:
		return 0, fmt.Errorf("boltstore: %s is empty, which no store is; remove it to have one made: %w", s.path, store.ErrCorrupt)
	}
	return s.inspect(f, info.Size())
}

// boltOpen has bbolt open a file, which it closes in the end, or now if it fails.
func (s *Store) boltOpen(f *os.File) (err error) {
	mapped, err := s.mapSize(f)
	if err != nil {
		f.Close()
		return err
	}
	defer s.caught(&err, watched())
	opts := s.opts.bolt(mapped)
	opts.OpenFile = func(string, int, os.FileMode) (*os.File, error) { return f, nil }
	if s.was, err = f.Stat(); err != nil {
		f.Close()
		return fmt.Errorf("boltstore: %w", err)
	}
	if s.db, err = bolt.Open(f.Name(), 0o600, opts); err != nil {
		return fmt.Errorf("boltstore: opening %s: %w", s.path, err)
	}
	s.file = f
	return nil
}

// mapSize returns how much of the address space a file is to get.
func (s *Store) mapSize(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("boltstore: %w", err)
	}
	size := info.Size()
	if s.opts.ReadOnly {
		return size, nil
	}
	if want := s.opts.MaxSize; want != 0 {
		if want = mapStep(max(want, size)); !mappable(f, want) {
			return 0, fmt.Errorf("boltstore: the system does not map %d bytes for %s, see Options.MaxSize", want, s.path)
		}
		return want, nil
	}
	for want := max(defaultMaxSize, 4*size); want >= max(2*size, minMaxSize); want /= 2 {
		if want = mapStep(want); mappable(f, want) {
			return want, nil
		}
	}
	return 0, fmt.Errorf("boltstore: the system does not map twice the size of %s, %d bytes", s.path, size)
}

// mapStep rounds a size to one that bbolt maps as it is: a power of two, or whole
// gigabytes.
func mapStep(size int64) int64 {
	const step = 1 << 30
	for n := int64(minMaxSize); n <= step; n *= 2 {
		if size <= n {
			return n
		}
	}
	return (size + step - 1) / step * step
}

const firstVersion = 1

// create makes the file of an empty store, durably, and leaves it open.
func (s *Store) create() error {
	f, err := s.claimNew()
	if err != nil {
		return err
	}
	if err := s.boltOpen(f); err != nil {
		return err
	}
	if err := s.place(); err != nil {
		s.closeEngine()
		return err
	}
	return nil
}

// claimNew returns the file in which the store is made, empty and locked.
func (s *Store) claimNew() (*os.File, error) {
	path := s.path + newSuffix
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("boltstore: %w", err)
	}
	if err = lockFile(f, false); err == nil {
		err = s.stillNew(f, path)
	}
	if err == nil {
		err = f.Truncate(0) // what a killed process has left
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// stillNew checks that nobody has made the store before f was locked.
func (s *Store) stillNew(f *os.File, path string) error {
	ours, err := f.Stat()
	if err != nil {
		return fmt.Errorf("boltstore: %w", err)
	}
	now, err := os.Stat(path)
	_, made := os.Lstat(s.path)
	if err == nil && os.SameFile(now, ours) && errors.Is(made, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("boltstore: %s is being made by somebody else: %w", s.path, store.ErrInUse)
}

// place writes the state of an empty store, in both meta pages, and gives the file
// its name.
func (s *Store) place() error {
	for range 2 {
		if err := putState(s.db, state{firstVersion, true}); err != nil {
			return err
		}
	}
	if err := os.Rename(s.path+newSuffix, s.path); err != nil {
		return fmt.Errorf("boltstore: %w", err)
	}
	if err := syncDir(filepath.Dir(s.path)); err != nil {
		return fmt.Errorf("boltstore: %w", err)
	}
	return nil
}
