//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package pebblestore

import (
	"errors"
	"os"
)

// ownLock says that directories cannot be locked, so that Open refuses.
const ownLock = false

func lockDir(string, bool) (*os.File, error) { return nil, errors.ErrUnsupported }
