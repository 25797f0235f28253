package sqlitestore

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// snapshot is a version that may be read: connections that are each in a read
// transaction of it.
//
// The invariants that keep readers and commits out of each other's way:
//
//   - A connection reads the newest commit that the engine has, which is the
//     version of a snapshot until the next commit is in the engine, and then never
//     again. So it reads the state of the file first, and is let go if that is
//     not what it was to be.
//   - Before the engine gets the next commit, the newest snapshot has a connection,
//     and it keeps one for as long as it has users. So a reader always finds one,
//     if need be one that it shares with others.
//   - A snapshot has one user more than there are readers for as long as it is the
//     newest, and ends with its last user.
type snapshot struct {
	s       *Store
	version uint64
	users   atomic.Int64
	old     atomic.Bool // it is not the newest

	mu    sync.Mutex
	conns []*conn
}

// maxConns is how many connections read one version, and how many are kept that
// read none.
var maxConns = max(4, runtime.GOMAXPROCS(0))

func (s *Store) newSnapshot(version uint64) *snapshot {
	n := &snapshot{s: s, version: version}
	n.users.Store(1)
	return n
}

// reader returns a reader, under the core's lock, for the newest snapshot alone. It
// gets its connection at its first read.
func (n *snapshot) reader() *reader {
	n.users.Add(1)
	return &reader{snap: n}
}

// attach returns a connection for a reader: one that nobody uses, a new one, or one
// that others use.
func (n *snapshot) attach() (*conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.idlest()
	if c == nil || c.users > 0 && len(n.conns) < maxConns && !n.old.Load() {
		added, err := n.add()
		if err != nil && c == nil {
			return nil, err
		}
		if added != nil {
			c = added
		}
	}
	if c == nil {
		return nil, fmt.Errorf("sqlitestore: %s: version %d is gone, and another program must have written to the file", n.s.path, n.version)
	}
	c.users++
	return c, nil
}

// idlest returns the connection with the fewest users.
func (n *snapshot) idlest() (least *conn) {
	for _, c := range n.conns {
		if least == nil || c.users < least.users {
			least = c
		}
	}
	return least
}

// add adds a connection, if the engine still has the version as its newest.
func (n *snapshot) add() (*conn, error) {
	c, err := n.s.take()
	if err != nil {
		return nil, n.s.engineError("opening a connection", err)
	}
	st, err := n.s.beginRead(c)
	if err != nil {
		n.s.discard(c)
		return nil, err
	}
	if st.version != n.version {
		n.s.give(c)
		return nil, nil
	}
	n.conns = append(n.conns, c)
	return c, nil
}

// ensure sees to it that the snapshot has a connection.
func (n *snapshot) ensure() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.conns) > 0 {
		return nil
	}
	c, err := n.add()
	if err == nil && c == nil {
		err = fmt.Errorf("sqlitestore: %s: another program has written to the file", n.s.path)
	}
	return err
}

// rest lets go of the connections that nobody uses.
func (n *snapshot) rest() {
	n.mu.Lock()
	defer n.mu.Unlock()
	used := n.conns[:0]
	for _, c := range n.conns {
		if c.users > 0 {
			used = append(used, c)
			continue
		}
		n.s.give(c)
	}
	clear(n.conns[len(used):])
	n.conns = used
}

// renew has each connection of the newest snapshot begin anew. Where all that it sees
// is in the file, it keeps nobody from beginning the log anew from then on. Cursors
// notice, and go on behind their key. One in which a call is under way is left alone:
// a commit does not wait for it.
func (n *snapshot) renew() {
	n.rest()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		if !c.mu.TryLock() {
			continue
		}
		if !c.broken && !n.again(c) {
			c.broken = true
		}
		c.mu.Unlock()
	}
}

// again ends a connection's transaction, begins another, and says whether that sees
// the same.
func (n *snapshot) again(c *conn) bool {
	c.turn++
	for stmt := range c.db.Stmts() {
		stmt.Reset() // whose error is of the last step, and told
	}
	if !n.s.endRead(c) {
		return false
	}
	st, err := n.s.beginRead(c)
	return err == nil && st.version == n.version
}

// detach takes back the connection of a reader.
func (n *snapshot) detach(c *conn) {
	n.mu.Lock()
	c.users--
	n.mu.Unlock()
}

// release ends one user's part.
func (n *snapshot) release() {
	if n.users.Add(-1) == 0 {
		n.rest()
		n.s.olds.Add(-1)
	}
}

// beginRead begins a read transaction and returns the state that it sees.
func (s *Store) beginRead(c *conn) (st state, err error) {
	defer s.caught(c, &err)
	if err := c.exec(sqlBegin); err != nil {
		return st, s.engineError("begin", err)
	}
	st, err = c.state()
	return st, s.engineError("begin", err)
}

// take returns a connection that is in no transaction.
func (s *Store) take() (*conn, error) {
	s.pool.Lock()
	if last := len(s.pooled) - 1; last >= 0 {
		c := s.pooled[last]
		s.pooled = s.pooled[:last]
		s.pool.Unlock()
		return c, nil
	}
	s.pool.Unlock()
	return s.connectReader()
}

// give ends a connection's transaction and takes it back.
func (s *Store) give(c *conn) {
	if !s.endRead(c) {
		s.discard(c)
		return
	}
	s.pool.Lock()
	keep := len(s.pooled) < maxConns && !s.drained
	if keep {
		s.pooled = append(s.pooled, c)
	}
	s.pool.Unlock()
	if !keep {
		s.discard(c)
	}
}

// endRead ends a read transaction and says whether the connection is good still.
func (s *Store) endRead(c *conn) bool {
	if c.broken {
		return false
	}
	err := error(nil)
	func() {
		defer s.caught(c, &err)
		err = c.exec(sqlCommit)
	}()
	return err == nil
}

// discard closes a connection that is used no more.
func (s *Store) discard(c *conn) {
	if err := c.close(); err != nil {
		s.opts.warn("closing a connection", "file", s.path, "error", err)
	}
}

// drain closes the connections that nobody uses.
func (s *Store) drain() {
	s.pool.Lock()
	pooled := s.pooled
	s.pooled, s.drained = nil, true
	s.pool.Unlock()
	for _, c := range pooled {
		s.discard(c)
	}
}
