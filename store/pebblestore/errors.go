package pebblestore

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kivisdb/kivis/store"
)

// ErrForeign: the directory holds something other than a store of this package.
var ErrForeign = errors.New("pebblestore: not a store of this kind")

// errAborted is what members of a group get should the leader panic.
var errAborted = fmt.Errorf("pebblestore: the commit of another transaction in the same group panicked: %w", store.ErrCommitUnknown)

// errUnknown is a commit's error that says nothing of its outcome.
type errUnknown struct{ err error }

func (e errUnknown) Error() string { return e.err.Error() + ": " + store.ErrCommitUnknown.Error() }

// Unwrap returns both errors.
func (e errUnknown) Unwrap() []error { return []error{e.err, store.ErrCommitUnknown} }

// engineError returns an error of Pebble's as one of the store's, having noted it
// if it is damage.
func (s *Store) engineError(what string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("pebblestore: %s in %s: %w", what, s.dir, err)
	if pebble.IsCorruptionError(err) || errors.Is(err, errMissing) {
		return s.damaged(fmt.Errorf("%w: %w", err, store.ErrCorrupt))
	}
	return err
}

// errMissing is what a table file is that has gone.
var errMissing = syscall.ENOENT

// openError is engineError for what Open meets: whatever is not the system's fault
// is that of the files, for the options are always sound.
func (s *Store) openError(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) && errno != errMissing {
		return fmt.Errorf("pebblestore: opening %s: %w", s.dir, err)
	}
	return s.damaged(fmt.Errorf("pebblestore: opening %s: %w: %w", s.dir, err, store.ErrCorrupt))
}

// caught turns a panic in Pebble into an error: it panics where an invariant of
// its own is broken, which damage may do. Defer it around each use.
func (s *Store) caught(err *error) {
	if p := recover(); p != nil {
		*err = s.panicked(p)
	}
}

// panicked returns a panic as an error.
func (s *Store) panicked(p any) error {
	if fatal, ok := p.(fatalError); ok {
		return fatal.err
	}
	text, _, _ := strings.Cut(fmt.Sprint(p), "\n")
	return s.damaged(fmt.Errorf("pebblestore: %s: the engine panicked: %s: %w", s.dir, text, store.ErrCorrupt))
}

// damaged notes damage, after which the store takes no commits, and returns it.
func (s *Store) damaged(err error) error {
	s.damage.CompareAndSwap(nil, &err)
	return err
}

// checkPlatform returns an error where the store does not work.
func checkPlatform(bits int) error {
	if ownLock && bits >= 64 {
		return nil
	}
	return fmt.Errorf("pebblestore: needs a 64-bit Unix, this is %s/%s; use another store there: %w",
		runtime.GOOS, runtime.GOARCH, errors.ErrUnsupported)
}
