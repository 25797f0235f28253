package badgerstore

import (
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// What the maintenance does, in one goroutine:
//   - it tells Badger every second, and the committer every 256 versions, which
//     versions nobody can see any more, so that compactions drop them;
//   - it checks the tables that were there at opening (intact.go), and rests
//     twice as long as it works;
//   - it tidies up when the store is idle.
//
// There is nothing to collect in the value log, since nothing goes there.

const (
	maintainEvery = time.Second
	discardEvery  = 256
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

// discard tells Badger which versions nobody can see any more.
func (s *Store) discard() { s.db.SetDiscardTs(s.core.Oldest()) }

// scrubber returns a function that checks one table at a time and says how long
// to rest and whether there are more.
func (s *Store) scrubber() func() (time.Duration, bool) {
	set := s.tables.Load()
	var todo []*guarded
	if set != nil {
		set.all(func(_ int, t *guarded) bool { todo = append(todo, t); return true })
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
		s.soundTable(t)
		return 2 * time.Since(start), true
	}
}

// activity is what has been written since the last tidying-up.
type activity struct {
	commits, entries, bytes atomic.Int64
	seen                    int64 // commits at the last tick; the maintenance's own
}

func (a *activity) wrote(entries, bytes int64) (commits int64) {
	a.entries.Add(entries)
	a.bytes.Add(bytes)
	return a.commits.Add(1)
}

// idle says whether there was no commit since the last tick.
func (a *activity) idle() bool {
	seen := a.seen
	a.seen = a.commits.Load()
	return a.seen == seen
}

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

// tidy has the memtable flushed if much was written and the store is idle.
func (s *Store) tidy() {
	a := &s.activity
	if !a.idle() || s.opts.NoTidy {
		return
	}
	if a.entries.Load() < tidyEntries && a.bytes.Load() < s.opts.memtable()/2 {
		return
	}
	commits := a.commits.Load()
	// The log may be longer than the memtable is big, never shorter.
	for range 4 * s.opts.memtable() / s.db.MaxBatchSize() {
		done, err := s.pad(commits)
		if err != nil || a.commits.Load() != commits {
			return
		}
		if done {
			a.entries.Store(0)
			a.bytes.Store(0)
			return
		}
	}
}

// pad writes zeros, as many as fit into one Badger transaction, and says
// whether a new memtable has been begun. It does nothing if there was a commit
// since, or if the store is in trouble.
func (s *Store) pad(commits int64) (done bool, err error) {
	s.committing.Lock()
	defer s.committing.Unlock()
	if s.failed != nil || s.damage.Load() != nil || s.activity.commits.Load() != commits {
		return false, nil
	}
	if err := s.space.check(s.opts.memtable()); err != nil {
		return false, err
	}
	s.logs.rotated()
	before := s.logs.fid
	// At the newest version, which stays what it is: nobody sees these keys.
	txn := s.db.NewTransactionAt(s.sealed, true)
	defer txn.Discard()
	zeros := make([]byte, padValue)
	for i := byte(0); err == nil; i++ {
		err = txn.Set([]byte{spacePad, i}, zeros)
	}
	if err != badger.ErrTxnTooBig {
		return false, err
	}
	if err := txn.CommitAt(s.sealed, nil); err != nil {
		s.fail(err)
		return false, err
	}
	s.logs.rotated()
	return s.logs.fid != before, s.syncLogDir()
}
