// Package badgerfile reads the files of Badger 4: tables, logs of memtables, and
// the manifest.
//
// Badger reads its own files with little suspicion. An undecodable index ends
// the process, a damaged block is taken for the end of its table, a log is
// replayed up to the first damaged entry, all without an error. So the store
// reads the files itself before Badger does, and this package is what it needs
// for that. It changes no file, but for [CutLogs].
//
// An error that matches [ErrDamaged] says that a file is not what Badger has
// written. One that matches [ErrUnknown] says that it may well be, by a release
// of Badger that this package does not know. Any other one says that the file
// could not be read just now.
package badgerfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
)

var (
	// ErrDamaged: a file has lost what was written to it.
	ErrDamaged = errors.New("damaged")

	// ErrUnknown: a file has a format that this package does not know.
	ErrUnknown = errors.New("a format that this release does not know")
)

// fileError returns the error of reading a file as one of the three kinds.
func fileError(kind, path string, err error) error {
	switch {
	case errors.Is(err, ErrUnknown), passing(err):
		return fmt.Errorf("%s %s: %w", kind, path, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("it ends too early")
	}
	return fmt.Errorf("%s %s: %w: %w", kind, path, err, ErrDamaged)
}

// passing says whether an error is of the moment, and says nothing of the file.
func passing(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EINTR, fs.ErrPermission} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
