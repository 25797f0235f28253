package badgerstore

import (
	"errors"
	"fmt"
	"runtime"
)

// checkPlatform returns an error where an int has too few bits for Badger. On
// 32-bit platforms the checks that it makes of tables fail on tables that it has
// just written, and end the process.
func checkPlatform(bits int) error {
	if bits >= 64 {
		return nil
	}
	return fmt.Errorf("badgerstore: Badger does not work on %s/%s, where an int has %d bits: it fails its own checks of the tables that it writes; "+
		"use memstore there, or build for a 64-bit platform: %w", runtime.GOOS, runtime.GOARCH, bits, errors.ErrUnsupported)
}
