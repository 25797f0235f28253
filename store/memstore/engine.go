package memstore

import (
	"errors"
	"iter"
	"sync"

	"github.com/google/btree"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

// engine is the tree, with the transactions on it.
//
// A commit writes into the tree in place. What it replaces goes into past, if a
// transaction sees a version that had it; without such transactions nothing
// does. Who is to see what is decided in Publish, at the moment at which new
// transactions begin to see the new version.
type engine struct {
	core occ.Core

	queue occ.Queue
	seen  []uint64 // what others see; the leader's
	room  int      // in the group that is being made

	// Locks are taken in this order: the queue's, the core's, mu.

	mu      sync.RWMutex // guards what follows
	tree    *btree.BTreeG[occ.Entry]
	past    past
	version uint64 // the newest published one
	size    int64
	closed  bool
}

// Snapshot implements [occ.Engine].
func (e *engine) Snapshot(version uint64) (occ.Reader, error) {
	r := readers.Get().(*reader)
	r.engine, r.version = e, version
	return r, nil
}

// Commit implements [occ.Engine].
func (e *engine) Commit(tx *occ.Tx) (uint64, error) { return e.queue.Commit(tx) }

// errAborted is what transactions get should a hook panic in a commit with
// others.
var errAborted = errors.New("memstore: a hook panicked in the commit of another transaction: nothing was written")

// commitGroup commits, as one version, those of a group that do not conflict.
func (e *engine) commitGroup(group []*occ.Member) {
	version := e.core.Version() + 1
	n := 0
	for _, m := range group {
		if m.Err = e.core.Admit(m.Tx); m.Err == nil {
			m.Version = version
			n += m.Tx.Overlay().Len()
		}
	}
	if n == 0 {
		return
	}
	e.runHooks(version, group)
	if n > largeCommit && e.inPieces(n) {
		e.writeInPieces(version, group)
	} else {
		e.write(version, group, n)
	}
}

// inPieces says whether a large commit is made in pieces, having noted who sees
// it happen.
func (e *engine) inPieces(n int) bool {
	e.seen = e.core.Seen(e.seen[:0])
	return n > hugeCommit || len(e.seen) > 0
}

// fits says whether a group has room for the writes of its i-th member: beyond
// that, the conflict tracker would take all that follow for conflicts.
func (e *engine) fits(i int, o *occ.Overlay) bool {
	if i == 0 {
		e.room = maxGroup
	}
	e.room -= o.Len()
	return e.room >= 0
}

// runHooks calls the hooks. If one panics nothing is committed.
func (e *engine) runHooks(version uint64, group []*occ.Member) {
	if e.core.Hooks.None() {
		return
	}
	done := false
	defer func() {
		if done {
			return
		}
		e.core.Abort()
		for _, m := range group {
			m.Version, m.Err = 0, errAborted
		}
	}()
	e.core.Hooks.Run(version, e.core.Writes())
	done = true
}

// writesOf returns what the committed members of a group have written, each in
// key order.
func writesOf(group []*occ.Member) iter.Seq[occ.Entry] {
	return func(yield func(occ.Entry) bool) {
		for _, m := range group {
			if m.Err != nil {
				continue
			}
			for w := range m.Tx.Overlay().All() {
				if !yield(w) {
					return
				}
			}
		}
	}
}

// write publishes a version of n writes, then makes them, holding mu.
func (e *engine) write(version uint64, group []*occ.Member, n int) {
	// Transactions that begin on the new version from here on wait for mu
	// when they read.
	e.core.Publish(version, func(seen []uint64) {
		e.mu.Lock()
		e.version = version
		e.seen = append(e.seen[:0], seen...)
	})
	defer e.mu.Unlock()
	for w := range writesOf(group) {
		e.apply(version, w, e.seen)
	}
	e.past.sweep(n, e.seen)
}

// writeInPieces writes a version, letting go of mu now and then so that reads
// need not wait for all of it, then publishes it. So everything goes into past
// for those that read meanwhile.
func (e *engine) writeInPieces(version uint64, group []*occ.Member) {
	if n := len(e.seen); n == 0 || e.seen[n-1] != version-1 {
		e.seen = append(e.seen, version-1)
	}
	e.mu.Lock()
	n := 0
	for w := range writesOf(group) {
		if n++; n%largeCommit == 0 {
			e.past.sweep(largeCommit, e.seen)
			e.mu.Unlock()
			e.mu.Lock()
		}
		e.apply(version, w, e.seen)
	}
	e.mu.Unlock()
	e.core.Publish(version, func(seen []uint64) {
		e.mu.Lock()
		e.version = version
		e.past.sweep(0, seen)
		e.mu.Unlock()
	})
}

// apply makes one write of a version in the tree. The versions are those that
// are seen apart from it.
func (e *engine) apply(version uint64, w occ.Entry, seen []uint64) {
	var old occ.Entry
	if w.Deleted() {
		old, _ = e.tree.Delete(w)
	} else {
		old, _ = e.tree.ReplaceOrInsert(w)
		e.size += int64(w.Size())
	}
	e.size -= int64(old.Size())
	if len(seen) > 0 {
		e.past.keep(version, w, old, seen)
	}
}

// get returns the value of key at a version, with mu read-locked.
func (e *engine) get(key []byte, version uint64) ([]byte, bool) {
	p := occ.Pivot(key)
	if version < e.past.newest {
		if old, changed := e.past.get(p, version); changed {
			return old.Value(), !old.Deleted()
		}
	}
	found, ok := e.tree.Get(p)
	if !ok {
		return nil, false
	}
	return found.Value(), true
}

// getNewest returns the value of key in the newest published version.
func (e *engine) getNewest(key []byte) ([]byte, error) {
	e.mu.RLock()
	value, ok := e.get(key, e.version)
	closed := e.closed
	e.mu.RUnlock()
	switch {
	case closed:
		return nil, store.ErrClosed
	case !ok:
		return nil, store.ErrNotFound
	}
	return value, nil
}

// fillNewest appends the first entries of r in the newest published version to dst
// until its capacity is used up. It returns false where that is not to be had at once.
func (e *engine) fillNewest(dst []occ.Entry, r store.Range) ([]occ.Entry, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed || e.version < e.past.newest {
		return dst, false
	}
	return occ.FillTree(e.tree, dst, r), true
}

// fill appends the first entries of r at a version to dst until its capacity is
// used up. It lets go of mu now and then.
func (e *engine) fill(dst []occ.Entry, r store.Range, version uint64) []occ.Entry {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if version >= e.past.newest {
		return occ.FillTree(e.tree, dst, r)
	}
	buf := buffers.Get().(*buffer)
	defer buf.free()
	// What has come since the version is passed over, however much it is.
	for room := min(cap(dst)-len(dst), hold); ; room = min(2*room, hold) {
		piece := occ.FillTree(e.tree, buf.room(room), r)
		part, more := r, len(piece) == room
		if more {
			part, r = cut(r, piece[len(piece)-1].Key())
		}
		dst = e.past.merge(dst, piece, part, version)
		if len(dst) == cap(dst) || !more {
			return dst
		}
		e.mu.RUnlock()
		e.mu.RLock()
	}
}

// cut divides r behind key, in its direction.
func cut(r store.Range, key []byte) (part, rest store.Range) {
	part, rest = r, r
	if r.Reverse {
		part.Lo, rest.Hi = key, key
		return part, rest
	}
	behind := append(key[:len(key):len(key)], 0)
	part.Hi, rest.Lo = behind, behind
	return part, rest
}

// clear drops everything. The readers are gone.
func (e *engine) clear() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tree, e.past, e.size, e.closed = btree.NewG(degree, occ.Less), newPast(), 0, true
}

// itemSize is about what an entry takes in the tree, its share of half-empty
// nodes included.
const itemSize = 64

func (e *engine) footprint() int64 {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.size + itemSize*int64(e.tree.Len()) + e.past.size
}
