//go:build !darwin && !freebsd && !linux

package badgerstore

import (
	"io/fs"
)

// ownLock says that Badger locks.
const ownLock = false

// lockDir leaves the lock to Badger.
func lockDir(string, bool) (unlock func(), err error) { return func() {}, nil }

// freeSpace does not know how much space there is.
func freeSpace(string) (uint64, bool) { return 0, false }

// allocated returns the size of a file.
func allocated(info fs.FileInfo) int64 { return info.Size() }

// syncDir does nothing where directories cannot be synced like files.
func syncDir(string) error { return nil }
