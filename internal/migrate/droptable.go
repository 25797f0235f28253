package migrate

import (
	"context"
	"fmt"
	"slices"

	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

// Drop takes a table out of the catalog, and then deletes its records and index
// entries in chunks. Where that is interrupted, the next Drop or Register goes
// on with it. The error is a schema.ChangeError where others refer to the table,
// and tables.ErrNotFound where there is none.
func (m *Migrator) Drop(ctx context.Context, name string) error {
	if err := m.forgetTable(ctx, name); err != nil {
		return err
	}
	return m.clearTables(ctx)
}

// forgetTable takes a table out of the catalog.
func (m *Migrator) forgetTable(ctx context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	models := m.models
	if tb := m.db.Schema().ByName(name); tb != nil && tb.Type != nil {
		models = slices.DeleteFunc(slices.Clone(models), func(x *schema.Model) bool { return x.Type == tb.Type })
	}
	err := m.db.ChangeCatalog(ctx, models, func(c *schema.Catalog) (tables.Edition, error) {
		next, id, err := c.DropTable(name)
		if id == 0 && err == nil {
			err = fmt.Errorf("%w: the table %s", tables.ErrNotFound, name)
		}
		return tables.Edition{Catalog: next, Gone: []uint32{id}}, err
	})
	if err == nil {
		m.models = models
	}
	return err
}

// clearTables deletes what dropped tables have left.
func (m *Migrator) clearTables(ctx context.Context) error {
	dropped, err := m.db.DroppedTables(ctx)
	if err != nil {
		return err
	}
	for _, d := range dropped {
		j := m.jobs.start(schema.IndexRef{Table: d.ID}, Status{Work: TableDrop, Table: d.Name, Phase: Dropping})
		keys := emptying{db: m.db, prefix: tables.CarriedPrefix(d.ID)}
		e := emptying{db: m.db, prefix: tables.TablePrefix(d.ID), last: d.Keys, job: j}
		err := keys.run(ctx)
		if err == nil {
			err = e.run(ctx)
		}
		m.jobs.end(ctx, j, err, false)
		if err != nil {
			return fmt.Errorf("deleting what the dropped table %s has left: %w", d.Name, err)
		}
	}
	return nil
}
