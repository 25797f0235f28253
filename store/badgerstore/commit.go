package badgerstore

import (
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

// Transactions that commit at the same time share a version, one transaction
// of Badger's, and one sync of its log: see [occ.Queue].
//
// There is one request to Badger at a time. So the memtable in which a request
// ends is the one whose log is synced after it: were there several, a request
// might fill a memtable, and the sync reach only the next one's log.

// groupLimit is what is left of one Badger transaction.
type groupLimit struct{ count, bytes int64 }

// add takes the writes of o off and says whether there was room for them.
func (g *groupLimit) add(o *occ.Overlay) bool {
	// Badger counts 12 bytes for each entry besides key and value, and the
	// space is one more.
	g.count -= int64(o.Len())
	g.bytes -= int64(o.Size()) + 13*int64(o.Len())
	return g.count > 0 && g.bytes > 0
}

// groupLimit returns what fits into one Badger transaction beside the version
// key and Badger's own mark of its end.
func (s *Store) groupLimit() groupLimit {
	return groupLimit{s.db.MaxBatchCount() - 3, s.db.MaxBatchSize() - 128}
}

// fits says whether a group has room for the writes of its i-th member.
func (s *Store) fits(i int, o *occ.Overlay) bool {
	if i == 0 {
		s.room = s.groupLimit()
	}
	return s.room.add(o)
}

// errAborted is what members get should the leader panic.
var errAborted = fmt.Errorf("badgerstore: the commit of another transaction in the same group panicked: %w",
	store.ErrCommitUnknown)

// commitGroup commits those of a group that do not conflict.
func (s *Store) commitGroup(group []*occ.Member) {
	if err := s.refused(group); err != nil {
		report(group, 0, err)
		return
	}
	admitted := s.admitted[:0]
	for _, m := range group {
		if m.Err = s.core.Admit(m.Tx); m.Err == nil {
			admitted = append(admitted, m)
		}
	}
	s.admitted = admitted
	defer func() { clear(admitted) }()
	if len(admitted) == 0 {
		return
	}
	version, err := s.commitBatch()
	report(admitted, version, err)
}

// report gives members their result.
func report(ms []*occ.Member, version uint64, err error) {
	for _, m := range ms {
		m.Version, m.Err = version, err
	}
}

// commitBatch writes and publishes what the core has admitted.
func (s *Store) commitBatch() (uint64, error) {
	version := s.sealed + 1
	o := s.core.Writes()
	log, err := s.core.LogWrites(version, o)
	if err != nil {
		s.core.Abort()
		return 0, err
	}
	entries, size := int64(o.Len()+len(log)), int64(o.Size()+sizeOf(log))
	stamp := s.unstamped+entries >= stampEvery
	if err := s.writer.write(version, o, log, stamp); err != nil {
		if s.writer.touched {
			s.fail(err)
			err = s.failed
		}
		s.core.Abort()
		return 0, err
	}
	s.sealed = version
	s.activity.wrote(entries, size)
	s.core.Hooks.Run(version, o)
	next := s.newReader(version)
	s.core.Publish(version, func([]uint64) { s.current = next })
	s.unstamped += entries
	if stamp {
		s.stamped()
	}
	return version, nil
}

// sizeOf returns how many bytes changes have.
func sizeOf(changes []store.Change) (n int) {
	for _, c := range changes {
		n += len(c.Key) + len(c.Value)
	}
	return n
}

// refused returns why a group is not committed, before anything is written.
func (s *Store) refused(group []*occ.Member) error {
	if s.failed != nil {
		return s.failed
	}
	if damage := s.damage.Load(); damage != nil {
		return fmt.Errorf("badgerstore: a damaged store takes no commits: %w", *damage)
	}
	if s.failed = s.dirCheck.check(); s.failed != nil {
		return s.failed // for good: what Badger does from here on is not known
	}
	if err := s.gate.broken.Load(); err != nil {
		s.fail(*err)
		return s.failed
	}
	if err := errors.Join(s.gate.full(), s.flusher.failing()); err != nil {
		return err
	}
	size := int64(0)
	for _, m := range group {
		size += int64(m.Tx.Overlay().Size())
	}
	return s.space.check(size)
}

// durable makes what Badger has committed survive a power failure.
func (s *Store) durable() error {
	if s.opts.NoSync {
		return nil
	}
	return s.log.flush()
}

// fail has every later call refused, since it is not known what Badger has.
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
		return fmt.Errorf("badgerstore: the transaction has written more than Options.MaxTx, %d bytes: %w",
			maxTx, store.ErrTxTooLarge)
	}
}
