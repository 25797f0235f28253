package store

import "context"

// The interfaces below are optional. The functions of the same names fall back
// on the contract alone where a store lacks one.

// Change is one key's final state in a commit: a nil Value is a deletion.
type Change struct {
	Key, Value []byte
}

// CommitHooker is implemented by a [Store] that reports its commits.
type CommitHooker interface {
	// OnCommit has hook called once for each version, in ascending order,
	// after the version is durable, before any Begin sees it and before its
	// Commit returns, with the final value of each key written. The hook must
	// not block, fail, call the store, or keep the slice. It stays until
	// remove is called.
	OnCommit(hook func(version uint64, changes []Change)) (remove func())
}

// Verifier is implemented by a [Store] that can check its own files.
type Verifier interface {
	// Verify reads everything the engine keeps and returns an error that
	// matches ErrCorrupt where a block is damaged.
	Verify(ctx context.Context) error
}

// Verify has s check its own files; a store that cannot is taken as sound.
func Verify(ctx context.Context, s Store) error {
	if v, ok := s.(Verifier); ok {
		return v.Verify(ctx)
	}
	return nil
}

// Counter is implemented by a [Tx] that counts a range faster than a scan does.
type Counter interface {
	// Count returns the number of keys of r, which counts as read.
	Count(r Range) (int, error)
}

// Count returns the number of keys of r in tx, by a scan of keys if need be.
func Count(tx Tx, r Range) (int, error) {
	if c, ok := tx.(Counter); ok {
		return c.Count(r)
	}
	r.KeysOnly = true
	c, err := tx.Scan(r)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	n := 0
	for c.Next() {
		n++
	}
	return n, c.Err()
}

// Creator is implemented by a [Tx] that tells its store's feed which keys are new.
type Creator interface {
	// Create is Set of a key that the caller knows to be absent in tx, by a Get
	// or by a Guard of it. A later Delete in tx undoes it.
	Create(key, value []byte) error
}

// Create sets the value of a key that is absent in tx.
func Create(tx Tx, key, value []byte) error {
	if c, ok := tx.(Creator); ok {
		return c.Create(key, value)
	}
	return tx.Set(key, value)
}

// Getter is implemented by a [Store] that reads one key for less than a
// transaction costs.
type Getter interface {
	// Get returns the value of key in the newest committed version, as
	// [Tx.Get] does in a transaction begun just then, or Begin's error.
	Get(ctx context.Context, key []byte) ([]byte, error)

	// Self returns the store. It tells one from another that embeds it, so
	// has both methods, and may have things to see to in Begin.
	Self() Store
}

// GetterOf returns s as a Getter, or nil where it is none of its own.
func GetterOf(s Store) Getter {
	if g, ok := s.(Getter); ok && g.Self() == s {
		return g
	}
	return nil
}

// Get returns the value of key in the newest committed version of s, in a
// transaction of its own if need be, or ErrNotFound.
func Get(ctx context.Context, s Store, key []byte) ([]byte, error) {
	if g := GetterOf(s); g != nil {
		return g.Get(ctx, key)
	}
	tx, err := s.Begin(ctx, false)
	if err != nil {
		return nil, err
	}
	defer tx.Discard()
	return tx.Get(key)
}

// Sharer is implemented by a [Store] that may have more than one process write to it.
type Sharer interface {
	// Shared says whether others may write to the store while it is open here.
	Shared() bool
}

// IsShared says whether others may write to s while it is open here.
func IsShared(s Store) bool {
	sh, ok := s.(Sharer)
	return ok && sh.Shared()
}

// Sizer is implemented by a [Store] that knows its size.
type Sizer interface {
	// Size returns about how many bytes the store takes, on disk or in memory.
	Size() (int64, error)
}

// Leaser must be implemented by a [Store] that allows one writer at a time: it
// updates one key outside any transaction, so that a lease never waits for the
// writer that asks for it.
type Leaser interface {
	// Lease replaces the value of key by what update returns for the current
	// one (nil where absent), durably, and returns only then.
	Lease(ctx context.Context, key []byte, update func(old []byte) ([]byte, error)) error
}

// Lease updates one key of s durably and apart from any transaction of the
// caller's, retrying conflicts until ctx ends. The update function may run
// more than once.
func Lease(ctx context.Context, s Store, key []byte, update func(old []byte) ([]byte, error)) error {
	if l, ok := s.(Leaser); ok {
		return l.Lease(ctx, key, update)
	}
	for {
		err := lease(ctx, s, key, update)
		if !isConflict(err) || ctx.Err() != nil {
			return err
		}
	}
}
