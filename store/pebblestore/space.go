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
	if err := c.room(c.reserve + uint64(size)); err != nil {
		c.left = 0
		return err
	}
	c.left, c.until = spaceBytes, now.Add(spaceEvery)
	return nil
}

// room returns an error where the disk has less space left than is wanted.
func (c *spaceCheck) room(want uint64) error {
	usage, err := c.fs.GetDiskUsage(c.dir)
	if err != nil || usage.AvailBytes >= want {
		return nil // or it is not known
	}
	return fmt.Errorf("pebblestore: %s has %d bytes of space left; want %d: %w", c.dir, usage.AvailBytes, want, syscall.ENOSPC)
}
