package migrate

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

// apply brings the catalog to models.
//
// Order of events: every model is bound, so that nothing of it can fail later.
// The catalog gets the new tables, versions, rules and indexes, the latter
// marked as building, and writers of types that were registered before follow
// it at once. Then indexes are built and stored references checked. Only then
// do the new types become usable; where something is in the way, the catalog
// goes back to what it was, which nobody has missed. The end of ctx alone
// leaves it, so that builds go on from where they are. Where another program
// has meanwhile changed one of the tables, or written into a new one, what it
// has done stays, and the error is errOvertaken.
func (m *Migrator) apply(ctx context.Context, models []*schema.Model) error {
	checks, err := m.checkMigrations(ctx, models)
	if err != nil {
		return err
	}
	known := m.known(models)
	var before *schema.Catalog
	var plan *schema.Change
	err = m.db.ChangeCatalog(ctx, known, func(c *schema.Catalog) (tables.Edition, error) {
		var err error
		if plan, err = m.plan(ctx, c, models); err != nil {
			return tables.Edition{}, err
		}
		before = c
		if err = refused(plan.Diff); err == nil {
			_, err = schema.Bind(plan.Catalog, models)
		}
		e := tables.Edition{Catalog: plan.Catalog, Touched: plan.Entries, Gone: plan.Gone, Empty: plan.Gone}
		if len(plan.Migrate) > 0 {
			e.Unwritten, e.Confirm = plan.Migrate, func() error { return m.confirm(ctx, checks, plan) }
		}
		return e, err
	})
	if err != nil {
		return err
	}
	var later []schema.IndexRef
	if m.opts.Background {
		plan.Build, later = m.failed.split(plan.Build)
	}
	if err = m.build(ctx, models, plan); err == nil {
		err = m.publish(ctx, models, plan)
	}
	if err != nil {
		if ctx.Err() == nil {
			err = errors.Join(err, m.revert(ctx, known, before, plan))
		}
		return err
	}
	m.models = models
	m.failed.forget(plan.Build)
	if err := m.clearTables(ctx); err != nil {
		m.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "records of dropped tables remain until the next Register", slog.String("error", errorKind(err)))
	}
	if err := m.dropIndexes(ctx, models); err != nil {
		m.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "dropped indexes remain until the next Register", slog.String("error", errorKind(err)))
	}
	if len(later) > 0 {
		m.buildLater(later)
	}
	m.warn(ctx, plan.Diff)
	rewrite := append(plan.Migrate, plan.Rewrite...)
	if m.opts.Background {
		m.rewriteLater(rewrite)
		return nil
	}
	m.mu.Unlock() // rewriteTable changes the catalog on its own
	defer m.mu.Lock()
	return m.rewriteAll(ctx, rewrite)
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

// errOvertaken: somebody has changed the schema between the steps of a Register, or
// what it had checked, so that it is to be begun anew.
var errOvertaken = errors.New("others keep changing this database while its schema is to change: try again")

// build builds the new indexes and checks stored references.
func (m *Migrator) build(ctx context.Context, models []*schema.Model, plan *schema.Change) error {
	set, err := schema.Bind(plan.Catalog, models)
	if err != nil {
		return err
	}
	var faults []error
	for _, group := range byTable(plan.Build) {
		for _, err := range m.buildTable(ctx, set, group, false) {
			if err != nil {
				faults = append(faults, err)
			}
		}
	}
	for _, check := range plan.Checks {
		tb := set.ByID(check.Table)
		if err := checkStored(ctx, m.db, tb, tb.Refs[check.Ref]); err != nil {
			faults = append(faults, err)
		}
	}
	for _, id := range plan.Nils {
		if err := checkNils(ctx, m.db, set.ByID(id)); err != nil {
			faults = append(faults, err)
		}
	}
	for _, id := range plan.Forms {
		if err := checkForms(ctx, m.db, set.ByID(id)); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// publish marks the built indexes ready, lets go of those that are no longer
// declared, and makes the new types usable.
func (m *Migrator) publish(ctx context.Context, models []*schema.Model, plan *schema.Change) error {
	return m.db.ChangeCatalog(ctx, models, func(c *schema.Catalog) (tables.Edition, error) {
		if _, err := schema.Bind(c, models); err != nil || c.Overtaken(plan) {
			return tables.Edition{}, errOvertaken
		}
		next, ready := c.MarkReady(plan.Build)
		next, dropped := next.Drop(plan.Drop)
		return tables.Edition{Catalog: next, Touched: append(ready, dropped...), Built: plan.Build}, nil
	})
}

// revert takes back what apply did to the catalog, ids apart, which are never
// used again, and empties the indexes it had begun. It returns errOvertaken
// where it leaves something, since another program builds on it.
func (m *Migrator) revert(ctx context.Context, known []*schema.Model, before *schema.Catalog, plan *schema.Change) error {
	overtaken := false
	err := m.db.ChangeCatalog(ctx, known, func(c *schema.Catalog) (tables.Edition, error) {
		overtaken = c.Overtaken(plan)
		next, touched, gone := c.Revert(before, plan)
		return tables.Edition{Catalog: next, Touched: touched, Gone: gone, Empty: gone}, nil
	})
	if errors.Is(err, tables.ErrNotEmpty) {
		return errOvertaken
	}
	if err != nil {
		return err
	}
	if err := m.dropIndexes(ctx, known); err != nil || !overtaken {
		return err
	}
	return errOvertaken
}
