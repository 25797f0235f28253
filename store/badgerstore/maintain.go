package badgerstore

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// What the maintenance does, in one goroutine:
//   - it tells Badger every second which versions nobody can see any more, so
//     that compactions drop them;
//   - it checks the tables that were there at opening (tablecheck.go), and rests
//     twice as long as it works;
//   - it tidies up when the store is idle, and gives back what was deleted;
//   - it does what Compact asks for.
//
// There is nothing to collect in the value log, since nothing goes there.

const (
	maintainEvery = time.Second
	stampEvery    = 8192 // entries
)

// maintain starts the maintenance.
func (s *Store) maintain() {
	s.stopped.Go(func() {
		tick := time.NewTicker(maintainEvery)
		defer tick.Stop()
		scrub := s.scrubber()
		next := time.NewTimer(0)
		defer next.Stop()
		for {
			select {
			case <-s.stop:
				return
			case c := <-s.compactions:
				c.done <- s.compact(c.ctx)
			case <-tick.C:
				s.discard()
				s.tidy()
			case <-next.C:
				if rest, more := scrub(); more {
					next.Reset(rest)
				}
			}
		}
	})
}

// discard tells Badger which versions nobody can see any more: compactions then
// keep of each key the newest one alone, and nothing if that is a deletion. The
// newest version of all must not go like this, or versions would start again
// from a lower one. So only those up to a version that has stampKey may go,
// which is never deleted. Commits write it now and then.
func (s *Store) discard() { s.db.SetDiscardTs(min(s.core.Oldest(), s.stamp.Load())) }

// stamped says that the newest version has stampKey. The committer calls it.
func (s *Store) stamped() {
	s.unstamped = 0
	s.stamp.Store(s.sealed)
	s.discard()
}

// scrubber returns a function that checks one table at a time and says how long
// to rest and whether there are more.
func (s *Store) scrubber() func() (time.Duration, bool) {
	var todo []*tableCheck
	if set := s.tables.Load(); set != nil {
		todo = set.all()
	}
	return func() (time.Duration, bool) {
		if len(todo) == 0 {
			if s.damage.Load() == nil {
				s.tables.Store(nil)
			}
			return 0, false
		}
		t := todo[0]
		todo = todo[1:]
		start := time.Now()
		if s.checkTable(t) != nil && !t.done.Load() {
			todo = append(todo, t) // it could not be read just now
			return time.Second, true
		}
		return 2 * time.Since(start), true
	}
}

// activity is what has been written since the last tidying-up.
type activity struct {
	commits, entries, bytes atomic.Int64
	freed                   atomic.Int64 // bytes of big values that went
	seen                    int64        // commits at the last tick; the maintenance's own
	ticks                   int          // of the maintenance since then
}

func (a *activity) wrote(entries, bytes int64) {
	a.commits.Add(1)
	a.entries.Add(entries)
	a.bytes.Add(bytes)
}

// idle says whether there was no commit since the last tick.
func (a *activity) idle() bool {
	seen := a.seen
	a.seen = a.commits.Load()
	if a.ticks++; a.seen != seen {
		a.ticks = 0
	}
	return a.seen == seen
}

// settled is how many seconds after the last commit the maintenance looks again
// whether there is anything to give back: memtables become tables meanwhile.
const settled = 5

// Every version of a key that is overwritten stays in the memtable, where each
// scan passes over all of them, until 8 MB have come together. Badger flushes a
// memtable only when it is full, except in ways that stop everything. So the
// tidying-up fills it: with zeros under a few keys of its own, of which the
// table then holds one version each, next to nothing once compressed. Commits
// that come in between wait for a millionth of it at most, and end it.
const (
	tidyEntries = 4096 // so many are worth it
	padValue    = 120 << 10
)

// tidy has the memtable flushed, and level 0 compacted, if much was written and
// the store is idle, and then lower levels if much of them is gone.
func (s *Store) tidy() {
	a := &s.activity
	if !a.idle() || s.opts.NoTidy {
		return
	}
	s.flushIdle()
	if a.ticks <= settled {
		s.reclaim()
	}
}

// flushIdle is the first half of tidy.
func (s *Store) flushIdle() {
	a := &s.activity
	if a.entries.Load() < tidyEntries && a.bytes.Load() < s.opts.memtable()/2 {
		return
	}
	commits := a.commits.Load()
	// Tables that are too few for a compaction would stay as they are.
	for range max(1, levelZeroTables-s.db.Levels()[0].NumTables) {
		if !s.fill(commits) {
			return
		}
	}
	a.entries.Store(0)
	a.bytes.Store(0)
}

// fill fills the memtable, so that another is begun, unless there is a commit
// meanwhile.
func (s *Store) fill(commits int64) bool {
	// A memtable is full when its log is, or its keys in memory.
	for range 2*s.opts.memtable()/(s.db.MaxBatchSize()/2) + 1 {
		select {
		case <-s.stop:
			return false
		default:
		}
		if done, err := s.pad(commits); done || err != nil {
			return done && err == nil
		}
		if s.activity.commits.Load() != commits {
			return false
		}
	}
	return false
}

// pad writes zeros, as many as fit into one Badger transaction, and says
// whether a new memtable has been begun. It does nothing if there was a commit
// since, or if the store is in trouble.
func (s *Store) pad(commits int64) (done bool, err error) {
	s.queue.Committing.Lock()
	defer s.queue.Committing.Unlock()
	if s.failed != nil || s.damage.Load() != nil || s.activity.commits.Load() != commits {
		return false, nil
	}
	return s.padLocked(nil)
}

// padLocked is pad of the committer. It writes again what the key also has.
func (s *Store) padLocked(also []byte) (done bool, err error) {
	if s.failed = s.dirCheck.check(); s.failed != nil {
		return false, s.failed
	}
	if err := s.gate.full(); err != nil {
		return false, err
	}
	if err := errors.Join(s.space.check(s.opts.memtable()), s.handles.fill()); err != nil {
		return false, err
	}
	if err := s.log.find(); err != nil {
		return false, err
	}
	before := s.log.fid
	// At a version of their own, which nobody sees: after it all others may go.
	version := s.sealed + 1
	txn := s.db.NewTransactionAt(version, true)
	taken := false
	defer func() {
		if !taken {
			txn.Discard()
		}
	}()
	if err := errors.Join(txn.Set(stampKey, nil), s.setAgain(txn, also)); err != nil {
		return false, err
	}
	zeros := make([]byte, padValue)
	for i := byte(0); err == nil; i++ {
		err = txn.Set([]byte{spacePad, i}, zeros)
	}
	if err != badger.ErrTxnTooBig {
		return false, err
	}
	if taken, err = s.writer.commit(txn, version); err == nil {
		err = s.durable()
	}
	if err != nil {
		s.fail(err)
		return false, err
	}
	s.sealed = version
	s.stamped()
	if s.opts.NoSync {
		_, err = s.log.moved()
	}
	return s.log.fid != before, err
}
