package migrate

import (
	"context"
	"fmt"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// dropIndexes deletes the entries of dropped indexes, in chunks, and forgets
// them.
func (m *Migrator) dropIndexes(ctx context.Context, models []*schema.Model) error {
	c, err := m.db.Catalog(ctx)
	if err != nil {
		return err
	}
	dropped := c.Dropped()
	for _, ref := range dropped {
		if err := clearIndex(ctx, m.db, ref); err != nil {
			return fmt.Errorf("removing dropped indexes: %w", err)
		}
	}
	if len(dropped) == 0 {
		return nil
	}
	return m.db.ChangeCatalog(ctx, models, func(c *schema.Catalog) (tables.Edition, error) {
		next, touched := c.Forget(dropped)
		return tables.Edition{Catalog: next, Touched: touched}, nil
	})
}

// clearIndex deletes every key of one index, and how far its build had come.
func clearIndex(ctx context.Context, db *tables.DB, ref schema.IndexRef) error {
	r := record.PrefixRange(tables.IndexPrefix(ref))
	r.KeysOnly = true
	e := emptying{r: r, progress: tables.BuildKey(ref.Table, ref.Index)}
	for {
		if _, err := db.Write(ctx, &e); err != nil || !e.more {
			return err
		}
	}
}

// emptying deletes some keys of a range.
type emptying struct {
	r        store.Range
	progress []byte
	more     bool // there may be more
}

// Run deletes one chunk.
func (e *emptying) Run(_ context.Context, t *tables.Tx) error {
	c, err := t.Scan(e.r)
	if err != nil {
		return err
	}
	defer c.Close()
	n := 0
	for n < chunkSize && c.Next() {
		if err := t.DeleteKey(c.Key()); err != nil {
			return err
		}
		n++
	}
	e.more = n == chunkSize
	if err := c.Err(); err != nil {
		return err
	}
	return t.DeleteKey(e.progress)
}
