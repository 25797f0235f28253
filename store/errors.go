package store

import "errors"

// States that a store reports. Test for them with errors.Is: a store may wrap
// them with what it knows.
var (
	// ErrNotFound: the key is absent.
	ErrNotFound = errors.New("store: not found")
	// ErrConflict: another transaction wrote what this one read. Nothing was
	// committed; the whole transaction may be tried again.
	ErrConflict = errors.New("store: conflict with a concurrent transaction")
	// ErrReadOnly: a write in a read-only transaction or on a read-only store.
	ErrReadOnly = errors.New("store: read-only")
	// ErrClosed: the store has been closed.
	ErrClosed = errors.New("store: closed")
	// ErrTxDone: the transaction or cursor has been committed, discarded or closed.
	ErrTxDone = errors.New("store: transaction has ended")
	// ErrTxTooLarge: the transaction is over the store's limit, which the
	// wrapping error names. It can only be discarded.
	ErrTxTooLarge = errors.New("store: transaction too large")
	// ErrInUse: another process or handle holds the store.
	ErrInUse = errors.New("store: in use")
	// ErrCommitUnknown: a commit failed in such a way that it may or may not
	// be in the store. The store refuses further calls until it is reopened.
	ErrCommitUnknown = errors.New("store: outcome of the commit is unknown")
	// ErrUnreachable: the store keeps its data elsewhere, and cannot be reached
	// now. Nothing was committed; the call may be tried again later.
	ErrUnreachable = errors.New("store: unreachable")
	// ErrIncarnation: what was kept speaks of versions of another incarnation of
	// the database, as one that a backup has been restored into since.
	ErrIncarnation = errors.New("store: another incarnation of the database")

	// ErrCorrupt: stored bytes are damaged.
	ErrCorrupt = errors.New("store: damaged")
)
