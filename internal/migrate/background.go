package migrate

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"sync"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

// background runs the index builds that Register did not wait for. The zero
// value is ready.
type background struct {
	mu     sync.Mutex
	wg     sync.WaitGroup
	ctx    context.Context
	cancel context.CancelFunc
	ended  bool
}

// start runs fn, unless stop has been called, with a context that stop ends.
func (b *background) start(fn func(context.Context)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return
	}
	if b.ctx == nil {
		b.ctx, b.cancel = context.WithCancel(context.Background())
	}
	ctx := b.ctx
	b.wg.Go(func() { fn(ctx) })
}

// stop ends what is running and waits for it.
func (b *background) stop() {
	b.mu.Lock()
	b.ended = true
	if b.cancel != nil {
		b.cancel()
	}
	b.mu.Unlock()
	b.wg.Wait()
}

// buildLater builds indexes while the database is in use. What a Close or a
// kill interrupts goes on at the next Register.
func (m *Migrator) buildLater(refs []schema.IndexRef) {
	m.builds.start(func(ctx context.Context) {
		for _, group := range byTable(refs) {
			for ref, err := range m.buildTable(ctx, m.db.Schema(), group, true) {
				if err == nil {
					err = m.markReady(ctx, ref)
				}
				if err != nil && ctx.Err() == nil {
					m.failed.add(ref, err)
					m.logFailure(ctx, ref, err)
				}
			}
		}
	})
}

// logFailure logs that a build in the background has failed.
func (m *Migrator) logFailure(ctx context.Context, ref schema.IndexRef, err error) {
	tb := m.db.Schema().ByID(ref.Table)
	if tb == nil || tb.IndexByID(ref.Index) == nil {
		return
	}
	m.opts.Logger.LogAttrs(ctx, slog.LevelError, "index build failed",
		slog.String("table", tb.Name), slog.String("index", tb.IndexByID(ref.Index).Name), slog.String("error", errorKind(err)))
}

// byTable groups indexes by their tables.
func byTable(refs []schema.IndexRef) (groups [][]schema.IndexRef) {
	for _, ref := range refs {
		i := slices.IndexFunc(groups, func(g []schema.IndexRef) bool { return g[0].Table == ref.Table })
		if i < 0 {
			groups, i = append(groups, nil), len(groups)
		}
		groups[i] = append(groups[i], ref)
	}
	return groups
}

// buildTable builds indexes of one table of set in one scan, and yields what
// became of each. Those that are gone are left out. The jobs of those that fail
// are kept if keep is set.
func (m *Migrator) buildTable(ctx context.Context, set *schema.Set, refs []schema.IndexRef, keep bool) iter.Seq2[schema.IndexRef, error] {
	return func(yield func(schema.IndexRef, error) bool) {
		b := build{db: m.db, tb: set.ByID(refs[0].Table)}
		if b.tb == nil {
			return
		}
		total, _ := countRecords(ctx, m.db, b.tb) // a build says what is wrong
		var there []schema.IndexRef
		for _, ref := range refs {
			if ix := b.tb.IndexByID(ref.Index); ix != nil {
				there, b.ixs = append(there, ref), append(b.ixs, ix)
				b.jobs = append(b.jobs, m.jobs.start(ref, Status{Work: IndexBuild, Table: b.tb.Name, Index: ix.Name, Phase: Building, Total: total}))
			}
		}
		if len(there) == 0 {
			return
		}
		for i, err := range b.run(ctx) {
			m.jobs.end(ctx, b.jobs[i], err, keep)
			if !yield(there[i], err) {
				return
			}
		}
	}
}

// markReady marks an index ready that has been built.
func (m *Migrator) markReady(ctx context.Context, ref schema.IndexRef) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.db.ChangeCatalog(ctx, m.models, func(c *schema.Catalog) (tables.Edition, error) {
		next, ready := c.MarkReady([]schema.IndexRef{ref})
		return tables.Edition{Catalog: next, Touched: ready, Built: []schema.IndexRef{ref}}, nil
	})
}

// errorKind returns an error's text for the log, which holds no values of
// records.
func errorKind(err error) string {
	var change *schema.ChangeError
	var damage *record.CorruptError
	switch {
	case errors.As(err, &change):
		return "stored data breaks a unique index"
	case errors.As(err, &damage):
		return "damaged bytes in the store: run Check"
	}
	return err.Error()
}
