package sqlitestore

import (
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/kivisdb/kivis/store/occ"
)

// Close implements [store.Store]. It writes the log to the file and removes it,
// unless another program reads the file; a commit of a store with NoSync is then
// durable, too.
func (s *Store) Close() error {
	if !s.core.Close() {
		return nil
	}
	s.shut() // ends Verify
	err := s.markClosed()
	s.current.release()
	return errors.Join(err, s.closeEngine())
}

// markClosed notes in the file that the store was closed, if it says otherwise, and
// has SQLite remove the log.
func (s *Store) markClosed() error {
	s.queue.Committing.Lock()
	defer s.queue.Committing.Unlock()
	if s.opts.ReadOnly || s.writer == nil || s.failed != nil || s.damage.Load() != nil {
		return nil
	}
	if err := s.gone(); err != nil {
		if !s.unclosed {
			return nil // nothing was committed
		}
		return err
	}
	if s.unclosed {
		if err := s.write(state{s.core.Version(), true}, new(occ.Overlay), nil); err != nil {
			if s.failed == nil {
				return nil // there is no room, so the file is left as by a kill
			}
			return err
		}
	}
	_, err := s.writer.db.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, false)
	return err
}

// closeEngine closes the connections, the committer's last: SQLite then writes the
// log to the file, if that says that it was closed.
func (s *Store) closeEngine() error {
	s.drain()
	var err error
	if s.writer != nil {
		if err = s.writer.close(); err != nil {
			err = fmt.Errorf("sqlitestore: closing %s: %w", s.path, err)
		}
	}
	if s.fs.log != nil {
		s.fs.log.Close()
	}
	if s.file != nil {
		s.file.Close()
	}
	s.fs.drop()
	return err
}
