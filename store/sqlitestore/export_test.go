package sqlitestore

import (
	"time"

	"github.com/ncruces/go-sqlite3/vfs"
)

// SetBusyLimit has stores that are opened from now on wait so long for others.
func SetBusyLimit(d time.Duration) (undo func()) {
	last := busyLimit
	busyLimit = d
	return func() { busyLimit = last }
}

// WrapFiles has each file of stores that are opened from now on wrapped, and the log
// written to the file after so many frames.
func WrapFiles(wrap func(name string, flags vfs.OpenFlag, f vfs.File) vfs.File, frames int) (undo func()) {
	lastWrap, lastStep := wrapFile, logStep
	wrapFile, logStep = wrap, frames
	return func() { wrapFile, logStep = lastWrap, lastStep }
}
