//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package boltstore

import (
	"errors"
	"os"
)

// ownLock says that files cannot be locked, so that Open refuses.
const ownLock = false

func lockFile(*os.File, bool) error { return errors.ErrUnsupported }

func mappable(*os.File, int64) bool { return false }

func syncDir(string) error { return errors.ErrUnsupported }
