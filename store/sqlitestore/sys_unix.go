//go:build darwin || linux

package sqlitestore

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/kivisdb/kivis/store"
)

// ownLock says that lockFile locks.
const ownLock = true

// lockAt is the byte that is locked: the first after those that SQLite locks, so
// that its own programs may read the file meanwhile.
const lockAt = 1<<30 + 512

// lockFile takes a lock on a file, shared or not, until the file is closed. It
// fails with store.ErrInUse.
func lockFile(f *os.File, shared bool) error {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: lockAt, Len: 1}
	if shared {
		lock.Type = unix.F_RDLCK
	}
	err := unix.FcntlFlock(f.Fd(), setLock, &lock)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
		return fmt.Errorf("sqlitestore: %s is held by another handle, in this process or another: %w", f.Name(), store.ErrInUse)
	}
	return fmt.Errorf("sqlitestore: locking %s: %w", f.Name(), err)
}

// syncDir makes the entries of a directory durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
