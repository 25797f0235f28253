package migrate

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

// Options are the settings of a [Migrator].
type Options struct {
	AllowOlder bool         // models may be older than what is stored
	Background bool         // Register does not wait for indexes to be built
	Logger     *slog.Logger // of builds that fail in the background, and of fields that are gone
}

// A Migrator changes the schema of a database, one change at a time.
type Migrator struct {
	db     *tables.DB
	opts   Options
	mu     sync.Mutex      // held by a change
	models []*schema.Model // registered so far
	builds background
	failed failures
	jobs   jobs
}

// New returns the migrator of db, in which nothing is registered yet. A nil
// Logger is silence.
func New(db *tables.DB, opts Options) *Migrator {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return &Migrator{db: db, opts: opts}
}

// Close stops the builds in the background and waits for them.
func (m *Migrator) Close() { m.builds.stop() }

// A Compile returns the models of all record types that are to be registered:
// those of have, which are registered, and new ones. Their references may be to
// tables that only the catalog knows.
type Compile func(c *schema.Catalog, have []*schema.Model) ([]*schema.Model, error)

// Diff returns what Register would change, without changing anything.
func (m *Migrator) Diff(ctx context.Context, compile Compile) (schema.Diff, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, err := m.db.Catalog(ctx)
	if err != nil {
		return schema.Diff{}, err
	}
	models, err := compile(c, m.models)
	if err != nil {
		return schema.Diff{}, err
	}
	s := stock{ctx: ctx, db: m.db}
	change, err := s.plan(c, models, schema.PlanOptions{AllowOlder: m.opts.AllowOlder, Count: s.count})
	if err != nil {
		return schema.Diff{}, err
	}
	return schema.Diff{Changes: append(change.Diff.Changes, m.failed.differences(m.db.Schema())...)}, nil
}

// Register brings the database to the models that compile returns. The error
// joins a schema.ChangeError for each table that it refuses to change, or
// whose stored records are in the way; then nothing has changed. It begins anew
// where another program has changed the schema between its steps, or has written what
// a migration that was checked cannot take.
func (m *Migrator) Register(ctx context.Context, compile Compile) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var err error
	for range maxOvertaken {
		if err = m.register(ctx, compile); !errors.Is(err, errOvertaken) {
			break
		}
	}
	return err
}

// maxOvertaken is how often Register begins anew. Each time another program's
// Register, or its writes, have come through.
const maxOvertaken = 20

// register is one attempt of Register.
func (m *Migrator) register(ctx context.Context, compile Compile) error {
	c, err := m.db.Catalog(ctx)
	if err != nil {
		return err
	}
	models, err := compile(c, m.models)
	if err != nil {
		return err
	}
	if why, err := m.readOnly(ctx); err != nil {
		return err
	} else if why != nil {
		return m.adopt(ctx, models, why)
	}
	if _, err := m.rekey(ctx, models); err != nil {
		return err
	}
	return m.apply(ctx, models)
}

// plan plans what is to change of a catalog, by what is stored now.
func (m *Migrator) plan(ctx context.Context, c *schema.Catalog, models []*schema.Model) (*schema.Change, error) {
	s := stock{ctx: ctx, db: m.db}
	return s.plan(c, models, schema.PlanOptions{AllowOlder: m.opts.AllowOlder})
}
