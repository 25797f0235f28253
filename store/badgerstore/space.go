package badgerstore

import (
	"fmt"
	"os"
	"path/filepath"
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
	reserve uint64 // what must be left: logs, tables of memtables, compaction

	credit int64     // bytes that may be written before the next look
	until  time.Time // and until when
	free   func(dir string) (uint64, bool)
}

const spaceInterval = 100 * time.Millisecond

func newSpaceCheck(dir string, memtable int64) spaceCheck {
	return spaceCheck{dir: dir, reserve: uint64(8 * memtable), free: freeSpace}
}

// check returns an error that matches syscall.ENOSPC if size bytes more would
// leave too little. It looks anew after a while, or after a sixteenth of what
// was free has been written.
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
	need := c.reserve + 3*uint64(size)
	if free < need {
		return fmt.Errorf("badgerstore: %s has %d bytes left, and this commit needs %d: %w",
			c.dir, free, need, syscall.ENOSPC)
	}
	c.credit, c.until = int64((free-c.reserve)/16), now.Add(spaceInterval)
	return nil
}

// Size implements [store.Sizer]: the bytes that the store's files take on disk.
func (s *Store) Size() (int64, error) {
	if err := s.usable(); err != nil {
		return 0, err
	}
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return 0, fmt.Errorf("badgerstore: %w", err)
	}
	var size int64
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			continue // deleted meanwhile
		}
		switch filepath.Ext(f.Name()) {
		case ".sst", ".mem", ".vlog", "":
			size += allocated(info)
		}
	}
	return size, nil
}
