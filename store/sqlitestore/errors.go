package sqlitestore

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"github.com/kivisdb/kivis/store"
)

// ErrForeign: the file holds something other than a store of this package.
var ErrForeign = errors.New("sqlitestore: not a store of this kind")

// errAborted is what members of a group get should a hook panic.
var errAborted = fmt.Errorf("sqlitestore: a hook panicked in the commit of another transaction: %w", store.ErrCommitUnknown)

// errUnknown is a commit's error that says nothing of its outcome.
type errUnknown struct{ err error }

func (e errUnknown) Error() string { return e.err.Error() + ": " + store.ErrCommitUnknown.Error() }

// Unwrap returns both errors.
func (e errUnknown) Unwrap() []error { return []error{e.err, store.ErrCommitUnknown} }

// isDamage says whether an error of SQLite's is of a file that is not as SQLite
// wrote it.
func isDamage(err error) bool {
	for _, code := range []error{
		sqlite3.CORRUPT, sqlite3.NOTADB, sqlite3.IOERR_DATA, sqlite3.IOERR_SHORT_READ, sqlite3.IOERR_CORRUPTFS,
	} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// engineError returns an error of SQLite's as one of the store's, and notes damage.
func (s *Store) engineError(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case isDamage(err):
		return s.damaged(fmt.Errorf("sqlitestore: %s: %s: %w: %w", s.path, what, err, store.ErrCorrupt))
	case errors.Is(err, sqlite3.BUSY):
		return fmt.Errorf("sqlitestore: %s: %s: another program has locked the file: %w", s.path, what, err)
	case errors.Is(err, sqlite3.FULL):
		return fmt.Errorf("sqlitestore: %s: %s: %w: %w", s.path, what, err, syscall.ENOSPC)
	}
	return fmt.Errorf("sqlitestore: %s: %s: %w", s.path, what, err)
}

// caught turns a panic in the engine into an error, and has its connection used no
// more.
func (s *Store) caught(c *conn, err *error) {
	p := recover()
	if p == nil {
		return
	}
	c.broken = true
	text, _, _ := strings.Cut(fmt.Sprint(p), "\n")
	if strings.Contains(text, "out of memory") {
		*err = fmt.Errorf("sqlitestore: %s: the engine is out of memory", s.path)
		return
	}
	*err = s.damaged(fmt.Errorf("sqlitestore: %s: the engine panicked: %s: %w", s.path, text, store.ErrCorrupt))
}

// damaged notes damage, after which the store takes no commits, and returns it.
func (s *Store) damaged(err error) error {
	s.damage.CompareAndSwap(nil, &err)
	return err
}
