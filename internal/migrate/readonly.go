package migrate

import (
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// readOnly returns why the store takes no writes, if it takes none: it is open for
// reading, or out of reach.
func (m *Migrator) readOnly(ctx context.Context) (why, err error) {
	t, err := m.db.Begin(ctx, true)
	if errors.Is(err, store.ErrReadOnly) || errors.Is(err, store.ErrUnreachable) {
		return err, nil
	}
	if err != nil {
		return nil, err
	}
	t.Release()
	return nil, nil
}

// adopt makes the types of models usable over the catalog as it is. The error
// matches why where that would have to change, and says how.
func (m *Migrator) adopt(ctx context.Context, models []*schema.Model, why error) error {
	ctx = store.Offline(ctx)
	err := m.db.ChangeCatalog(ctx, models, func(c *schema.Catalog) (tables.Edition, error) {
		plan, err := m.plan(ctx, c, models)
		if err != nil {
			return tables.Edition{}, err
		}
		if err := refused(plan.Diff); err != nil {
			return tables.Edition{}, err
		}
		if d := pending(plan.Diff); !d.Empty() {
			return tables.Edition{}, fmt.Errorf("%w, and these changes would be written:\n%s", why, d)
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
