package badgerstore

import (
	"fmt"
	"syscall"
	"time"
)

// Badger writes its log through a sparse memory map: on a full disk the process
// gets a SIGBUS, and a memtable that cannot be flushed is tried again for ever.
// So the store stops taking commits while there is still room for what Badger
// has yet to write for those it has taken.

// spaceCheck refuses commits for which there is no space.
type spaceCheck struct {
	dir     string
	reserve uint64 // what must be left: logs, tables of memtables

	credit int64     // bytes that may be written before the next look
	until  time.Time // and until when
	free   func(dir string) (uint64, bool)

	compactions func() (zero, other uint64) // what they may need
	owed        uint64                      // that, as of a moment ago
	stale       time.Time                   // when to ask again
}

const spaceInterval = 100 * time.Millisecond

func newSpaceCheck(dir string, memtable int64, compactions func() (uint64, uint64)) spaceCheck {
	return spaceCheck{dir: dir, reserve: flushSpace(memtable) + uint64(memtable), free: freeSpace, compactions: compactions}
}

// flushSpace returns what flushes may need: up to three memtables are alive,
// each of which may be a quarter bigger than its size and becomes a table, and
// up to three logs take the same again.
func flushSpace(memtable int64) uint64 { return uint64(3*memtable*5/4) * 2 }

// plenty is how much must be free, beyond what is needed, for the next commits
// not to look: nobody else fills that in a moment.
const plenty = 2 << 30

// check returns an error that matches syscall.ENOSPC if size bytes more would
// leave too little. Where there is plenty it looks anew after a while only, or
// after a sixteenth of what was free has been written.
func (c *spaceCheck) check(size int64) error {
	now := time.Now()
	if c.credit -= size; c.credit > 0 && now.Before(c.until) {
		return nil
	}
	free, ok := c.free(c.dir)
	if !ok {
		c.credit, c.until = 1<<62, now.Add(spaceInterval)
		return nil
	}
	// Each byte is written to the log, to a table, and again in compactions.
	if now.After(c.stale) {
		zero, other := c.compactions()
		c.owed, c.stale = zero+other, now.Add(max(spaceInterval/10, 20*time.Since(now)))
	}
	need := c.reserve + 3*uint64(size) + c.owed
	if free < need {
		return fmt.Errorf("badgerstore: %s has %d bytes left, and this commit needs %d: %w",
			c.dir, free, need, syscall.ENOSPC)
	}
	c.credit, c.until = 0, now
	if free > need+plenty {
		c.credit, c.until = int64((free-need)/16), now.Add(spaceInterval)
	}
	return nil
}
