package tables

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/kivisdb/kivis/store"
)

// Stats are counts since the database was opened, and what is open now.
type Stats struct {
	Commits   uint64 // write transactions committed
	Conflicts uint64 // commits refused with ErrConflict
	Retries   uint64 // attempts made again after a conflict

	OpenTx int           // transactions open beyond a single call
	Oldest time.Duration // how long the oldest of them has been open
}

// counters are the running totals behind Stats.
type counters struct {
	commits, conflicts, retries atomic.Uint64
}

// committed counts the end of a commit.
func (c *counters) committed(err error, write bool) {
	switch {
	case errors.Is(err, store.ErrConflict):
		c.conflicts.Add(1)
	case err == nil && write:
		c.commits.Add(1)
	}
}
