package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/remote"
)

// What the log says was done to a key.
const (
	wasSet = iota
	wasDeleted
	wasCreated
)

// Commit implements remote.Backend.
func (b *backend) Commit(ctx context.Context, p *remote.Proposal) (version uint64, err error) {
	n := len(p.Changes)
	keys, values, done := make([][]byte, n), make([][]byte, n), make([]byte, n)
	for i, c := range p.Changes {
		keys[i], values[i] = present(c.Key), c.Value
		switch {
		case c.Value == nil:
			done[i] = wasDeleted
		case c.Created:
			done[i] = wasCreated
		}
	}
	lo, hi := make([][]byte, len(p.Footprint)), make([][]byte, len(p.Footprint))
	for i, r := range p.Footprint {
		lo[i], hi[i] = present(r.Lo), r.Hi
	}
	err = b.pool.QueryRow(ctx, b.sql.commit, p.ID, p.Base, lo, hi, keys, values, done).Scan(&version)
	switch {
	case err != nil:
		return 0, commitOutcome(err)
	case version == 0:
		return 0, store.ErrConflict
	}
	return version, nil
}

// commitsAtOnce is how many commits one request returns.
const commitsAtOnce = 200

// logRow is a row of the log, beside the head; without a commit at the end.
type logRow struct {
	head, boundary uint64
	headAt         time.Time
	version        *uint64
	at             *time.Time
	keys           [][]byte
	done           []byte
}

// Changes implements remote.Backend.
func (b *backend) Changes(ctx context.Context, after uint64, yield func(store.Commit) bool) error {
	for {
		rows, err := b.logAfter(ctx, after)
		if err != nil {
			return err
		}
		for i := range rows {
			c, err := rows[i].commit()
			if err != nil {
				return err
			}
			after = c.Version
			if !yield(c) {
				return nil
			}
		}
		if len(rows) < commitsAtOnce {
			return nil
		}
	}
}

// logAfter returns the first rows of the log after a version.
func (b *backend) logAfter(ctx context.Context, after uint64) ([]logRow, error) {
	rows, err := b.pool.Query(ctx, b.sql.changes, after, commitsAtOnce)
	if err != nil {
		return nil, outcome(err)
	}
	var list []logRow
	var r logRow
	var newest logRow
	_, err = pgx.ForEachRow(rows, []any{&r.head, &r.headAt, &r.boundary, &r.version, &r.at, &r.keys, &r.done}, func() error {
		if r.version != nil {
			list = append(list, r)
		}
		if after < r.boundary {
			return &store.GapError{After: after, Boundary: r.boundary}
		}
		if after > r.head {
			return &store.GapError{After: after, Boundary: r.head}
		}
		newest, r = r, logRow{}
		return nil
	})
	if err == nil {
		b.replicas.learn(newest.head, newest.headAt)
	}
	return list, outcome(err)
}

// commit returns what a row says.
func (r *logRow) commit() (store.Commit, error) {
	c := store.Commit{Version: *r.version, Time: *r.at}
	if len(r.done) != len(r.keys) {
		return c, fmt.Errorf("pgstore: the log of version %d has %d keys and says of %d what was done: %w", c.Version, len(r.keys), len(r.done), store.ErrCorrupt)
	}
	for i, key := range r.keys {
		c.Writes = append(c.Writes, store.Write{Key: key, Deleted: r.done[i] == wasDeleted, Created: r.done[i] == wasCreated})
	}
	return c, nil
}
