package migrate

import (
	"context"
	"errors"
	"log/slog"
	"slices"
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
}

// New returns the migrator of db, in which nothing is registered yet.
func New(db *tables.DB, opts Options) *Migrator { return &Migrator{db: db, opts: opts} }

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
	change, err := m.plan(ctx, c, models)
	if err != nil {
		return schema.Diff{}, err
	}
	return change.Diff, nil
}

// Register brings the database to the models that compile returns. The error
// joins a schema.ChangeError for each table that it refuses to change, or
// whose stored records are in the way; then nothing has changed.
func (m *Migrator) Register(ctx context.Context, compile Compile) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, err := m.db.Catalog(ctx)
	if err != nil {
		return err
	}
	models, err := compile(c, m.models)
	if err != nil {
		return err
	}
	if err := m.apply(ctx, models); err != nil {
		return err
	}
	m.models = models
	return nil
}

// plan plans what is to change of a catalog, by what is stored now.
func (m *Migrator) plan(ctx context.Context, c *schema.Catalog, models []*schema.Model) (*schema.Change, error) {
	s := stock{ctx: ctx, db: m.db}
	change, err := schema.Plan(c, models, schema.PlanOptions{AllowOlder: m.opts.AllowOlder, Holds: s.holds})
	return change, errors.Join(err, s.err)
}

// apply brings the catalog to models.
//
// Order of events: the catalog gets the new tables, versions, rules and
// indexes, the latter marked as building, and writers of types that were
// registered before follow it at once. Then indexes are built and stored
// references checked. Only then do the new types become usable; where stored
// data is in the way, the catalog goes back to what it was, which nobody has
// missed.
func (m *Migrator) apply(ctx context.Context, models []*schema.Model) error {
	known := m.known(models)
	var before *schema.Catalog
	var plan *schema.Change
	err := m.db.ChangeCatalog(ctx, known, func(c *schema.Catalog) (tables.Edition, error) {
		var err error
		if plan, err = m.plan(ctx, c, models); err != nil {
			return tables.Edition{}, err
		}
		before = c
		return tables.Edition{Catalog: plan.Catalog, Touched: plan.Entries}, refused(plan.Diff)
	})
	if err != nil {
		return err
	}
	builds := plan.Build
	if m.opts.Background {
		plan.Build = nil
	}
	if err := m.build(ctx, models, plan); err != nil {
		if isViolation(err) {
			err = errors.Join(err, m.revert(ctx, known, before, plan))
		}
		return err
	}
	if err := m.publish(ctx, models, plan); err != nil {
		return err
	}
	if err := m.dropIndexes(ctx, models); err != nil {
		return err
	}
	if m.opts.Background && len(builds) > 0 {
		m.buildLater(builds)
	}
	m.warn(ctx, plan.Diff)
	return nil
}

// warn logs the fields that are gone, with all that records hold of them.
func (m *Migrator) warn(ctx context.Context, d schema.Diff) {
	for _, c := range d.Changes {
		if c.Kind == schema.RemovedField {
			m.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "field removed", slog.String("table", c.Table), slog.String("field", c.Field))
		}
	}
}

// known returns those of models whose types are registered already.
func (m *Migrator) known(models []*schema.Model) []*schema.Model {
	return slices.DeleteFunc(slices.Clone(models), func(x *schema.Model) bool {
		return !slices.ContainsFunc(m.models, func(y *schema.Model) bool { return x.Type == y.Type })
	})
}

// refused returns a schema.ChangeError for each table with refused changes.
func refused(d schema.Diff) error {
	byTable := map[string]*schema.ChangeError{}
	var all []error
	for _, c := range d.Changes {
		if !c.Refused {
			continue
		}
		e := byTable[c.Table]
		if e == nil {
			e = &schema.ChangeError{Table: c.Table}
			byTable[c.Table] = e
			all = append(all, e)
		}
		e.Changes = append(e.Changes, c)
	}
	return errors.Join(all...)
}

// isViolation reports whether stored records break a new rule.
func isViolation(err error) bool {
	var e *schema.ChangeError
	return errors.As(err, &e)
}

// build builds the new indexes and checks stored references.
func (m *Migrator) build(ctx context.Context, models []*schema.Model, plan *schema.Change) error {
	set, err := schema.Bind(plan.Catalog, models)
	if err != nil {
		return err
	}
	var faults []error
	for _, ref := range plan.Build {
		tb := set.ByID(ref.Table)
		b := build{db: m.db, tb: tb, ix: tb.IndexByID(ref.Index)}
		if err := b.run(ctx); err != nil {
			faults = append(faults, err)
		}
	}
	for _, check := range plan.Checks {
		tb := set.ByID(check.Table)
		if err := checkStored(ctx, m.db, tb, tb.Refs[check.Ref]); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// publish marks the built indexes ready, lets go of those that are no longer
// declared, and makes the new types usable.
func (m *Migrator) publish(ctx context.Context, models []*schema.Model, plan *schema.Change) error {
	return m.db.ChangeCatalog(ctx, models, func(c *schema.Catalog) (tables.Edition, error) {
		next, ready := c.MarkReady(plan.Build)
		next, dropped := next.Drop(plan.Drop)
		return tables.Edition{Catalog: next, Touched: append(ready, dropped...)}, nil
	})
}

// revert takes back what apply did to the catalog, ids apart, which are never
// used again, and empties the indexes it had begun.
func (m *Migrator) revert(ctx context.Context, known []*schema.Model, before *schema.Catalog, plan *schema.Change) error {
	err := m.db.ChangeCatalog(ctx, known, func(c *schema.Catalog) (tables.Edition, error) {
		next, touched, gone := c.Revert(before, plan)
		return tables.Edition{Catalog: next, Touched: touched, Gone: gone}, nil
	})
	if err != nil {
		return err
	}
	return m.dropIndexes(ctx, known)
}
