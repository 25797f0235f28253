package sqlitestore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"

	"github.com/kivisdb/kivis/store"
)

// create makes the file of an empty store, durably, and leaves it locked.
func (s *Store) create() error {
	if info, err := os.Stat(s.path + logSuffix); err == nil && info.Size() > 0 {
		return fmt.Errorf("sqlitestore: %s is missing, and its log %s is there; remove that to have a store made: %w",
			s.path, filepath.Base(s.path+logSuffix), store.ErrCorrupt)
	}
	f, err := s.claimNew()
	if err != nil {
		return err
	}
	err = s.fill(f.Name())
	if err == nil {
		err = place(f, s.path)
	}
	if err != nil {
		f.Close()
		return err
	}
	s.file = f
	return nil
}

// claimNew returns the file in which the store is made, empty and locked.
func (s *Store) claimNew() (*os.File, error) {
	path := s.path + newSuffix
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fileFault(err)
	}
	if err = lockFile(f, false); err == nil {
		err = s.stillNew(f, path)
	}
	if err == nil {
		err = clearNew(f) // of what a killed process has left
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
		return fileFault(err)
	}
	now, err := os.Stat(path)
	_, made := os.Lstat(s.path)
	if err == nil && os.SameFile(now, ours) && errors.Is(made, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("sqlitestore: %s is being made by somebody else: %w", s.path, store.ErrInUse)
}

// clearNew empties a file and removes those that SQLite has beside it.
func clearNew(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return fileFault(err)
	}
	for _, suffix := range []string{logSuffix, indexSuffix, journalSuffix} {
		if err := os.Remove(f.Name() + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fileFault(err)
		}
	}
	return nil
}

// The tables of a store. That of meta comes first, so that its root is metaPage.
var schema = []string{
	"CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, closed INTEGER NOT NULL) STRICT",
	"CREATE TABLE kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) STRICT, WITHOUT ROWID",
	"CREATE TABLE log (k BLOB PRIMARY KEY, v BLOB NOT NULL) STRICT, WITHOUT ROWID",
}

// fill makes an empty file a store.
func (s *Store) fill(path string) (err error) {
	c, err := s.fs.connect(path, "&mode=rw", fmt.Sprintf("PRAGMA page_size = %d", pageSize), "PRAGMA synchronous = OFF")
	if err != nil {
		return s.engineError("creating", err)
	}
	defer func() { err = errors.Join(err, s.engineError("creating", c.close())) }()
	if _, err := c.db.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, false); err != nil {
		return s.engineError("creating", err)
	}
	if _, err := c.db.FileControl("main", sqlite3.FCNTL_RESERVE_BYTES, reserved); err != nil {
		return s.engineError("creating", err)
	}
	for _, text := range append([]string{
		"PRAGMA journal_mode = WAL",
		"BEGIN",
		fmt.Sprintf("PRAGMA application_id = %d", applicationID),
		fmt.Sprintf("PRAGMA user_version = %d", format),
	}, schema...) {
		if err := c.db.Exec(text); err != nil {
			return s.engineError("creating", err)
		}
	}
	if err := c.db.Exec(fmt.Sprintf("INSERT INTO meta VALUES (1, %d, 1); COMMIT", firstVersion)); err != nil {
		return s.engineError("creating", err)
	}
	return nil
}

// place gives a new file its name, durably.
func place(f *os.File, path string) error {
	if err := f.Sync(); err != nil {
		return fileFault(err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fileFault(err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return fileFault(err)
	}
	return nil
}
