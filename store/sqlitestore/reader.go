package sqlitestore

import (
	"errors"

	"github.com/kivisdb/kivis/store"
)

// reader reads one version, for one goroutine at a time.
type reader struct {
	snap *snapshot
	c    *conn // nil before the first read
}

// conn returns the reader's connection, locked.
func (r *reader) conn() (*conn, error) {
	if r.c == nil {
		c, err := r.snap.attach()
		if err != nil {
			return nil, err
		}
		r.c = c
	}
	r.c.mu.Lock()
	if r.c.broken {
		r.c.mu.Unlock()
		return nil, errBroken
	}
	return r.c, nil
}

// errBroken is what a connection returns that the engine has panicked in.
var errBroken = errors.New("sqlitestore: the engine has lost the connection; begin another transaction")

// Get implements occ.Reader.
func (r *reader) Get(key []byte) (value []byte, err error) {
	c, err := r.conn()
	if err != nil {
		return nil, err
	}
	defer c.mu.Unlock()
	defer r.snap.s.caught(c, &err)
	return r.get(c, key)
}

// GetMany implements occ.Reader.
func (r *reader) GetMany(keys, values [][]byte) (err error) {
	c, err := r.conn()
	if err != nil {
		return err
	}
	defer c.mu.Unlock()
	defer r.snap.s.caught(c, &err)
	for i, key := range keys {
		value, err := r.get(c, key)
		if err != nil && err != store.ErrNotFound {
			return err
		}
		values[i] = value
	}
	return nil
}

func (r *reader) get(c *conn, key []byte) ([]byte, error) {
	stmt, err := c.stmt(sqlGet)
	if err == nil {
		err = bind(stmt, 1, key)
	}
	if err != nil {
		return nil, r.snap.s.engineError("get", err)
	}
	var value []byte
	found := stmt.Step()
	if found {
		raw := stmt.ColumnRawBlob(0)
		value = append(make([]byte, 0, len(raw)), raw...)
	}
	err = stmt.Err()
	if e := stmt.Reset(); err == nil {
		err = e
	}
	switch {
	case err != nil:
		return nil, r.snap.s.engineError("get", err)
	case !found:
		return nil, store.ErrNotFound
	}
	return value, nil
}

// Count implements store.Counter.
func (r *reader) Count(g store.Range) (n int, err error) {
	c, err := r.conn()
	if err != nil {
		return 0, err
	}
	defer c.mu.Unlock()
	defer r.snap.s.caught(c, &err)
	n, err = c.count(g)
	return n, r.snap.s.engineError("count", err)
}

func (c *conn) count(g store.Range) (n int, err error) {
	text := sqlCount
	if g.Hi == nil {
		text = sqlCountOn
	}
	stmt, err := c.stmt(text)
	if err == nil {
		err = bind(stmt, 1, g.Lo)
	}
	if err == nil && g.Hi != nil {
		err = bind(stmt, 2, g.Hi)
	}
	if err != nil {
		return 0, err
	}
	if stmt.Step() {
		n = int(stmt.ColumnInt64(0))
	}
	return n, errors.Join(stmt.Err(), stmt.Reset())
}

// Close implements occ.Reader.
func (r *reader) Close() {
	if r.c != nil {
		r.snap.detach(r.c)
		r.c = nil
	}
	r.snap.release()
	r.snap = nil
}
