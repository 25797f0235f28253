package pgstore

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

var _ remote.Replicated = (*backend)(nil)

// backend is the server. Each request is one statement, which sees one state of
// all tables, so that what it says of versions that are kept and what it reads fit.
type backend struct {
	server   // the one that commits
	place    *place
	listener listener
	replicas *replicas // nil where there are none

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// statements are those of a schema.
type statements struct {
	head, read, readMany, changes, commit, collect string

	// Forward and in reverse, each without an upper bound and with one.
	scan, sizedScan [2][2]string
}

func newBackend(pool *pgxpool.Pool, p *place, opts Options) *backend {
	b := &backend{server: server{pool: pool, sql: statementsOf(p.schema)}, place: p}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.listener = listener{config: p.config.ConnConfig, channel: p.schema, poll: opts.Poll}
	return b
}

func statementsOf(schema string) *statements {
	// What is read is preceded by which versions can be, and by what tells versions apart:
	// see parseState.
	state := `int8send(h.kept) || int8send(h.version) ||
		coalesce(timestamptz_send(case when h.version = $1 then h.at else (select l.at from @.log l where l.version = $1) end), '')`
	return &statements{
		head:     in(schema, "select version, at from @.head"),
		read:     in(schema, "select "+state+", "+valueOf("$2")+" from @.head h"),
		readMany: in(schema, "select "+state+", array(select "+valueOf("k.key")+" from unnest($2::bytea[]) with ordinality k(key, i) order by k.i) from @.head h"),
		changes: in(schema, `select h.version, h.at, h.boundary, l.version, l.at, l.keys, l.done
			from @.head h left join lateral (select * from @.log where version > $1 order by version limit $2) l on true order by l.version`),
		commit:    in(schema, "select @.commit($1, $2, $3, $4, $5, $6, $7)"),
		collect:   in(schema, "select @.collect($1, $2)"),
		scan:      scansOf(schema, state, scanOf),
		sizedScan: scansOf(schema, state, sizedScanOf),
	}
}

// valueOf is the value of a key at version $1.
func valueOf(key string) string {
	return "(select e.value from @.entries e where e.key = " + key + " and e.version <= $1 order by e.version desc limit 1)"
}

// Close implements io.Closer.
func (b *backend) Close() error {
	b.cancel()
	b.work.Wait()
	b.listener.close()
	b.replicas.close()
	b.pool.Close()
	return nil
}

// Head implements remote.Backend.
func (b *backend) Head(ctx context.Context) (version uint64, err error) {
	var at time.Time
	if err = b.pool.QueryRow(ctx, b.sql.head).Scan(&version, &at); err != nil {
		return 0, outcome(err)
	}
	b.replicas.learn(version, at)
	return version, nil
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

// Read implements remote.Backend.
func (b *backend) Read(ctx context.Context, version uint64, keys [][]byte) ([][]byte, error) {
	values, _, err := b.server.read(ctx, version, keys)
	return values, outcome(err)
}

// Scan implements remote.Backend.
func (b *backend) Scan(ctx context.Context, version uint64, r store.Range, limit int) ([]remote.Entry, bool, error) {
	if isEmpty(r) {
		return nil, false, nil
	}
	entries, more, _, err := b.server.scan(ctx, version, r, limit)
	return entries, more, outcome(err)
}

// Replicas implements remote.Replicated.
func (b *backend) Replicas() remote.Reads {
	if b.replicas == nil {
		return b
	}
	return b.replicas
}
