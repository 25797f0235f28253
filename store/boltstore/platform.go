package boltstore

import (
	"errors"
	"fmt"
	"runtime"
)

// checkPlatform returns an error where a file cannot be mapped far ahead.
func checkPlatform(bits int) error {
	if ownLock && bits >= 64 {
		return nil
	}
	return fmt.Errorf("boltstore: %s/%s has no room to map a file far beyond its end, without which commits would wait for readers; "+
		"use another store there: %w", runtime.GOOS, runtime.GOARCH, errors.ErrUnsupported)
}
