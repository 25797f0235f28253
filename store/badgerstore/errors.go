package badgerstore

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore/internal/badgerfile"
)

// ErrUnknownFormat: a file has a format that this release does not know, as a
// newer release of Badger may write. The file is not damaged, as far as can be
// told.
var ErrUnknownFormat = errors.New("badgerstore: unknown format")

// ErrForeign: the directory holds something other than a store of this
// package, or one of a version that it does not know.
var ErrForeign = errors.New("badgerstore: not a store of this kind")

// fileError returns an error of reading Badger's files as one of the store's.
func fileError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, badgerfile.ErrUnknown) && errors.Is(err, badgerfile.ErrForeign):
		err = fmt.Errorf("%w: %w: %w", err, ErrUnknownFormat, ErrForeign)
	case errors.Is(err, badgerfile.ErrUnknown):
		err = fmt.Errorf("%w: %w", err, ErrUnknownFormat)
	case errors.Is(err, badgerfile.ErrForeign):
		err = fmt.Errorf("%w: %w", err, ErrForeign)
	case errors.Is(err, badgerfile.ErrDamaged):
		err = fmt.Errorf("%w: %w", err, store.ErrCorrupt)
	}
	return fmt.Errorf("badgerstore: %w", err)
}

// wrapEngine returns an error of Badger's as one of the store's. Badger wraps
// by text, so there is often no error value left to look for.
func wrapEngine(what string, err error) error {
	if err == nil {
		return nil
	}
	state := stateOf(err)
	if state == nil {
		return fmt.Errorf("badgerstore: %s: %w", what, err)
	}
	return fmt.Errorf("badgerstore: %s: %w: %w", what, err, state)
}

func stateOf(err error) error {
	if errors.Is(err, badger.ErrDBClosed) {
		return store.ErrClosed
	}
	text := err.Error()
	for _, s := range states {
		if strings.Contains(text, s.text) {
			return s.err
		}
	}
	return nil
}

var states = []struct {
	text string
	err  error
}{
	{"Another process is using this Badger database", store.ErrInUse},
	{syscall.ENOSPC.Error(), syscall.ENOSPC},
	{syscall.EMFILE.Error(), syscall.EMFILE},
	{syscall.ENFILE.Error(), syscall.ENFILE},
	{badger.ErrDBClosed.Error(), store.ErrClosed},
	{"checksum", store.ErrCorrupt},
	{"corrupt", store.ErrCorrupt},
	{"failed to decode", store.ErrCorrupt},
	{"failed to initialize", store.ErrCorrupt},
	{"failed to read", store.ErrCorrupt},
	{"file does not exist for table", store.ErrCorrupt},
	{"Level validation", store.ErrCorrupt},
	{"unexpected EOF", store.ErrCorrupt},
	{"key registry", store.ErrCorrupt},
	{"sanity text", store.ErrCorrupt}, // of the key registry
	{"Encryption key mismatch", store.ErrCorrupt},
	{"Invalid datakey id", store.ErrCorrupt},
}

// caught turns a panic in Badger into an error: on damaged data it slices
// beyond its buffers. Defer it around whatever reads.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = panicked(p)
	}
}

func panicked(p any) error {
	text, _, _ := strings.Cut(fmt.Sprint(p), "\n")
	return fmt.Errorf("badgerstore: the engine panicked: %s: %w", text, store.ErrCorrupt)
}
