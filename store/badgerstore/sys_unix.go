//go:build darwin || freebsd || linux

package badgerstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/kivisdb/kivis/store"
)

// lockDir takes the lock on a directory that Badger takes, shared or not, until
// unlock. It fails with store.ErrInUse.
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
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, inUse(dir)
		}
		return nil, fmt.Errorf("badgerstore: locking %s: %w", dir, err)
	}
	return func() { f.Close() }, nil
}

// inUse names the process that holds dir, if it has left its number there.
func inUse(dir string) error {
	return fmt.Errorf("badgerstore: %s is open in another handle%s: %w", dir, holder(dir), store.ErrInUse)
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
