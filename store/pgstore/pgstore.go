package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

var (
	_ store.Store   = (*Store)(nil)
	_ store.Getter  = (*Store)(nil)
	_ store.Feeder  = (*Store)(nil)
	_ store.Watcher = (*Store)(nil)
)

// Store is a [store.Store] in a PostgreSQL server.
type Store struct {
	*remote.Store
	backend *backend
}

// Open opens the store that a URL says, and makes it if it is not there.
func Open(ctx context.Context, url string, o *Options) (*Store, error) {
	opts, err := o.filled()
	if err != nil {
		return nil, err
	}
	p, err := placeOf(url)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, p.config)
	if err != nil {
		return nil, fmt.Errorf("pgstore: %w", err)
	}
	if err := migrate(ctx, pool, p.schema, &opts); err != nil {
		pool.Close()
		return nil, fmt.Errorf("pgstore: opening %s: %w", p.schema, outcome(err))
	}
	b := newBackend(pool, p, opts)
	if b.replicas, err = openReplicas(ctx, b, opts.Replicas); err != nil {
		b.Close()
		return nil, err
	}
	s, err := remote.Open(ctx, b, opts.remote())
	if err != nil {
		b.Close()
		return nil, err
	}
	if !opts.ReadOnly {
		b.collecting(opts.Keep)
	}
	return &Store{s, b}, nil
}

// Self implements [store.Getter].
func (s *Store) Self() store.Store { return s }

// Size implements [store.Sizer]: what the server's tables take.
func (s *Store) Size() (int64, error) {
	var size int64
	err := s.backend.pool.QueryRow(context.Background(), in(s.backend.place.schema,
		"select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint from pg_class c where c.relkind = 'r' and c.relnamespace = '@'::regnamespace")).Scan(&size)
	return size, outcome(err)
}
