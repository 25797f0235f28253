package sqlitestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/store"
)

// Verify implements [store.Verifier]: it reads each page that is in use, compares
// its checksum, and checks that it has its place and its entries their order, which
// is SQLite's integrity_check. Commits go on meanwhile; the log grows. Close ends it.
func (s *Store) Verify(ctx context.Context) error {
	if err := s.usable(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.open, func() { cancel(store.ErrClosed) })()
	c, err := s.connectReader() // whose cache is empty
	if err != nil {
		return s.engineError("verify", err)
	}
	defer s.discard(c)
	c.db.SetInterrupt(ctx)
	err = s.integrity(c)
	c.db.SetInterrupt(context.Background())
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

// integrity has a connection check the file.
func (s *Store) integrity(c *conn) (err error) {
	defer s.caught(c, &err)
	stmt, err := c.stmt("PRAGMA integrity_check(1)")
	if err != nil {
		return s.engineError("verify", err)
	}
	found := ""
	for stmt.Step() {
		found = stmt.ColumnText(0)
	}
	if err := errors.Join(stmt.Err(), stmt.Reset()); err != nil {
		return s.engineError("verify", err)
	}
	if found != "ok" {
		return s.damaged(fmt.Errorf("sqlitestore: %s: %s: %w", s.path, found, store.ErrCorrupt))
	}
	return nil
}
