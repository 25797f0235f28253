package sqlitestore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/sqlitestore/internal/walfile"
)

// The files that SQLite has beside that of a store while it is open, and the one in
// which a store is made, until it is that of an empty one and takes its place: there
// is never half a store.
const (
	logSuffix     = "-wal"
	indexSuffix   = "-shm"
	journalSuffix = "-journal"
	newSuffix     = ".new"
)

const firstVersion = 1

// fileFault returns an error of the system's as the store's.
func fileFault(err error) error { return fmt.Errorf("sqlitestore: %w", err) }

// openEngine opens the file, which is made if need be, and returns the version in
// it.
func (s *Store) openEngine() (version uint64, err error) {
	if s.path == "" {
		return 0, errors.New("sqlitestore: the path is \"\"; want that of a file")
	}
	if s.path, err = filepath.Abs(s.path); err != nil {
		return 0, fileFault(err)
	}
	real, err := filepath.EvalSymlinks(s.path)
	switch {
	case err == nil:
		s.path = real
		return s.openFile()
	case !errors.Is(err, fs.ErrNotExist):
		return 0, fileFault(err)
	case s.opts.ReadOnly:
		return 0, fmt.Errorf("sqlitestore: there is no store to be read: %w", err)
	}
	if err := s.create(); err != nil {
		return 0, err
	}
	return s.openFile()
}

// openFile opens a file that is there, and that is locked already where it has just
// been made.
func (s *Store) openFile() (uint64, error) {
	if s.file == nil {
		if err := s.lock(); err != nil {
			return 0, err
		}
	}
	info, err := s.file.Stat()
	switch {
	case err != nil:
		return 0, fileFault(err)
	case info.IsDir():
		return 0, fmt.Errorf("sqlitestore: %s is a directory; want a file: %w", s.path, ErrForeign)
	case info.Size() == 0:
		return 0, fmt.Errorf("sqlitestore: %s is empty, which no store is; remove it to have one made: %w", s.path, store.ErrCorrupt)
	}
	s.was = info
	logged, err := s.readLog()
	if err != nil {
		return 0, err
	}
	if err := s.checkHeader(s.file, info.Size(), s.fs.content.Pages != 0); err != nil {
		return 0, err
	}
	return s.connectWriter(logged)
}

// lock opens and locks the file.
func (s *Store) lock() error {
	flag := os.O_RDWR
	if info, err := os.Stat(s.path); s.opts.ReadOnly || err == nil && info.IsDir() {
		flag = os.O_RDONLY
	}
	f, err := os.OpenFile(s.path, flag, 0)
	if err != nil {
		return fileFault(err)
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		if err := lockFile(f, s.opts.ReadOnly); err != nil {
			f.Close()
			return err
		}
	}
	s.file = f
	return nil
}

// readLog reads what a process has left in the log, and says whether there is one.
func (s *Store) readLog() (logged bool, err error) {
	f, err := os.Open(s.path + logSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fileFault(err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return false, fileFault(err)
	}
	content, err := walfile.Read(f, info.Size(), pageSize, metaPage)
	switch {
	case errors.Is(err, walfile.ErrNone):
		f.Close()
		return false, nil
	case errors.Is(err, walfile.ErrDamaged):
		err = s.acceptLoss(fmt.Sprintf("the log %s is damaged: %v", f.Name(), err))
	case err != nil:
		err = fileFault(err)
	}
	if content.Lost {
		s.opts.warn("the log ends in a transaction that did not end, or cannot be read", "file", s.path)
	}
	s.fs.log, s.fs.content = f, content // closed with the engine
	return true, err
}

// acceptLoss returns an error where commits may be lost, unless they may.
func (s *Store) acceptLoss(what string) error {
	if !s.opts.NoSync {
		return fmt.Errorf("sqlitestore: %s: %s, and commits may be lost; opened once with Options.NoSync, "+
			"the store goes back to what there is: %w", s.path, what, store.ErrCorrupt)
	}
	s.opts.warn(what+"; commits may be lost", "file", s.path)
	return nil
}

// connectWriter opens the connection that commits, or the first one of a store that
// is only read, and returns the version.
func (s *Store) connectWriter(logged bool) (version uint64, err error) {
	whole := logged || s.needsNoLog()
	c, err := s.connectFirst()
	if err != nil {
		return 0, s.engineError("opening", err)
	}
	s.writer = c
	defer s.caught(c, &err)
	st, err := c.state()
	if err != nil {
		return 0, s.engineError("opening", err)
	}
	if !s.opts.ReadOnly {
		if s.index, err = os.Stat(s.path + indexSuffix); err != nil {
			return 0, fileFault(err)
		}
	}
	s.unclosed = !st.closed
	if !whole && !st.closed {
		if err := s.acceptLoss(fmt.Sprintf("it was not closed, and its log %s is missing", filepath.Base(s.path+logSuffix))); err != nil {
			return 0, err
		}
	}
	return st.version, nil
}

// needsNoLog says whether the file, which may say that it is open, is whole without
// its log, by the work of another program: a copy that SQLite has made is in the mode
// that has no log; and where SQLite itself has brought what a killed process left in
// the log into the file, and removed the log, the page that each commit writes has no
// checksum.
func (s *Store) needsNoLog() bool {
	var mode [2]byte
	var sum [reserved]byte
	_, err := s.file.ReadAt(mode[:], 18)
	_, err2 := s.file.ReadAt(sum[:], metaPage*pageSize-reserved)
	return err == nil && err2 == nil && (mode == [2]byte{1, 1} || sum == [reserved]byte{})
}

// connectFirst opens the first connection.
func (s *Store) connectFirst() (*conn, error) {
	if s.opts.ReadOnly {
		return s.connectReader()
	}
	s.fs.log.Close()
	s.fs.log, s.fs.content = nil, walfile.Log{} // SQLite reads it by itself
	s.fs.frames.limit = int(s.opts.Memory / 4 / pageSize)
	level := "FULL"
	if s.opts.NoSync {
		level = "NORMAL"
	}
	c, err := s.fs.connect(s.path, "&mode=rw", append(pragmas(s.opts.Memory/4),
		"PRAGMA journal_mode = WAL",
		"PRAGMA synchronous = "+level,
		"PRAGMA fullfsync = 1",
		"PRAGMA checkpoint_fullfsync = 1",
		fmt.Sprintf("PRAGMA journal_size_limit = %d", 4*logStep*frameSize))...)
	if err != nil {
		return nil, err
	}
	c.db.WALHook(s.log.wrote)
	s.log.due = logStep
	return c, nil
}

// connectReader opens a connection that reads.
func (s *Store) connectReader() (*conn, error) {
	query := "&mode=rw"
	if s.opts.ReadOnly {
		query = "&mode=ro&immutable=1"
	} else if now, err := os.Stat(s.path + indexSuffix); err != nil || !os.SameFile(now, s.index) {
		// The new connection would know nothing of the locks of the others.
		return nil, fmt.Errorf("sqlitestore: %s%s has been removed or replaced since the store was opened: %w", s.path, indexSuffix, fs.ErrNotExist)
	}
	return s.fs.connect(s.path, query, append(pragmas(s.opts.Memory/2/int64(maxConns)), "PRAGMA query_only = 1")...)
}

// pragmas set up a connection with a cache of so many bytes.
func pragmas(cache int64) []string {
	return []string{
		fmt.Sprintf("PRAGMA cache_size = -%d", cache>>10),
		"PRAGMA cell_size_check = 1",
		"PRAGMA trusted_schema = 0",
		"PRAGMA temp_store = MEMORY",
	}
}
