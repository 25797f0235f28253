package pgstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

// Codes of PostgreSQL's errors.
const (
	diskFull      = "53100"
	tooLarge      = "54000" // an index entry, for one
	readOnlyError = "25006"
)

// errAbsent is of a store that is not there, and is not to be made.
var errAbsent = fmt.Errorf("there is no such store: %w", fs.ErrNotExist)

// passing says whether an error of the server's goes away by itself: what was
// asked for was not done.
func passing(code string) bool {
	switch code[:2] {
	case "08", "40", "53", "57":
		return code != diskFull
	}
	return code == readOnlyError || code == "55P03" // a server that was failed over from; a lock
}

// ending says whether an error of the server's ends the connection, also where
// what was asked for may have been done.
func ending(code string) bool { return code[:2] == "57" || code[:2] == "08" }

// outcome returns err, of a request that changes nothing, as package remote
// wants it.
func outcome(err error) error {
	code := codeOf(err)
	switch {
	case err == nil || ours(err):
		return err
	case code != "" && !passing(code):
		return fmt.Errorf("pgstore: %w", err)
	}
	return fmt.Errorf("pgstore: %w: %w", store.ErrUnreachable, err)
}

// ours says whether an error is not the server's nor the network's.
func ours(err error) bool {
	return errors.Is(err, errAbsent) || errors.Is(err, store.ErrGap) || errors.Is(err, store.ErrSnapshotTooOld) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// commitOutcome is outcome of a commit, whose error says that it was not made, or
// leaves that open.
func commitOutcome(err error) error {
	code := codeOf(err)
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &connect), pgconn.SafeToRetry(err):
		return outcome(err)
	case code == "" || ending(code):
		return fmt.Errorf("pgstore: commit: %w", err)
	case code == tooLarge:
		return remote.Refused(fmt.Errorf("pgstore: commit: %w: %w", store.ErrKeyTooLarge, err))
	case passing(code):
		return fmt.Errorf("pgstore: commit: %w: %w", store.ErrUnreachable, err)
	}
	return remote.Refused(fmt.Errorf("pgstore: commit: %w", err))
}
