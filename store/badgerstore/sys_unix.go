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
	pid := filepath.Join(dir, "LOCK")
	if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, inUse(dir, pid)
		}
		return nil, fmt.Errorf("badgerstore: locking %s: %w", dir, err)
	}
	if shared {
		return func() { f.Close() }, nil
	}
	if err := os.WriteFile(pid, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o600); err != nil {
		f.Close()
		return nil, fmt.Errorf("badgerstore: %w", err)
	}
	return func() {
		os.Remove(pid)
		f.Close()
	}, nil
}

// inUse names the process that holds dir, if it has left its number there.
func inUse(dir, pid string) error {
	text, err := os.ReadFile(pid)
	if err != nil {
		return fmt.Errorf("badgerstore: %s is open for reading elsewhere: %w", dir, store.ErrInUse)
	}
	return fmt.Errorf("badgerstore: %s is held by another handle, in process %s: %w",
		dir, strings.TrimSpace(string(text)), store.ErrInUse)
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
