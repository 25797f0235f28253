package pgstore

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

var _ remote.Backend = (*backend)(nil)

// backend is the server. Each request is one statement, which sees one state of
// all tables, so that what it says of versions that are kept and what it reads fit.
type backend struct {
	pool     *pgxpool.Pool
	place    *place
	listener listener
	sql      statements

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// statements are those of a schema.
type statements struct {
	head, read, readMany, changes, commit, collect string
	scan                                           [2]string // forward, in reverse
}

func newBackend(pool *pgxpool.Pool, p *place, opts Options) *backend {
	b := &backend{pool: pool, place: p}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.listener = listener{config: p.config.ConnConfig, channel: p.schema, poll: opts.Poll}
	b.sql = statements{
		head:     in(p.schema, "select version from @.head"),
		read:     in(p.schema, "select kept, "+valueOf("$2")+" from @.head"),
		readMany: in(p.schema, "select kept, array(select "+valueOf("k.key")+" from unnest($2::bytea[]) with ordinality k(key, i) order by k.i) from @.head"),
		changes: in(p.schema, `select h.version, h.boundary, l.version, l.at, l.keys, l.done
			from @.head h left join lateral (select * from @.log where version > $1 order by version limit $2) l on true order by l.version`),
		commit:  in(p.schema, "select @.commit($1, $2, $3, $4, $5, $6, $7)"),
		collect: in(p.schema, "select @.collect($1, $2)"),
		scan:    [2]string{in(p.schema, scanOf("")), in(p.schema, scanOf("desc"))},
	}
	return b
}

// valueOf is the value of a key at version $1.
func valueOf(key string) string {
	return "(select e.value from @.entries e where e.key = " + key + " and e.version <= $1 order by e.version desc limit 1)"
}

// maxPage is how many bytes of values one scan returns, or one entry if that has more.
const maxPage = 4 << 20

// scanOf is a scan in a direction, of which the last column says what the values
// take up to there. A row without a key says that there are no entries.
func scanOf(direction string) string {
	return `select h.kept, s.key, case when not $5 then s.value end, s.size
		from @.head h left join lateral (
			select n.key, n.value, n.size from (
				select f.key, f.value, sum(octet_length(f.value)) over (order by f.key ` + direction + ` rows unbounded preceding) as size
				from (
					select distinct on (e.key) e.key, e.value from @.entries e
					where e.key >= $2 and ($3::bytea is null or e.key < $3) and e.version <= $1
					order by e.key ` + direction + `, e.version desc
				) f where f.value is not null limit $4
			) n where $5 or n.size - octet_length(n.value) < $6
		) s on true`
}

// Close implements io.Closer.
func (b *backend) Close() error {
	b.cancel()
	b.work.Wait()
	b.listener.close()
	b.pool.Close()
	return nil
}

// Head implements remote.Backend.
func (b *backend) Head(ctx context.Context) (version uint64, err error) {
	err = b.pool.QueryRow(ctx, b.sql.head).Scan(&version)
	return version, outcome(err)
}

// Read implements remote.Backend.
func (b *backend) Read(ctx context.Context, version uint64, keys [][]byte) ([][]byte, error) {
	version = min(version, math.MaxInt64)
	var kept uint64
	values := make([][]byte, 1)
	var err error
	if len(keys) == 1 {
		err = b.pool.QueryRow(ctx, b.sql.read, version, present(keys[0])).Scan(&kept, &values[0])
	} else {
		err = b.pool.QueryRow(ctx, b.sql.readMany, version, allPresent(keys)).Scan(&kept, &values)
	}
	if err == nil {
		err = checkKept(version, kept)
	}
	return values, outcome(err)
}

// present returns key, which is not null.
func present(key []byte) []byte {
	if key == nil {
		return []byte{}
	}
	return key
}

// allPresent returns keys, of which none is null.
func allPresent(keys [][]byte) [][]byte {
	if !slices.ContainsFunc(keys, func(key []byte) bool { return key == nil }) {
		return keys
	}
	list := make([][]byte, len(keys))
	for i, key := range keys {
		list[i] = present(key)
	}
	return list
}

// checkKept returns an error if a version is older than those that are kept.
func checkKept(version, kept uint64) error {
	if version < kept {
		return fmt.Errorf("pgstore: version %d is no longer kept, the oldest is %d: %w", version, kept, store.ErrSnapshotTooOld)
	}
	return nil
}

// Scan implements remote.Backend.
func (b *backend) Scan(ctx context.Context, version uint64, r store.Range, limit int) (entries []remote.Entry, more bool, err error) {
	if r.Hi != nil && bytes.Compare(r.Lo, r.Hi) >= 0 {
		return nil, false, nil
	}
	statement := b.sql.scan[0]
	if r.Reverse {
		statement = b.sql.scan[1]
	}
	rows, err := b.pool.Query(ctx, statement, version, present(r.Lo), r.Hi, limit, r.KeysOnly, maxPage)
	if err != nil {
		return nil, false, outcome(err)
	}
	entries = make([]remote.Entry, 0, limit)
	var kept uint64
	var size *int64
	var e remote.Entry
	_, err = pgx.ForEachRow(rows, []any{&kept, &e.Key, &e.Value, &size}, func() error {
		if size != nil {
			entries = append(entries, e)
			more = len(entries) == limit || !r.KeysOnly && *size >= maxPage
		}
		e = remote.Entry{}
		return checkKept(version, kept)
	})
	if err != nil {
		return nil, false, outcome(err)
	}
	return entries, more, nil
}
