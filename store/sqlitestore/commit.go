package sqlitestore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/ncruces/go-sqlite3"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

// maxGroup is how many keys the transactions that commit as one may have, beyond
// the first: more, and the conflict tracker would take all that follow for
// conflicts.
const maxGroup = 1 << 16

// fits says whether a group has room for the writes of its i-th member.
func (s *Store) fits(i int, o *occ.Overlay) bool {
	if i == 0 {
		s.room = maxGroup
	}
	s.room -= o.Len()
	return s.room >= 0
}

// commitGroup commits, as one version, those of a group that do not conflict.
func (s *Store) commitGroup(group []*occ.Member) {
	if err := s.refused(); err != nil {
		settle(group, 0, err)
		return
	}
	admitted := s.admitted[:0]
	for _, m := range group {
		if m.Err = s.core.Admit(m.Tx); m.Err == nil {
			m.Err = errAborted // until it is known
			admitted = append(admitted, m)
		}
	}
	s.admitted = admitted
	defer func() { clear(admitted) }()
	if len(admitted) == 0 {
		return
	}
	version, err := s.commitBatch()
	settle(admitted, version, err)
}

// settle gives members their result.
func settle(ms []*occ.Member, version uint64, err error) {
	for _, m := range ms {
		m.Version, m.Err = version, err
	}
}

// commitBatch writes and publishes what the core has admitted.
func (s *Store) commitBatch() (uint64, error) {
	version, o := s.core.Version()+1, s.core.Writes()
	log, err := s.core.LogWrites(version, o)
	if err == nil {
		err = s.mark()
	}
	if err == nil {
		err = s.current.ensure()
	}
	if err == nil {
		err = s.write(state{version: version}, o, log)
	}
	if err != nil {
		s.core.Abort()
		return 0, err
	}
	defer s.publish(version) // also where a hook panics: it is in the file
	s.core.Hooks.Run(version, o)
	return version, nil
}

// publish makes a version the newest.
func (s *Store) publish(version uint64) {
	var last *snapshot
	next := s.newSnapshot(version)
	s.core.Publish(version, func([]uint64) { last, s.current = s.current, next })
	last.old.Store(true)
	s.olds.Add(1) // until its last user has gone
	last.release()
	s.checkpoint()
}

// refused returns why a group is not committed, before anything is written.
func (s *Store) refused() error {
	if s.failed != nil {
		return s.failed
	}
	if damage := s.damage.Load(); damage != nil {
		return fmt.Errorf("sqlitestore: a damaged store takes no commits: %w", *damage)
	}
	if err := s.gone(); err != nil {
		return err
	}
	return s.logGone()
}

// logGone returns an error if the log has been removed: what is written to it would
// be lost, but for what Close can bring into the file.
func (s *Store) logGone() error {
	if s.log.frames == 0 {
		return nil
	}
	if _, err := os.Lstat(s.path + logSuffix); err != nil {
		return fmt.Errorf("sqlitestore: the log of %s has been removed since it was opened; nothing is written any more: %w", s.path, err)
	}
	return nil
}

// gone returns an error if the file has another name now, or none.
func (s *Store) gone() error {
	now, err := os.Stat(s.path)
	if err == nil && os.SameFile(now, s.was) {
		return nil
	}
	what := "has been removed or renamed"
	if err == nil {
		what = "has been replaced by another one"
	}
	return fmt.Errorf("sqlitestore: the file %s %s since it was opened; nothing is written any more: %w", s.path, what, fs.ErrNotExist)
}

// write commits a state, writes, and changes of the feed's log to the engine.
func (s *Store) write(st state, o *occ.Overlay, log []store.Change) (err error) {
	w := s.writer
	defer func() {
		if w.broken && s.failed == nil {
			s.fail(err)
			err = s.failed
		}
	}()
	defer s.caught(w, &err)
	if err := w.exec(sqlBeginWrite); err != nil {
		return s.engineError("commit", err)
	}
	if err := w.fill(st, o, log); err != nil {
		return s.undo(err)
	}
	if err := w.exec(sqlCommit); err != nil {
		return s.outcome(err)
	}
	s.unclosed = !st.closed
	return nil
}

// fill makes the writes in a transaction.
func (c *conn) fill(st state, o *occ.Overlay, log []store.Change) error {
	for e := range o.All() {
		if err := c.set(sqlSet, sqlDelete, e.Key(), e.Value(), e.Deleted()); err != nil {
			return err
		}
	}
	for _, l := range log {
		if err := c.set(sqlSetLog, sqlDeleteLog, l.Key, l.Value, l.Value == nil); err != nil {
			return err
		}
	}
	return c.setState(st)
}

// undo ends a transaction that failed before it was to commit, and returns why. At
// some errors SQLite has done so by itself.
func (s *Store) undo(err error) error {
	err = s.engineError("commit", err)
	if s.writer.db.GetAutocommit() {
		return err
	}
	if e := s.writer.exec(sqlRollback); e != nil {
		s.fail(errors.Join(err, e))
		return s.failed
	}
	return err
}

// outcome returns the error of a COMMIT. Where there was no room the last frame is
// not whole, so nothing has changed. Otherwise it is not known what is on the disk.
func (s *Store) outcome(err error) error {
	if errors.Is(err, sqlite3.FULL) {
		return s.undo(err)
	}
	s.fail(s.engineError("commit", err))
	return s.failed
}

// fail has every later call refused, since it is not known what the engine has.
func (s *Store) fail(err error) {
	s.failed = errUnknown{err}
	s.core.Fail(s.failed)
}

// writeCost is what a write takes in memory besides its key and value.
const writeCost = 64

// limitOf returns the limit of one transaction.
func limitOf(maxTx int64) func(keys, bytes int) error {
	return func(keys, bytes int) error {
		if int64(bytes)+int64(keys)*writeCost <= maxTx {
			return nil
		}
		return fmt.Errorf("sqlitestore: the transaction has written more than Options.MaxTx, %d bytes: %w",
			maxTx, store.ErrTxTooLarge)
	}
}
