package kivis

import "time"

// Stats are counts since the database was opened.
type Stats struct {
	Commits   uint64 // write transactions committed
	Conflicts uint64 // commits refused with ErrConflict
	Retries   uint64 // attempts made again after a conflict
	FullScans uint64 // queries that read a whole table for want of an index

	FailedBuilds int // index builds in the background that have failed; the next Register says how

	OpenTx         int           // transactions and iterators open now, single calls left out
	OldestSnapshot time.Duration // how long the oldest of them has been open
}

// Stats returns what the database has done since it was opened, and what is
// open now.
func (db *DB) Stats() Stats {
	if db.usable() != nil {
		return Stats{}
	}
	s := db.core.Stats()
	return Stats{
		Commits:        s.Commits,
		Conflicts:      s.Conflicts,
		Retries:        s.Retries,
		FullScans:      db.fullScans.Load(),
		FailedBuilds:   db.migrator.FailedBuilds(),
		OpenTx:         s.OpenTx,
		OldestSnapshot: s.Oldest,
	}
}
