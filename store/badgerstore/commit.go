package badgerstore

import (
	"fmt"
	"sync"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

// Transactions that commit at the same time share a version, one transaction
// of Badger's, and one sync of its log. The first to come leads: it takes
// everybody who waits, checks them in order, writes what they changed, and
// wakes them; those who have come meanwhile are led by the first of them.
//
// There is one request to Badger at a time. So the memtable in which a request
// ends is the one whose log is synced after it: were there several, a request
// might fill a memtable, and the sync reach only the next one's log.

// queue is the transactions that wait for a leader.
type queue struct {
	mu      sync.Mutex
	waiting []*member
	led     bool // somebody leads, or has been told to
}

// member is a transaction in the queue.
type member struct {
	tx      *occ.Tx
	wake    chan bool // whether to lead
	version uint64
	err     error
}

var members = sync.Pool{New: func() any { return &member{wake: make(chan bool, 1)} }}

// commit commits tx, alone or with others.
func (s *Store) commit(tx *occ.Tx) (uint64, error) {
	m := members.Get().(*member)
	m.tx, m.version, m.err = tx, 0, nil
	if s.queue.join(m) || <-m.wake {
		s.lead(m)
	}
	version, err := m.version, m.err
	m.tx, m.err = nil, nil
	members.Put(m)
	return version, err
}

// join enqueues m and says whether it leads.
func (q *queue) join(m *member) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, m)
	if q.led {
		return false
	}
	q.led = true
	return true
}

// take moves the members of the next group from the queue to dst: as many as
// fit, which is at least the first.
func (q *queue) take(dst []*member, limit groupLimit) []*member {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.waiting {
		if !limit.add(m.tx.Overlay()) && len(dst) > 0 {
			break
		}
		dst = append(dst, m)
	}
	n := copy(q.waiting, q.waiting[len(dst):])
	clear(q.waiting[n:])
	q.waiting = q.waiting[:n]
	return dst
}

// pass has the first in the queue lead, if there is one.
func (q *queue) pass() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.led = false
		return
	}
	q.waiting[0].wake <- true
}

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

// lead commits the group that m is the first of.
func (s *Store) lead(m *member) {
	// A panic in a hook is the hook's fault, but must not leave the others
	// waiting for ever.
	defer s.queue.pass()
	s.committing.Lock()
	defer s.committing.Unlock()
	s.group = s.queue.take(s.group[:0], s.groupLimit())
	defer func() {
		for _, other := range s.group {
			if other != m {
				other.wake <- false
			}
		}
		clear(s.group)
	}()
	for _, other := range s.group {
		other.err = errAborted
	}
	s.commitGroup(s.group)
}

// errAborted is what members get should the leader panic.
var errAborted = fmt.Errorf("badgerstore: the commit of another transaction in the same group panicked: %w",
	store.ErrCommitUnknown)

// commitGroup commits those of a group that do not conflict.
func (s *Store) commitGroup(group []*member) {
	if err := s.refused(group); err != nil {
		settle(group, 0, err)
		return
	}
	admitted := s.admitted[:0]
	for _, m := range group {
		if m.err = s.core.Admit(m.tx); m.err == nil {
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
func settle(ms []*member, version uint64, err error) {
	for _, m := range ms {
		m.version, m.err = version, err
	}
}

// commitBatch writes and publishes what the core has admitted.
func (s *Store) commitBatch() (uint64, error) {
	version := s.sealed + 1
	o := s.core.Writes()
	entries, size := int64(o.Len()), int64(o.Size())
	stamp := s.unstamped+entries >= stampEvery
	if err := s.writer.write(version, o, stamp); err != nil {
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

// refused returns why a group is not committed, before anything is written.
func (s *Store) refused(group []*member) error {
	if s.failed != nil {
		return s.failed
	}
	if damage := s.damage.Load(); damage != nil {
		return fmt.Errorf("badgerstore: a damaged store takes no commits: %w", *damage)
	}
	size := int64(0)
	for _, m := range group {
		size += int64(m.tx.Overlay().Size())
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
