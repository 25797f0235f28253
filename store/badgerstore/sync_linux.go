package badgerstore

import (
	"fmt"
	"os"
	"syscall"
)

// ownSync says that the store syncs the log, so that Badger need not. Badger
// syncs its value log too at each commit, in which there is never anything: a
// third of the time. On Linux a sync of the file is what Badger does, msync of
// its memory map.
const ownSync = true

// syncData makes the content of a file durable.
func syncData(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if err != syscall.EINTR {
			return fmt.Errorf("badgerstore: sync of %s: %w", f.Name(), err)
		}
	}
}
