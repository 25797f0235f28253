package pgstore

import (
	"context"
	"time"
)

// Collect drops what is older than keep, as is done in the background.
func (s *Store) Collect(ctx context.Context, keep time.Duration) error {
	return s.backend.collect(ctx, keep)
}

// Count returns the number of rows of a table.
func (s *Store) Count(ctx context.Context, table string) (n int, err error) {
	err = s.backend.pool.QueryRow(ctx, in(s.backend.place.schema, "select count(*) from @."+table)).Scan(&n)
	return n, err
}

// Exec runs a statement in the store's schema.
func (s *Store) Exec(ctx context.Context, statement string, args ...any) error {
	_, err := s.backend.pool.Exec(ctx, in(s.backend.place.schema, statement), args...)
	return err
}
