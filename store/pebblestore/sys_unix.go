//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package pebblestore

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/kivisdb/kivis/store"
)

// ownLock says that lockDir locks.
const ownLock = true

// lockDir takes a lock on a directory, shared or not, until the file it returns is
// closed. It fails with store.ErrInUse.
func lockDir(dir string, shared bool) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("pebblestore: %w", err)
	}
	how := syscall.LOCK_EX
	if shared {
		how = syscall.LOCK_SH
	}
	err = syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, syscall.EWOULDBLOCK):
		err = fmt.Errorf("pebblestore: %s is held by another handle, in this process or another: %w", dir, store.ErrInUse)
	default:
		err = fmt.Errorf("pebblestore: locking %s: %w", dir, err)
	}
	f.Close()
	return nil, err
}
