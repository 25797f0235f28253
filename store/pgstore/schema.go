package pgstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kivisdb/kivis/store"
)

// migrations lead from each format of the server's schema to the next: the first
// from none to 1. What has been released does not change.
var migrations = []string{format1}

//go:embed format1.sql
var format1 string

// in returns a statement for a schema, whose name stands there
// as @, or in a literal as #.
func in(schema, statement string) string {
	return strings.NewReplacer("@", pgx.Identifier{schema}.Sanitize(), "#", schema).Replace(statement)
}

// migrate brings the schema to the newest format, making it if it is not there.
func migrate(ctx context.Context, pool *pgxpool.Pool, schema string, o *Options) error {
	format, err := formatOf(ctx, pool, schema)
	switch {
	case err != nil:
		return err
	case format == len(migrations):
		return nil
	case format > len(migrations):
		return fmt.Errorf("pgstore: the schema %s has format %d, and this release knows those up to %d: a newer release has made it", schema, format, len(migrations))
	case format == 0 && o.ReadOnly:
		return fmt.Errorf("pgstore: schema %s: %w: %w", schema, errAbsent, store.ErrReadOnly)
	case format == 0 && o.MustExist:
		return fmt.Errorf("pgstore: schema %s: %w", schema, errAbsent)
	case o.ReadOnly:
		return fmt.Errorf("pgstore: the schema %s has format %d, not %d: %w", schema, format, len(migrations), store.ErrReadOnly)
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		// Others may be about to do the same.
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtextextended($1, 0))", schema); err != nil {
			return err
		}
		format, err := formatOf(ctx, tx, schema)
		if err != nil || format >= len(migrations) {
			return err
		}
		for _, m := range migrations[format:] {
			if _, err := tx.Exec(ctx, in(schema, m)); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, in(schema, "update @.head set format = $1"), len(migrations))
		return err
	})
}

// querier is a pool or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// hasHead asks whether a schema has its first table. It reads the server's catalog: what
// to_regclass says may be remembered from before another has made the table.
const hasHead = `select exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
	where n.nspname = $1 and c.relname = 'head')`

// formatOf returns the format of a schema, 0 where it is not there.
func formatOf(ctx context.Context, q querier, schema string) (format int, err error) {
	var there bool
	err = q.QueryRow(ctx, hasHead, schema).Scan(&there)
	if err != nil || !there {
		return 0, err
	}
	err = q.QueryRow(ctx, in(schema, "select format from @.head")).Scan(&format)
	return format, err
}

// Drop removes the store that a URL says, with all that it holds. Nobody may have
// it open. There is no error where there is none.
func Drop(ctx context.Context, url string) error {
	p, err := placeOf(url)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, p.config.ConnConfig)
	if err != nil {
		return fmt.Errorf("pgstore: %w", err)
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, in(p.schema, "drop schema if exists @ cascade"))
	return err
}

// codeOf returns the code of a server's error, or "".
func codeOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
