package memstore

import (
	"sync"

	"github.com/google/btree"

	"github.com/kivisdb/kivis/store/occ"
)

// engine is the tree, with the transactions on it.
//
// A commit writes into the tree in place, which is only right while nobody
// else is to see it as it was. Each version has a generation, which its readers
// hold. The invariant, under mu:
//
//	the state at a generation is its tree or, where that is nil, the engine's
//	tree, and the latter is so only for the newest generation, or for one that
//	no reader holds.
//
// So a commit gives the old generation a clone exactly if a transaction other
// than the one committed sees it, and decides so at the moment at which new
// transactions begin to see the new one. Without such transactions nothing is
// ever cloned, and no node copied.
type engine struct {
	core occ.Core

	committer sync.Mutex // held throughout a commit

	// Locks are taken in this order: committer, the core's, mu.

	mu   sync.RWMutex // guards tree, size and every generation's tree
	tree *btree.BTreeG[occ.Entry]
	size int64

	now *generation // the newest; under the core's lock
}

// generation is the state at one version.
type generation struct {
	tree *btree.BTreeG[occ.Entry] // never written to
}

// Snapshot implements [occ.Engine].
func (e *engine) Snapshot(uint64) (occ.Reader, error) {
	r := readers.Get().(*reader)
	r.engine, r.generation = e, e.now
	return r, nil
}

// Commit implements [occ.Engine].
func (e *engine) Commit(tx *occ.Tx) (uint64, error) {
	e.committer.Lock()
	defer e.committer.Unlock()
	if err := e.core.Admit(tx); err != nil {
		return 0, err
	}
	version := e.core.Version() + 1
	writes := e.core.Writes()
	e.core.Hooks.Run(version, writes)
	if writes.Len() > largeCommit {
		e.replace(version, writes)
	} else {
		e.update(version, writes)
	}
	return version, nil
}

// update writes into the tree in place, having cloned it if it must.
func (e *engine) update(version uint64, writes *occ.Overlay) {
	// Transactions that begin on the new version from here on wait for mu
	// when they read.
	e.core.Publish(version, func(seen bool) {
		e.mu.Lock()
		if seen {
			e.now.tree = e.tree.Clone()
			e.now = new(generation)
		}
	})
	defer e.mu.Unlock()
	e.size += apply(e.tree, writes)
}

// replace writes into a clone, which then takes the tree's place.
func (e *engine) replace(version uint64, writes *occ.Overlay) {
	e.mu.Lock()
	next := e.tree.Clone()
	e.mu.Unlock()
	grown := apply(next, writes)
	e.core.Publish(version, func(bool) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.now.tree = e.tree
		e.now = new(generation)
		e.tree = next
		e.size += grown
	})
}

// apply writes into tree and returns by how many bytes it has grown.
func apply(tree *btree.BTreeG[occ.Entry], writes *occ.Overlay) int64 {
	grown := 0
	for w := range writes.All() {
		var old occ.Entry
		if w.Deleted() {
			old, _ = tree.Delete(w)
		} else {
			old, _ = tree.ReplaceOrInsert(w)
			grown += w.Size()
		}
		grown -= old.Size()
	}
	return int64(grown)
}

// clear drops everything. The readers are gone.
func (e *engine) clear() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tree, e.size = btree.NewG(degree, occ.Less), 0
}

// itemSize is about what an entry takes in the tree, its share of half-empty
// nodes included.
const itemSize = 64

func (e *engine) footprint() int64 {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.size + itemSize*int64(e.tree.Len())
}
