package migrate

import (
	"bytes"
	"context"
	"log/slog"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

// rewriteAll brings the records of tables to their newest version, through
// functions where there are some.
func (m *Migrator) rewriteAll(ctx context.Context, ids []uint32) error {
	for _, id := range ids {
		if err := m.rewriteTable(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// rewriteLater is rewriteAll while the database is in use.
func (m *Migrator) rewriteLater(ids []uint32) {
	m.builds.start(func(ctx context.Context) {
		if err := m.rewriteAll(ctx, ids); err != nil && ctx.Err() == nil {
			m.opts.Logger.LogAttrs(ctx, slog.LevelError, "rewriting records failed", slog.String("error", errorKind(err)))
		}
	})
}

// rewriteTable rewrites one table. A record's version says whether that is done,
// so it goes on wherever an earlier run was stopped.
//
// Invariant: from the commit on that began a migration, every writer writes the
// newest version. So after a pass that found nothing to rewrite no record is of
// another, and the older versions can go.
func (m *Migrator) rewriteTable(ctx context.Context, id uint32) (err error) {
	tb := m.db.Schema().ByID(id)
	if tb == nil {
		return nil // it has been dropped
	}
	total, err := countRecords(ctx, m.db, tb)
	if err != nil {
		return err
	}
	j := m.jobs.start(schema.IndexRef{Table: id}, Status{Work: Rewriting, Table: tb.Name, Phase: Writing, Total: total})
	defer func() { m.jobs.end(ctx, j, err, true) }()
	for again := true; again; {
		r := rewriting{db: m.db, id: id, job: j}
		if err := r.run(ctx); err != nil {
			return err
		}
		if again = r.written > 0; again {
			j.phase(Finishing, total)
		}
	}
	if err := m.buildRest(ctx, id); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.db.ChangeCatalog(ctx, m.models, func(c *schema.Catalog) (tables.Edition, error) {
		next, touched := c.FinishRewrite(id)
		return tables.Edition{Catalog: next, Touched: touched}, nil
	})
}

// buildRest builds the indexes of a table that have not been read while its
// records were rewritten.
func (m *Migrator) buildRest(ctx context.Context, id uint32) error {
	set := m.db.Schema()
	tb := set.ByID(id)
	if migrating, _ := tb.Migrating(); !migrating {
		return nil
	}
	var refs []schema.IndexRef
	for _, ix := range tb.Indexes {
		if ix.State != schema.Ready {
			refs = append(refs, schema.IndexRef{Table: id, Index: ix.ID})
		}
	}
	if len(refs) == 0 {
		return nil
	}
	for _, err := range m.buildTable(ctx, set, refs, true) {
		if err != nil {
			return err
		}
	}
	return nil
}

// rewriting is one pass over the records of a table.
type rewriting struct {
	db   *tables.DB
	id   uint32
	job  *job
	pace pacer

	after   []byte // key tuple of the last record that has been looked at
	written int
	more    bool
	chunk   rewriteChunk
}

// rewriteChunk is what an attempt at a chunk has come to.
type rewriteChunk struct {
	seen  int
	last  []byte
	stale [][2][]byte // key tuples and values
}

func (r *rewriting) run(ctx context.Context) error {
	r.pace.db = r.db
	for r.more = true; r.more; {
		if _, err := r.db.Write(ctx, r); err != nil {
			return err
		}
		r.after = bytes.Clone(r.chunk.last)
		r.written += len(r.chunk.stale)
		r.job.step(r.chunk.seen)
		if err := r.pace.end(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Run rewrites a chunk of records, fewer at the next attempt.
func (r *rewriting) Run(ctx context.Context, t *tables.Tx) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	tb := t.Schema().ByID(r.id)
	if tb == nil {
		r.more = false
		return nil // it has been dropped
	}
	size := r.pace.begin()
	if err := r.look(t, tb, size); err != nil {
		return err
	}
	r.more = r.chunk.seen == size
	culprit, err := t.Batch(func() error {
		for _, x := range r.chunk.stale {
			if err := t.Rewrite(tb, x[0], x[1]); err != nil {
				return recordError(tb, x[0], err)
			}
		}
		return nil
	})
	if culprit != nil {
		err = recordError(tb, culprit, err)
	}
	return err
}

// look finds the records of a chunk that are of an older version.
func (r *rewriting) look(t *tables.Tx, tb *schema.Table, size int) error {
	r.chunk = rewriteChunk{last: r.after}
	prefix := tb.Prefix(0)
	in := record.PrefixRange(prefix)
	if r.after != nil {
		in.Lo = append(append(bytes.Clone(prefix), r.after...), 0)
	}
	c, err := t.Scan(in)
	if err != nil {
		return err
	}
	defer c.Close()
	for r.chunk.seen < size && c.Next() {
		tuple, value := bytes.Clone(c.Key()[len(prefix):]), c.Value()
		r.chunk.seen, r.chunk.last = r.chunk.seen+1, tuple
		current, err := record.IsCurrent(tb, tuple, value)
		if err != nil {
			return err
		}
		if !current {
			r.chunk.stale = append(r.chunk.stale, [2][]byte{tuple, bytes.Clone(value)})
		}
	}
	return c.Err()
}

// recordError says that a record could not be rewritten.
func recordError(tb *schema.Table, tuple []byte, err error) error {
	e := schema.NewChangeError(tb.Name, schema.Difference{Kind: "rewriting fails", Records: 1,
		Detail: "record " + record.RefTo(tb, tuple).String() + ": " + err.Error(),
		Remedy: "change the record or the function, and Register again: it goes on from there"})
	e.Causes = []error{err}
	return e
}
