package objectstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/minio/minio-go/v7"

	"github.com/kivisdb/kivis/store"
)

// States that Open reports. Test for them with errors.Is.
var (
	// ErrNoConditions: the bucket ignores the conditions of a request, so that two
	// processes could take one version. Use another server, or a newer one.
	ErrNoConditions = errors.New("objectstore: the bucket ignores conditions")
	// ErrNewer: a newer release has made the store.
	ErrNewer = errors.New("objectstore: made by a newer release")
)

// What a bucket says to a request.
var (
	errMissing = errors.New("there is no such object")
	errTaken   = errors.New("the condition does not hold")
	errBusy    = errors.New("another request for the object is under way")
	errUnsure  = errors.New("whether it was done is not known")
	errRefused = errors.New("the bucket refuses")
)

// answer returns what the bucket says by an error, if that came from it.
func answer(err error) (said error, ok bool) {
	var r minio.ErrorResponse
	if !errors.As(err, &r) || r.StatusCode == 0 {
		return nil, false
	}
	switch {
	case r.StatusCode == http.StatusPreconditionFailed:
		return errTaken, true
	case r.StatusCode == http.StatusConflict && r.Code == "ConditionalRequestConflict":
		return errBusy, true
	case r.StatusCode == http.StatusNotFound && r.Code == "NoSuchKey":
		return errMissing, true
	case r.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return fmt.Errorf("it is shorter than it was: %w", store.ErrCorrupt), true
	case r.StatusCode >= 500 || r.StatusCode == http.StatusTooManyRequests || r.StatusCode == http.StatusRequestTimeout:
		return nil, false // it goes away by itself
	}
	return fmt.Errorf("%s: %w", r.Code, err), true
}

// outcome returns err, of a request for an object that changes nothing that
// matters, as package remote wants it.
func outcome(ctx context.Context, name string, err error) error {
	if err == nil {
		return nil
	}
	said, ok := answer(err)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case ok:
		return fmt.Errorf("objectstore: %s: %w", name, said)
	}
	return fmt.Errorf("objectstore: %s: %w: %w", name, store.ErrUnreachable, err)
}

// putOutcome is outcome of a request that makes an object. The error is errUnsure
// where it may have been made.
func putOutcome(name string, err error) error {
	if err == nil {
		return nil
	}
	said, ok := answer(err)
	var op *net.OpError
	switch {
	case errors.Is(said, errTaken) || errors.Is(said, errBusy):
		return fmt.Errorf("objectstore: %s: %w", name, said)
	case errors.Is(said, errMissing): // of a condition on what is not there
		return fmt.Errorf("objectstore: %s: %w", name, errTaken)
	case ok:
		return fmt.Errorf("objectstore: %s: %w: %w", name, errRefused, said)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("objectstore: %s: %w: %w", name, store.ErrUnreachable, err)
	}
	return fmt.Errorf("objectstore: %s: %w: %w", name, errUnsure, err)
}

// unsure returns an error of a commit, whose outcome it leaves open: whatever it was,
// it does not say that nothing was done.
func unsure(err error) error { return fmt.Errorf("objectstore: commit: %w: %v", errUnsure, err) }
