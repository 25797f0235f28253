package pebblestore

import (
	"fmt"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// spaceCheck refuses commits while the disk has less space than the engine may
// need to turn what it has taken into tables: out of space it gives up.
type spaceCheck struct {
	fs      vfs.FS
	dir     string
	reserve uint64

	left  int64 // that may be written before the next look
	until time.Time
}

const (
	spaceEvery = 100 * time.Millisecond
	spaceBytes = 1 << 20
)

// check is called before so many bytes are written.
func (c *spaceCheck) check(size int) error {
	now := time.Now()
	if c.left -= int64(size); c.left > 0 && now.Before(c.until) {
		return nil
	}
	usage, err := c.fs.GetDiskUsage(c.dir)
	if err != nil {
		return nil // it is not known
	}
	if want := c.reserve + uint64(size); usage.AvailBytes < want {
		c.left = 0
		return fmt.Errorf("pebblestore: %s has %d bytes of space left; want %d: %w", c.dir, usage.AvailBytes, want, syscall.ENOSPC)
	}
	c.left, c.until = spaceBytes, now.Add(spaceEvery)
	return nil
}
