// Package memstore keeps a store in memory, in a B-tree. It is serializable,
// starts no goroutines, and is gone when it is closed.
package memstore

import (
	"context"

	"github.com/google/btree"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

const (
	degree = 32

	// A commit of more keys than this is written in pieces of as many, so that
	// reads do not wait for all of it, which costs a second insertion of each
	// key. Where nobody reads when it begins it may have more, some milliseconds'
	// worth.
	largeCommit = 256
	hugeCommit  = 8192

	maxGroup = 1 << 16 // keys of the transactions that commit as one
)

var (
	_ store.Store        = (*Store)(nil)
	_ store.CommitHooker = (*Store)(nil)
	_ store.Sizer        = (*Store)(nil)
	_ store.Getter       = (*Store)(nil)
	_ store.SealKeeper   = (*Store)(nil)
	_ occ.Engine         = (*engine)(nil)
)

// Store is a [store.Store] in memory.
type Store struct {
	occ.Store

	engine engine
}

// New returns an empty store.
func New() *Store {
	s := new(Store)
	s.Store = occ.NewStore(&s.engine.core)
	s.engine.tree = btree.NewG(degree, occ.Less)
	s.engine.past = newPast()
	q := &s.engine.queue
	q.Lead, q.Fits, q.Aborted = s.engine.commitGroup, s.engine.fits, errAborted
	s.engine.version = 1
	s.engine.core.Init(&s.engine, s.engine.version, occ.Options{})
	return s
}

// Begin implements [store.Store].
func (s *Store) Begin(ctx context.Context, write bool) (store.Tx, error) {
	tx, err := s.engine.core.Begin(ctx, write)
	if err != nil {
		return nil, err
	}
	return tx, nil
}

// Get implements [store.Getter].
func (s *Store) Get(ctx context.Context, key []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.engine.getNewest(key)
}

// FillNewest appends the first entries of r in the newest version, in its direction, to
// dst until dst's capacity is used up, without a transaction. Fewer mean that r has no
// more. It returns false, and dst as it is, where they are not to be had so: in the
// middle of a large commit, and when the store is closed.
func (s *Store) FillNewest(dst []occ.Entry, r store.Range) ([]occ.Entry, bool) {
	return s.engine.fillNewest(dst, r)
}

// Self implements [store.Getter].
func (s *Store) Self() store.Store { return s }

// Close implements [store.Store]. What was stored is gone.
func (s *Store) Close() error {
	if s.engine.core.Close() {
		s.engine.clear()
	}
	return nil
}

// OnCommit implements [store.CommitHooker].
func (s *Store) OnCommit(hook func(version uint64, changes []store.Change)) (remove func()) {
	return s.engine.core.Hooks.Add(hook)
}

// Size implements [store.Sizer]: the bytes in keys and values, and about what
// the tree takes.
func (s *Store) Size() (int64, error) { return s.engine.footprint(), nil }

// Verified implements [store.Verified]: what is here has never left memory.
func (s *Store) Verified() bool { return true }

// KeepsSeals implements [store.SealKeeper].
func (s *Store) KeepsSeals() bool { return true }
