package boltstore

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/kivisdb/kivis/store"
)

// snapshot is a read transaction of bbolt's, which all who read a version share.
//
// The invariants that keep readers and commits out of each other's way:
//
//   - The file is mapped once, when it is opened. To map it anew bbolt would wait
//     for all its read transactions, and a commit for whoever reads, perhaps for
//     itself; so a file is not allowed to grow beyond what is mapped.
//   - A snapshot is taken by the committer, after the engine has the version and
//     before it is published. So none shows what is not published, and none is
//     missing at a Begin.
//   - It has one user more than there are readers for as long as it is the newest,
//     and ends with its last user. Pages that it shows are not written to before.
type snapshot struct {
	s    *Store
	tx   *bolt.Tx
	data *bolt.Bucket
	refs atomic.Int64

	mu   sync.Mutex
	idle []*reader // closed ones, for their cursors
}

// newSnapshot returns a snapshot of what the engine has, with one user.
func (s *Store) newSnapshot(version uint64) (snap *snapshot, err error) {
	var tx *bolt.Tx
	defer func() {
		if err != nil && tx != nil {
			snap = nil
			tx.Rollback()
		}
	}()
	defer s.caught(&err, watched())
	tx, err = s.db.Begin(false)
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return nil, store.ErrClosed
	}
	if err != nil {
		return nil, fmt.Errorf("boltstore: version %d: %w", version, err)
	}
	snap = &snapshot{s: s, tx: tx, data: tx.Bucket(dataBucket)}
	if snap.data == nil {
		return nil, s.damaged(fmt.Errorf("boltstore: %s has no bucket %q: %w", s.path, dataBucket, store.ErrCorrupt))
	}
	snap.refs.Store(1)
	return snap, nil
}

// reader returns a reader, under the core's lock, for the newest snapshot alone.
func (n *snapshot) reader() *reader {
	n.refs.Add(1)
	n.mu.Lock()
	defer n.mu.Unlock()
	if last := len(n.idle) - 1; last >= 0 {
		r := n.idle[last]
		n.idle = n.idle[:last]
		return r
	}
	return &reader{snap: n}
}

// maxIdle is how many closed readers a snapshot keeps.
const maxIdle = 64

// keep takes back a reader that is closed.
func (n *snapshot) keep(r *reader) {
	n.mu.Lock()
	if len(n.idle) < maxIdle {
		n.idle = append(n.idle, r)
	}
	n.mu.Unlock()
	n.release()
}

// release ends one user's part.
func (n *snapshot) release() {
	if n.refs.Add(-1) == 0 {
		n.tx.Rollback()
	}
}
