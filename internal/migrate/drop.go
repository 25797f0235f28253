package migrate

import (
	"context"
	"fmt"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
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
	e := emptying{db: db, prefix: tables.IndexPrefix(ref), last: [][]byte{tables.BuildKey(ref.Table, ref.Index)}}
	return e.run(ctx)
}

// emptying deletes all keys with a prefix, in chunks.
type emptying struct {
	db     *tables.DB
	prefix []byte
	last   [][]byte                // keys to be deleted with the last chunk
	may    func(*schema.Set) error // says why nothing may be deleted, if nothing may; nil says nothing
	job    *job                    // nil in none
	pace   pacer
	n      int  // deleted in the chunk at hand
	more   bool // there may be more
}

func (e *emptying) run(ctx context.Context) error {
	e.pace.db = e.db
	for e.more = true; e.more; {
		if _, err := e.db.Write(ctx, e); err != nil {
			return err
		}
		if e.job != nil {
			e.job.step(e.n)
		}
		if err := e.pace.end(ctx); err != nil && e.more {
			return err
		}
	}
	return nil
}

// Run deletes one chunk.
func (e *emptying) Run(ctx context.Context, t *tables.Tx) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if e.may != nil {
		if err := e.may(t.Schema()); err != nil {
			return err
		}
	}
	r := record.PrefixRange(e.prefix)
	r.KeysOnly = true
	c, err := t.Scan(r)
	if err != nil {
		return err
	}
	defer c.Close()
	size := e.pace.begin()
	for e.n = 0; e.n < size && c.Next(); e.n++ {
		if err := t.DeleteKey(c.Key()); err != nil {
			return err
		}
	}
	if err := c.Err(); err != nil {
		return err
	}
	if e.more = e.n == size; e.more {
		return nil
	}
	for _, key := range e.last {
		if err := t.DeleteKey(key); err != nil {
			return err
		}
	}
	return nil
}
