// Package store defines the contract between Kivis and an ordered key-value
// store: a map from byte keys to byte values, in key order, with serializable
// transactions.
//
// # Bytes
//
// Every call copies the keys and values it is given before it returns, so a
// caller may reuse its buffers at once. Bytes that a store returns are
// read-only. A value from [Tx.Get], [Tx.GetMany] or [Cursor.Keep] never changes
// and stays valid for as long as somebody holds it, also after the transaction
// and the store are gone: it is safe to alias. [Cursor.Key] and [Cursor.Value]
// are valid until the cursor moves or closes.
//
// Keys and values may be empty, nil and empty being the same; a value that is
// present is never nil when returned. The order of keys is that of bytes.Compare.
//
// # Goroutines and ends
//
// A Tx and its cursors belong to one goroutine at a time, except that
// [Tx.Discard], [Store.Close] and the end of the transaction's context may come
// from another at any moment: a call in progress finishes first, and later
// calls return [ErrTxDone], [ErrClosed] or the context's error. A cursor then
// keeps its current entry, but moves no more; its Err says why.
package store

import "context"

// Store is an ordered key-value store with serializable transactions, phantoms
// included. All its methods are safe for concurrent use.
type Store interface {
	// Begin starts a transaction on the newest committed version and returns
	// it. A read-only transaction (write false) never blocks a writer, nor a
	// writer it. The end of ctx discards the transaction, except that ctx is
	// ignored once Commit has queued it. Begin returns ErrClosed after Close,
	// ErrReadOnly where write is set on a read-only store, the context's
	// error where ctx has ended, and ErrCommitUnknown after a commit whose
	// outcome could not be learned.
	Begin(ctx context.Context, write bool) (Tx, error)

	// Close refuses new calls, waits for those in progress, closes cursors,
	// discards transactions, lets queued commits finish, then closes the
	// engine and returns its error. A second Close returns nil.
	Close() error
}

// Tx is a transaction: a snapshot, and for a write transaction the writes on
// top of it. Its reads see its own writes. After Commit or Discard every call
// but Discard returns ErrTxDone.
//
// A failed Get, GetMany, Scan, Set, Delete or Guard has changed nothing, and
// the transaction is usable, except after ErrTxTooLarge, when it can only be
// discarded.
type Tx interface {
	// Version returns the snapshot's version. Versions never go down, not
	// even when the store is closed and opened again.
	Version() uint64

	// Get returns the value of key, or ErrNotFound. Either way key counts as
	// read, unless the answer is the transaction's own write.
	Get(key []byte) ([]byte, error)

	// GetMany reads a batch: values[i] becomes the value of keys[i], nil
	// where it is absent. The slices have one length. Every key counts as
	// read as by Get.
	GetMany(keys, values [][]byte) error

	// Scan returns a cursor over the keys of r, standing before the first. It
	// shows the transaction's writes as of this call. What it passed over
	// counts as read, and no more. The caller closes it.
	Scan(r Range) (Cursor, error)

	// Guard makes every key in [lo, hi) count as read without reading it: the
	// commit fails with ErrConflict where another transaction has written
	// there since this snapshot. A nil hi means no upper bound.
	Guard(lo, hi []byte) error

	// Set writes the value of key; Delete removes it, present or not. Both
	// return ErrReadOnly in a read-only transaction and ErrTxTooLarge over
	// the store's limit.
	Set(key, value []byte) error
	Delete(key []byte) error

	// Savepoint marks the writes so far; Rollback undoes every write made
	// since the mark and forgets later marks, the mark itself staying good;
	// Release forgets the mark and later ones, keeping the writes. Rollback to
	// a forgotten mark is an error. Reads and guards made in between go on
	// counting, and cursors opened in between go on showing what they show.
	Savepoint() Savepoint
	Rollback(s Savepoint) error
	Release(s Savepoint)

	// Commit makes the writes visible to every later Begin, all or nothing,
	// and returns their version. It returns ErrConflict where what this
	// transaction read has been written by another since, ErrCommitUnknown
	// where the outcome cannot be learned, and leaves nothing behind on any
	// other error. A transaction without writes commits without a check.
	Commit() (uint64, error)

	// Discard drops the transaction; after Commit or Discard it does nothing.
	Discard()
}

// Savepoint is a mark in the writes of one transaction.
type Savepoint int

// Range is a half-open range of keys [Lo, Hi); a nil or empty Lo is the first
// key there can be, a nil Hi no upper bound. An inverted range is empty, and so
// is one whose Hi is empty but not nil.
type Range struct {
	Lo, Hi   []byte
	Reverse  bool // from the last key down
	KeysOnly bool // Value and Keep are not asked for, and return nil
}

// Cursor is a position in a scan. It starts before the first key.
type Cursor interface {
	// Next moves to the next key, in the scan's direction, and says whether
	// there is one. At the end or on an error it returns false from then on.
	Next() bool

	// Seek moves forward, in the scan's direction, to the first key at or
	// beyond key (in reverse: at or below it) and says whether there is one.
	// It never moves back: a key already passed, which the current one is,
	// leaves the cursor as Next would. Keys that are skipped do not count as
	// read.
	Seek(key []byte) bool

	// Key and Value return the current entry, valid until the cursor moves.
	Key() []byte
	Value() []byte

	// Keep returns the current value as bytes that stay valid for ever.
	Keep() []byte

	// Err returns the error that ended the scan, nil at its natural end.
	Err() error

	// Close frees the cursor; a second Close does nothing.
	Close()
}
