package sqlitestore

import (
	"errors"
	"fmt"
	"runtime"
)

// checkPlatform returns an error where files cannot be locked for a handle, or
// there is no room for the memory of SQLite's connections.
func checkPlatform(bits int) error {
	if ownLock && bits >= 64 {
		return nil
	}
	return fmt.Errorf("sqlitestore: %s/%s lacks locks that belong to an open file, or 64 bits; use another store there: %w",
		runtime.GOOS, runtime.GOARCH, errors.ErrUnsupported)
}
