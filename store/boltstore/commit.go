package boltstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	bolt "go.etcd.io/bbolt"

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
		err = s.write(state{version: version}, o, log)
	}
	if err != nil {
		s.core.Abort()
		return 0, err
	}
	next, err := s.newSnapshot(version)
	if err != nil {
		s.fail(err)
		s.core.Abort()
		return 0, s.failed
	}
	defer s.publish(version, next) // also where a hook panics: it is in the file
	s.core.Hooks.Run(version, o)
	return version, nil
}

// publish makes a version the newest.
func (s *Store) publish(version uint64, next *snapshot) {
	var last *snapshot
	s.core.Publish(version, func([]uint64) { last, s.current = s.current, next })
	last.release()
}

// mark notes in the file, before the first commit, that it is open: from then on
// the two meta pages differ.
func (s *Store) mark() error {
	if s.marked {
		return nil
	}
	err := s.write(state{version: s.core.Version()}, new(occ.Overlay), nil)
	s.marked = err == nil
	return err
}

// refused returns why a group is not committed, before anything is written.
func (s *Store) refused() error {
	if s.failed != nil {
		return s.failed
	}
	if damage := s.damage.Load(); damage != nil {
		return fmt.Errorf("boltstore: a damaged store takes no commits: %w", *damage)
	}
	return s.gone()
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
	return fmt.Errorf("boltstore: the file %s %s since it was opened; nothing is written any more: %w", s.path, what, fs.ErrNotExist)
}

// write commits a state, writes, and changes of the feed's log to the engine.
func (s *Store) write(st state, o *occ.Overlay, log []store.Change) (err error) {
	tx, err := s.db.Begin(true)
	if err != nil {
		return fmt.Errorf("boltstore: commit: %w", err)
	}
	defer func() {
		if errors.Is(err, store.ErrCorrupt) { // bbolt has panicked, and kept its locks
			s.fail(err)
			s.letGo(tx)
			err = s.failed
		}
	}()
	defer s.caught(&err, watched())
	if err := s.fill(tx, st, o, log); err != nil {
		return errors.Join(fmt.Errorf("boltstore: commit: %w", err), tx.Rollback())
	}
	s.db.AllocSize = allocSize(tx.Size())
	id := tx.ID()
	if err := tx.Commit(); err != nil {
		return s.outcome(id, err)
	}
	return nil
}

// letGo gives bbolt's locks free after a panic, if it can: nothing is written any
// more, but the store is still to be closed.
func (s *Store) letGo(tx *bolt.Tx) {
	var err error
	defer s.caught(&err, watched())
	err = tx.Rollback()
}

// allocSize returns by how much a file of a size grows at a time.
func allocSize(size int64) int { return int(min(max(size/8, 64<<10), 16<<20)) }

// fill makes the writes in a transaction of bbolt's.
func (s *Store) fill(tx *bolt.Tx, st state, o *occ.Overlay, log []store.Change) error {
	data := tx.Bucket(dataBucket)
	s.takeArena(o.Size() + (1+sumSize)*o.Len())
	for e := range o.All() {
		s.key = append(append(s.key[:0], keyPrefix), e.Key()...)
		var err error
		if e.Deleted() {
			err = data.Delete(s.key)
		} else {
			n := len(s.arena)
			s.arena = appendValue(s.arena, s.key, e.Value())
			err = data.Put(s.key, s.arena[n:len(s.arena):len(s.arena)])
		}
		if err != nil {
			return err
		}
	}
	if err := s.fillLog(data, log); err != nil {
		return err
	}
	return data.SetSequence(st.encode())
}

// maxArena is how much memory is kept from one commit to the next.
const maxArena = 1 << 20

// takeArena makes room for values, which bbolt needs until the commit has ended.
func (s *Store) takeArena(size int) {
	if cap(s.arena) < size || cap(s.arena) > maxArena {
		s.arena = make([]byte, 0, size)
	}
	s.arena = s.arena[:0]
}

// outcome returns the error of a commit, numbered id, that failed in the engine.
// Where there was no room and the meta page is still the one before, nothing has
// changed. Otherwise it is not known what is on the disk, or will be.
func (s *Store) outcome(id int, err error) error {
	if full := isFull(err); full != nil && s.newest() < id {
		return fmt.Errorf("boltstore: commit to %s: %w: %w", s.path, err, full)
	}
	s.fail(err)
	return s.failed
}

// newest returns the number of the engine's newest transaction.
func (s *Store) newest() int {
	snap, err := s.newSnapshot(0)
	if err != nil {
		return int(^uint(0) >> 1)
	}
	defer snap.release()
	return snap.tx.ID()
}

// fail has every later call refused, since it is not known what the engine has.
func (s *Store) fail(err error) {
	s.failed = errUnknown{fmt.Errorf("boltstore: commit to %s: %w", s.path, err)}
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
		return fmt.Errorf("boltstore: the transaction has written more than Options.MaxTx, %d bytes: %w",
			maxTx, store.ErrTxTooLarge)
	}
}
