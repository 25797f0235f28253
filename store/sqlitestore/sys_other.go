//go:build !darwin && !linux

package sqlitestore

import (
	"errors"
	"os"
)

// ownLock says that files cannot be locked, so that Open refuses.
const ownLock = false

func lockFile(*os.File, bool) error { return errors.ErrUnsupported }

func syncDir(string) error { return errors.ErrUnsupported }
