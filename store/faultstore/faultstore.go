// Package faultstore makes a store fail on purpose, so that what is built on
// stores can be tested for what it does then.
package faultstore

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/kivisdb/kivis/store"
)

var (
	_ store.Store        = (*Store)(nil)
	_ store.CommitHooker = (*Store)(nil)
	_ store.Verifier     = (*Store)(nil)
	_ store.Sizer        = (*Store)(nil)
	_ store.Leaser       = (*Store)(nil)
	_ store.Getter       = (*Store)(nil)
)

// Store is a store whose calls fail where they are told to. Without a failure
// it is the store it wraps.
type Store struct {
	inner  store.Store
	inject Inject
	failed atomic.Pointer[error] // of a commit whose outcome is unknown

	mu     sync.Mutex
	closed bool
}

// Wrap returns s with calls that fail where inject returns an error. A nil
// inject never does. The returned store owns s.
//
// A failed call has not reached s and has changed nothing, with these
// exceptions. A transaction that fails with store.ErrTxTooLarge can only be
// discarded. A failed Commit has discarded the transaction. A failed Committed
// has committed it, which the caller cannot know: Commit returns
// store.ErrCommitUnknown, and so does every call from then on. A failed Close
// has closed s.
func Wrap(s store.Store, inject Inject) *Store {
	if inject == nil {
		inject = func(Op) error { return nil }
	}
	return &Store{inner: s, inject: inject}
}

// Unwrap returns the store that s wraps.
func (s *Store) Unwrap() store.Store { return s.inner }

// refuse returns why a call must fail.
func (s *Store) refuse(kind Kind, key []byte) error {
	if failed := s.failed.Load(); failed != nil {
		return *failed
	}
	return s.inject(Op{kind, key})
}

// Begin implements [store.Store].
func (s *Store) Begin(ctx context.Context, write bool) (store.Tx, error) {
	// A closed store has nothing to fail.
	inner, err := s.inner.Begin(ctx, write)
	if err != nil {
		return nil, err
	}
	if err := s.refuse(Begin, nil); err != nil {
		inner.Discard()
		return nil, err
	}
	return &tx{s: s, inner: inner}, nil
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.inner.Close()
	if s.closed {
		return err
	}
	s.closed = true
	if injected := s.inject(Op{Close, nil}); injected != nil {
		return injected
	}
	return err
}

// OnCommit implements [store.CommitHooker]. It panics where the wrapped store
// has no hooks, rather than never call the hook.
func (s *Store) OnCommit(hook func(version uint64, changes []store.Change)) (remove func()) {
	return s.inner.(store.CommitHooker).OnCommit(hook)
}

// Verify implements [store.Verifier].
func (s *Store) Verify(ctx context.Context) error {
	if err := s.refuse(Verify, nil); err != nil {
		return err
	}
	return store.Verify(ctx, s.inner)
}

// Size implements [store.Sizer]: 0 where the wrapped store does not know.
func (s *Store) Size() (int64, error) {
	if sizer, ok := s.inner.(store.Sizer); ok {
		return sizer.Size()
	}
	return 0, nil
}

// Get implements [store.Getter]. It fails as a Begin or as a Get may.
func (s *Store) Get(ctx context.Context, key []byte) ([]byte, error) {
	if err := s.refuse(Begin, nil); err != nil {
		return nil, err
	}
	if err := s.refuse(Get, key); err != nil {
		return nil, err
	}
	return store.Get(ctx, s.inner, key)
}

// Self implements [store.Getter].
func (s *Store) Self() store.Store { return s }

// Lease implements [store.Leaser].
func (s *Store) Lease(ctx context.Context, key []byte, update func(old []byte) ([]byte, error)) error {
	if err := s.refuse(Lease, key); err != nil {
		return err
	}
	if leaser, ok := s.inner.(store.Leaser); ok {
		return leaser.Lease(ctx, key, update)
	}
	return store.Lease(ctx, plain{s}, key, update)
}

// plain hides the optional methods of a store.
type plain struct{ store.Store }

// fail makes every call from now on return an error that says that the outcome
// of a commit is unknown.
func (s *Store) fail(cause error) error {
	err := fmt.Errorf("%w: %w", store.ErrCommitUnknown, cause)
	s.failed.CompareAndSwap(nil, &err)
	return err
}
