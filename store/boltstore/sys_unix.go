//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package boltstore

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/kivisdb/kivis/store"
)

// ownLock says that lockFile locks.
const ownLock = true

// lockFile takes the lock on a file that bbolt would take, shared or not, until
// the file is closed. It fails with store.ErrInUse.
func lockFile(f *os.File, shared bool) error {
	how := syscall.LOCK_EX
	if shared {
		how = syscall.LOCK_SH
	}
	err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EWOULDBLOCK):
		return fmt.Errorf("boltstore: %s is held by another handle, in this process or another: %w", f.Name(), store.ErrInUse)
	}
	return fmt.Errorf("boltstore: locking %s: %w", f.Name(), err)
}

// mappable says whether the system gives so much address space for a file.
func mappable(f *os.File, size int64) bool {
	b, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return false
	}
	return syscall.Munmap(b) == nil
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
