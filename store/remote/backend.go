package remote

import (
	"context"
	"errors"
	"math"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

// Newest as the version of a Read is the newest one at the time of the call.
const Newest = math.MaxUint64

// Log is the part of an engine that says what is committed. Its methods are safe
// for concurrent use. Versions ascend by commit; where a commit's version is one
// above its base, nothing came between.
//
// An error that matches store.ErrUnreachable says that nothing was done, and that
// the call may be made again. Bytes that are returned never change.
//
// A Log that is an io.Closer is closed with its store.
type Log interface {
	// Head returns the newest version.
	Head(ctx context.Context) (version uint64, err error)

	// Commit makes the changes of c durable, all or none, as a new version, which
	// it returns. It returns store.ErrConflict if anything in the footprint was
	// written after the base, or if it does not know. Where there is a commit with
	// the id of c already it returns the version of that, and makes none; an id may be
	// forgotten only once Changes after the base is a store.ErrGap. A
	// store.ErrUnreachable or an error of [Refused] says that nothing was
	// committed; after any other the outcome is open, and c is proposed again.
	Commit(ctx context.Context, c *Proposal) (version uint64, err error)

	// Changes is [store.Feeder.Changes]; the keys of a commit ascend.
	Changes(ctx context.Context, after uint64, yield func(store.Commit) bool) error

	// Wait returns the newest version once it is above after, or within a time of
	// its choice the newest one there is.
	Wait(ctx context.Context, after uint64) (uint64, error)
}

// Backend is an engine that keeps entries by key and version, for several
// processes at once. Read and Scan return store.ErrSnapshotTooOld for a version
// that is no longer kept.
type Backend interface {
	Log
	Reads
}

// Reads is the part of an engine that is read.
type Reads interface {
	// Read returns the values of keys at a version, or at the Newest: nil where a
	// key is absent, and not nil where the value is empty.
	Read(ctx context.Context, version uint64, keys [][]byte) (values [][]byte, err error)

	// Scan returns the first entries of r at a version, in its direction, at most
	// limit, and whether there may be more. They may be fewer, though not none,
	// where they would take too many bytes. Values are not needed where r is for
	// keys only.
	Scan(ctx context.Context, version uint64, r store.Range, limit int) (entries []Entry, more bool, err error)
}

// Replicated is a Backend of which there are copies that may be behind.
type Replicated interface {
	Backend

	// Replicas returns what read-only transactions read, at the version that they have
	// begun at and never at the Newest. What it returns is what the Backend would.
	Replicas() Reads
}

// Local is an engine of which all entries are in this process: nothing but the log
// is elsewhere, and reads are no requests. It bounds the time of each of its
// requests itself, since one call may make many.
type Local interface {
	Log

	// Snapshot is [occ.Engine.Snapshot]: version is the newest that is published,
	// which is one that Head, Changes or Commit has told of. It never goes down.
	Snapshot(version uint64) (occ.Reader, error)

	// Published says that no older version than this one will be asked for. It must
	// be quick.
	Published(version uint64)
}

// Entry is a key with its value.
type Entry struct{ Key, Value []byte }

// Change is one key's final state in a commit: a nil Value is a deletion.
type Change struct {
	Key, Value []byte
	Created    bool // what the feed is to say of it
}

// Proposal is what is to be committed as one version.
type Proposal struct {
	ID        [16]byte      // of this proposal alone
	Base      uint64        // what was committed up to here has been checked
	Footprint []store.Range // what was read; ascending and disjoint
	Changes   []Change      // by key, each once
}

// Commit is what was committed as one version.
type Commit = store.Commit

// refusal is an error of Refused.
type refusal struct{ err error }

func (e refusal) Error() string { return e.err.Error() }
func (e refusal) Unwrap() error { return e.err }

// Refused returns err as one that says that nothing was committed, and that
// trying again is of no use. A nil err stays nil.
func Refused(err error) error {
	if err == nil {
		return nil
	}
	return refusal{err}
}

// definite says whether err tells that nothing was committed.
func definite(err error) bool {
	return errors.Is(err, store.ErrConflict) || errors.As(err, new(refusal))
}
