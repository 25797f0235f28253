package migrate

import (
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// readOnly reports whether the store takes no writes.
func (m *Migrator) readOnly(ctx context.Context) (bool, error) {
	t, err := m.db.Begin(ctx, true)
	if errors.Is(err, store.ErrReadOnly) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	t.Release()
	return false, nil
}

// adopt makes the types of models usable over the catalog as it is. The error
// matches store.ErrReadOnly where that would have to change, and says how.
func (m *Migrator) adopt(ctx context.Context, models []*schema.Model) error {
	err := m.db.ChangeCatalog(ctx, models, func(c *schema.Catalog) (tables.Edition, error) {
		plan, err := m.plan(ctx, c, models)
		if err != nil {
			return tables.Edition{}, err
		}
		if err := refused(plan.Diff); err != nil {
			return tables.Edition{}, err
		}
		if d := pending(plan.Diff); !d.Empty() {
			return tables.Edition{}, fmt.Errorf("%w, and these changes would be written:\n%s", store.ErrReadOnly, d)
		}
		return tables.Edition{Catalog: c}, nil
	})
	if err == nil {
		m.models = models
	}
	return err
}

// pending returns the differences that are to be written: all but that a
// program is older, and that it validates what it cannot write here.
func pending(d schema.Diff) (out schema.Diff) {
	for _, c := range d.Changes {
		if c.Kind != schema.OlderProgram && c.Kind != schema.ChangedValidation {
			out.Changes = append(out.Changes, c)
		}
	}
	return out
}
