package migrate

import (
	"context"
	"errors"
	"log/slog"
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

// buildLater builds indexes one after the other while the database is in use.
// What a Close or a kill interrupts goes on at the next Register.
func (m *Migrator) buildLater(refs []schema.IndexRef) {
	m.builds.start(func(ctx context.Context) {
		for _, ref := range refs {
			tb := m.db.Schema().ByID(ref.Table)
			if tb == nil || tb.IndexByID(ref.Index) == nil {
				continue
			}
			b := build{db: m.db, tb: tb, ix: tb.IndexByID(ref.Index)}
			if err := m.buildOne(ctx, &b, ref); err != nil && ctx.Err() == nil {
				m.failed.add(ref, err)
				m.opts.Logger.LogAttrs(ctx, slog.LevelError, "index build failed",
					slog.String("table", b.tb.Name), slog.String("index", b.ix.Name), slog.String("error", errorKind(err)))
			}
		}
	})
}

// buildOne builds an index and marks it ready.
func (m *Migrator) buildOne(ctx context.Context, b *build, ref schema.IndexRef) error {
	if err := b.run(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.db.ChangeCatalog(ctx, m.models, func(c *schema.Catalog) (tables.Edition, error) {
		next, ready := c.MarkReady([]schema.IndexRef{ref})
		return tables.Edition{Catalog: next, Touched: ready}, nil
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
