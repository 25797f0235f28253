package pebblestore

import (
	"errors"
	"fmt"

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
	if err := s.refused(group); err != nil {
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
	if err != nil {
		s.core.Abort()
		return 0, err
	}
	s.wrote = true
	next, err := s.write(version, o, log)
	if err != nil {
		s.fail(err)
		s.core.Abort()
		return 0, s.failed
	}
	s.guard.version.Store(version)
	defer s.publish(version, next) // also where a hook panics: it is in the log
	s.core.Hooks.Run(version, o)
	return version, nil
}

// publish makes a version the newest.
func (s *Store) publish(version uint64, next *snapshot) {
	var last *snapshot
	s.core.Publish(version, func([]uint64) { last, s.current = s.current, next })
	last.release()
}

// refused returns why a group is not committed, before anything is written.
func (s *Store) refused(group []*occ.Member) error {
	if s.failed != nil {
		return s.failed
	}
	if err := s.collapse.err(); err != nil {
		s.fail(err)
		return s.failed
	}
	if damage := s.damage.Load(); damage != nil {
		return fmt.Errorf("pebblestore: a damaged store takes no commits: %w", *damage)
	}
	if err := s.lock.check(); err != nil {
		return err
	}
	size := 0
	for _, m := range group {
		size += m.Tx.Overlay().Size()
	}
	return s.space.check(size)
}

// batchCost is what an entry takes in a batch besides its key and value, at most.
const batchCost = 12

// write commits a version, with the changes of the feed's log, to the engine, with
// one sync, and returns its snapshot.
func (s *Store) write(version uint64, o *occ.Overlay, log []store.Change) (snap *snapshot, err error) {
	defer s.caught(&err)
	b := s.db.NewBatchWithSize(o.Size() + batchCost*(o.Len()+4))
	for e := range o.All() {
		s.key = appendKey(s.key[:0], e.Key())
		if e.Deleted() {
			err = b.Delete(s.key, nil)
		} else {
			err = b.Set(s.key, e.Value(), nil)
		}
		if err != nil {
			return nil, s.engineError("commit", err)
		}
	}
	if err := errors.Join(s.setLog(b, log), setVersion(b, version)); err != nil {
		return nil, s.engineError("commit", err)
	}
	if snap, err = s.applier.apply(b); err != nil {
		return nil, err
	}
	return snap, s.engineError("commit", b.Close())
}

// fail has every later call refused, since it is not known what the engine has.
// The committer calls it.
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
		return fmt.Errorf("pebblestore: the transaction has written more than Options.MaxTx, %d bytes: %w",
			maxTx, store.ErrTxTooLarge)
	}
}
