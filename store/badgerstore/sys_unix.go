//go:build darwin || freebsd || linux

package badgerstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/kivisdb/kivis/store"
)

// ownLock says that lockDir locks, so that Badger need not.
const ownLock = true

// lockDir takes the lock on a directory that Badger would take, shared or not,
// until unlock. It fails with store.ErrInUse.
func lockDir(dir string, shared bool) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("badgerstore: %w", err)
	}
	how := syscall.LOCK_EX
	if shared {
		how = syscall.LOCK_SH
	}
	if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, inUse(dir, f)
		}
		return nil, fmt.Errorf("badgerstore: locking %s: %w", dir, err)
	}
	return func() { f.Close() }, nil
}

// inUse says who holds the directory f, as far as that is known.
func inUse(dir string, f *os.File) error {
	if syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		return fmt.Errorf("badgerstore: %s is open for reading elsewhere: %w", dir, store.ErrInUse)
	}
	process := "a process that is not known"
	if text, err := os.ReadFile(filepath.Join(dir, lockName)); err == nil {
		process = "process " + strings.TrimSpace(string(text))
	}
	return fmt.Errorf("badgerstore: %s is held by another handle, in %s: %w", dir, process, store.ErrInUse)
}

// freeSpace returns how many bytes may still be written where dir is.
func freeSpace(dir string) (uint64, bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return uint64(st.Bavail) * uint64(st.Bsize), true
}

// allocated returns how many bytes a file takes on disk: logs are sparse.
func allocated(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Blocks * 512
	}
	return info.Size()
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
