package kivis

import (
	"errors"
	"sync/atomic"
	"time"
)

// Stats are counts since the database was opened.
type Stats struct {
	Commits   uint64 // write transactions committed
	Conflicts uint64 // commits refused with ErrConflict
	Retries   uint64 // attempts made again after a conflict
	FullScans uint64 // queries that read a whole table for want of an index

	OpenTx         int           // transactions and iterators open now, single calls left out
	OldestSnapshot time.Duration // how long the oldest of them has been open
}

// counters are the running totals behind Stats.
type counters struct {
	commits, conflicts, retries, fullScans atomic.Uint64
}

func (c *counters) committed(err error, write bool) {
	switch {
	case errors.Is(err, ErrConflict):
		c.conflicts.Add(1)
	case err == nil && write:
		c.commits.Add(1)
	}
}

// Stats returns what the database has done since it was opened, and what is
// open now.
func (db *DB) Stats() Stats {
	n, age := db.open.count()
	return Stats{
		Commits:        db.stats.commits.Load(),
		Conflicts:      db.stats.conflicts.Load(),
		Retries:        db.stats.retries.Load(),
		FullScans:      db.stats.fullScans.Load(),
		OpenTx:         n,
		OldestSnapshot: age,
	}
}
