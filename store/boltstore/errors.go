package boltstore

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"syscall"

	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/boltstore/internal/boltfile"
)

var (
	// ErrForeign: the file holds something other than a store of this package.
	ErrForeign = errors.New("boltstore: not a store of this kind")

	// ErrFull: the file is as big as [Options].MaxSize allows. Nothing was
	// committed. Open the store anew with more.
	ErrFull = errors.New("boltstore: the file is at its limit")
)

// errAborted is what members of a group get should a hook panic.
var errAborted = fmt.Errorf("boltstore: a hook panicked in the commit of another transaction: %w", store.ErrCommitUnknown)

// errUnknown is a commit's error that says nothing of its outcome.
type errUnknown struct{ err error }

func (e errUnknown) Error() string { return e.err.Error() + ": " + store.ErrCommitUnknown.Error() }

// Unwrap returns both errors.
func (e errUnknown) Unwrap() []error { return []error{e.err, store.ErrCommitUnknown} }

// fileError returns an error of reading the file as one of the store's.
func fileError(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, boltfile.ErrDamaged):
		return fmt.Errorf("boltstore: %s: %w: %w", path, err, store.ErrCorrupt)
	case errors.Is(err, boltfile.ErrForeign):
		return fmt.Errorf("boltstore: %s: %w: %w", path, err, ErrForeign)
	}
	return fmt.Errorf("boltstore: %s: %w", path, err)
}

// isFull says whether bbolt has found no room. It wraps by text in places.
func isFull(err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrMaxSizeReached):
		return ErrFull
	case strings.Contains(err.Error(), syscall.ENOSPC.Error()):
		return syscall.ENOSPC
	case strings.Contains(err.Error(), syscall.EDQUOT.Error()):
		return syscall.EDQUOT
	}
	return nil
}

// watched has a fault in the mapped file panic from here on, in this goroutine,
// instead of ending the process. Its result goes to caught:
//
//	defer s.caught(&err, watched())
func watched() (before bool) { return debug.SetPanicOnFault(true) }

// caught turns a panic in bbolt, or a fault in the mapped file, into an error:
// bbolt follows damaged pages wherever they lead.
func (s *Store) caught(err *error, before bool) {
	debug.SetPanicOnFault(before)
	if p := recover(); p != nil {
		*err = s.panicked(p)
	}
}

// panicked returns a panic as damage, and notes it.
func (s *Store) panicked(p any) error {
	text, _, _ := strings.Cut(fmt.Sprint(p), "\n")
	return s.damaged(fmt.Errorf("boltstore: %s: the engine panicked: %s: %w", s.path, text, store.ErrCorrupt))
}

// damaged notes damage, after which the store takes no commits, and returns it.
func (s *Store) damaged(err error) error {
	s.damage.CompareAndSwap(nil, &err)
	return err
}
