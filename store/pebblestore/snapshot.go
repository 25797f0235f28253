package pebblestore

import (
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// snapshot is a snapshot of Pebble's, which all who read a version share. The
// committer takes it after the engine has the version and before it is published,
// so that none shows what is not published, and none is missing at a Begin. It has
// one user more than there are readers for as long as it is the newest, and ends
// with its last user.
type snapshot struct {
	s    *Store
	snap *pebble.Snapshot
	refs atomic.Int64
}

// newSnapshot returns a snapshot of what the engine has, with one user.
func (s *Store) newSnapshot() (n *snapshot, err error) {
	defer s.caught(&err)
	n = &snapshot{s: s, snap: s.db.NewSnapshot()}
	n.refs.Store(1)
	return n, nil
}

// release ends one user's part. After the engine's end nobody may wait for its
// locks.
func (n *snapshot) release() {
	if n.refs.Add(-1) == 0 && n.s.collapse.err() == nil {
		var err error
		defer n.s.caught(&err)
		n.snap.Close()
	}
}
