package tikvstore

import (
	"errors"
	"fmt"
	"io/fs"

	tikverr "github.com/tikv/client-go/v2/error"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

// errAbsent is of a store that is not there, and is not to be made.
var errAbsent = fmt.Errorf("there is no such store: %w", fs.ErrNotExist)

// outcome returns err, of a request that changes nothing, as package remote wants it.
func outcome(err error) error {
	var early *tikverr.ErrGCTooEarly
	switch {
	case err == nil || ours(err):
		return err
	case errors.As(err, &early):
		return fmt.Errorf("tikvstore: %w: %w", store.ErrSnapshotTooOld, err)
	}
	return fmt.Errorf("tikvstore: %w: %w", store.ErrUnreachable, err)
}

// ours says whether an error is not the cluster's nor the network's.
func ours(err error) bool {
	return errors.Is(err, errAbsent) || errors.Is(err, store.ErrGap) || errors.Is(err, store.ErrSnapshotTooOld) ||
		errors.Is(err, store.ErrCorrupt) || errors.Is(err, store.ErrUnreachable) || errors.Is(err, store.ErrReadOnly)
}

// conflicts says whether a transaction of the cluster's was not committed because
// another was.
func conflicts(err error) bool { return tikverr.IsErrWriteConflict(err) || tikverr.IsErrKeyExist(err) }

// commitOutcome is outcome of a commit that was neither made nor met another.
func commitOutcome(err error) error {
	var entry *tikverr.ErrEntryTooLarge
	var key *tikverr.ErrKeyTooLarge
	var tx *tikverr.ErrTxnTooLarge
	switch {
	case tikverr.IsErrorUndetermined(err):
		return fmt.Errorf("tikvstore: commit: %w", err)
	case errors.As(err, &key):
		return remote.Refused(fmt.Errorf("tikvstore: commit: %w: %w", store.ErrKeyTooLarge, err))
	case errors.As(err, &entry), errors.As(err, &tx):
		return remote.Refused(fmt.Errorf("tikvstore: commit: %w: %w", store.ErrTxTooLarge, err))
	}
	return fmt.Errorf("tikvstore: commit: %w: %w", store.ErrUnreachable, err)
}
