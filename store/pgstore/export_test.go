package pgstore

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
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

// Served returns how many requests a replica has answered since the last time.
func (s *Store) Served(i int) uint64 { return s.backend.replicas.list[i].served.Swap(0) }

const MaxPage = maxPage

// Page makes one scan of the newest version.
func (s *Store) Page(ctx context.Context, r store.Range, limit int) (entries []remote.Entry, more bool, err error) {
	return s.backend.Scan(ctx, math.MaxInt64, r, limit)
}

// ScanPlans returns the server's plans for all statements of scans, for a page of 100, in one
// way of planning.
func (s *Store) ScanPlans(ctx context.Context, mode string) (plans []string, err error) {
	conn, err := pgx.ConnectConfig(ctx, s.backend.place.config.ConnConfig)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "set plan_cache_mode = "+mode); err != nil {
		return nil, err
	}
	for i, statement := range slices.Concat(s.backend.sql.scan[0][:], s.backend.sql.scan[1][:], s.backend.sql.sizedScan[0][:], s.backend.sql.sizedScan[1][:]) {
		name, args := fmt.Sprint("s", i), "2, '\\x00', 100, 4096"
		if strings.Contains(statement, below) {
			args += ", '\\xff'"
		}
		if _, err := conn.Prepare(ctx, name, statement); err != nil {
			return nil, err
		}
		rows, err := conn.Query(ctx, "explain execute "+name+"("+args+")", pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			return nil, err
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return nil, err
		}
		plans = append(plans, strings.Join(lines, "\n"))
	}
	return plans, nil
}
