package sqlitestore

import (
	"errors"
	"os"

	"github.com/kivisdb/kivis/store/occ"
)

// Compact writes the file of a store anew, without what is free in it, and returns
// its size before and after. Nobody may have the store open. Should the process end
// meanwhile, the store is as it was. The store keeps its version. It needs space for
// the new file beside the old one.
func Compact(path string) (before, after int64, err error) {
	if _, err := os.Stat(path); err != nil {
		return 0, 0, fileFault(err)
	}
	s, err := Open(path, nil)
	if err != nil {
		return 0, 0, err
	}
	before, f, err := s.rewrite()
	if err != nil {
		return 0, 0, errors.Join(err, s.Close())
	}
	// Its lock goes last: SQLite removes the old file's log by name.
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, 0, errors.Join(fileFault(err), s.Close())
	}
	return before, info.Size(), errors.Join(place(f, s.path), s.Close())
}

// rewrite returns the size of a store's file and, locked, the new one.
func (s *Store) rewrite() (before int64, f *os.File, err error) {
	if err := s.intoFile(); err != nil {
		return 0, nil, err
	}
	if before, err = s.Size(); err != nil {
		return 0, nil, err
	}
	f, err = s.copyNew()
	return before, f, err
}

// intoFile writes the whole log to the file, of a store that nobody else uses, and
// notes that the file is all there is.
func (s *Store) intoFile() error {
	s.queue.Committing.Lock()
	defer s.queue.Committing.Unlock()
	if err := s.write(state{s.core.Version(), true}, new(occ.Overlay), nil); err != nil {
		return err
	}
	s.current.rest()
	return s.engineError("compact", s.writer.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)"))
}

// copyNew has SQLite write what the store holds to a new file.
func (s *Store) copyNew() (*os.File, error) {
	path := s.path + newSuffix
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fileFault(err)
	}
	if err = lockFile(f, false); err == nil {
		err = clearNew(f)
	}
	if err == nil {
		err = s.copyTo(path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (s *Store) copyTo(path string) (err error) {
	defer s.caught(s.writer, &err)
	stmt, err := s.writer.prepare("VACUUM INTO ?1")
	if err == nil {
		err = stmt.BindText(1, path)
	}
	if err == nil {
		err = errors.Join(stmt.Exec(), stmt.Close())
	}
	return s.engineError("compact", err)
}
