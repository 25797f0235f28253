package kivis

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// Register compiles the types of the records, each a pointer to a struct or a
// struct, checks their references, and compares them with what is stored.
// New tables are created. Fields may be new, gone, reordered, renamed with
// `was=`, or of a wider number type, and indexes new or gone: new ones are built, and
// dropped ones emptied, before Register returns, in chunks, while other calls
// go on; a build that was killed goes on at the next Register.
//
// The error joins a [SchemaError] for each fault of each type, or a
// [SchemaChangeError] for each table that differs in a way that would lose
// data, or whose stored records break a new unique index or reference. Nothing
// has changed then, and the database works as before. Register may be called
// often; later calls may refer to types of earlier ones.
func (db *DB) Register(records ...any) error {
	return db.RegisterContext(context.Background(), records...)
}

// RegisterContext is [DB.Register] with a context, whose end stops the
// building of indexes. They are finished by the next Register.
func (db *DB) RegisterContext(ctx context.Context, records ...any) error {
	if err := db.outside(ctx); err != nil {
		return wrap("register", nil, nil, err)
	}
	db.register.Lock()
	defer db.register.Unlock()
	types, models, err := db.compile(ctx, records)
	if err != nil {
		return wrap("register", nil, nil, err)
	}
	c := db.startCall(ctx, "register", "")
	err = db.adopt(c.ctx, models)
	if err == nil {
		db.types, db.models = types, models
	}
	err = wrap("register", nil, nil, err)
	c.end(Result{}, err)
	return err
}

// Diff returns what Register would change, without changing anything:
// differences that it would refuse are in it, marked so.
func (db *DB) Diff(ctx context.Context, records ...any) (schema.Diff, error) {
	db.register.Lock()
	defer db.register.Unlock()
	_, models, err := db.compile(ctx, records)
	if err != nil {
		return schema.Diff{}, wrap("diff", nil, nil, err)
	}
	c, err := db.core.Catalog(ctx)
	if err != nil {
		return schema.Diff{}, wrap("diff", nil, nil, err)
	}
	change, err := schema.Plan(c, models, db.planOptions())
	if err != nil {
		return schema.Diff{}, wrap("diff", nil, nil, err)
	}
	return change.Diff, nil
}

// compile returns the models of the types registered so far and of records,
// whose references may be to tables that only the catalog knows.
func (db *DB) compile(ctx context.Context, records []any) ([]reflect.Type, []*schema.Model, error) {
	c, err := db.core.Catalog(ctx)
	if err != nil {
		return nil, nil, err
	}
	types := slices.Clone(db.types)
	for _, r := range records {
		t := reflect.TypeOf(r)
		if t != nil && t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	models, err := schema.CompileFor(c, types...)
	return types, models, err
}

func (db *DB) planOptions() schema.PlanOptions {
	return schema.PlanOptions{AllowOlder: db.opts.AllowOlder}
}

// adopt brings the catalog to models.
//
// Order of events: the catalog gets the new tables, versions, rules and
// indexes, the latter marked as building, and writers of types that were
// registered before follow it at once. Then indexes are built and stored
// references checked. Only then do the new types become usable; where stored
// data is in the way, the catalog goes back to what it was, which nobody has
// missed.
func (db *DB) adopt(ctx context.Context, models []*schema.Model) error {
	known := slices.DeleteFunc(slices.Clone(models), func(m *schema.Model) bool {
		return !slices.Contains(db.types, m.Type)
	})
	later := db.opts.BackgroundBuilds
	var before *schema.Catalog
	var plan *schema.Change
	err := db.core.ChangeCatalog(ctx, known, func(c *schema.Catalog) (tables.Edition, error) {
		var err error
		if plan, err = schema.Plan(c, models, db.planOptions()); err != nil {
			return tables.Edition{}, err
		}
		before = c
		return tables.Edition{Catalog: plan.Catalog, Touched: plan.Entries}, refused(plan.Diff)
	})
	if err != nil {
		return err
	}
	builds := plan.Build
	if later {
		plan.Build = nil
	}
	if err := db.fill(ctx, models, plan); err != nil {
		if isViolation(err) {
			err = errors.Join(err, db.revert(ctx, known, before, plan))
		}
		return err
	}
	if err := db.finish(ctx, models, plan); err != nil {
		return err
	}
	if err := db.sweep(ctx, models); err != nil {
		return err
	}
	if later && len(builds) > 0 {
		db.buildLater(builds)
	}
	return nil
}

// refused returns a SchemaChangeError for each table with refused changes.
func refused(d schema.Diff) error {
	byTable := map[string]*SchemaChangeError{}
	var all []error
	for _, c := range d.Changes {
		if !c.Refused {
			continue
		}
		e := byTable[c.Table]
		if e == nil {
			e = &SchemaChangeError{Table: c.Table}
			byTable[c.Table] = e
			all = append(all, e)
		}
		e.Changes = append(e.Changes, c)
	}
	return errors.Join(all...)
}

// isViolation reports whether stored records break a new rule.
func isViolation(err error) bool {
	var e *SchemaChangeError
	return errors.As(err, &e)
}

// fill builds the new indexes and checks stored references.
func (db *DB) fill(ctx context.Context, models []*schema.Model, plan *schema.Change) error {
	set, err := schema.Bind(plan.Catalog, models)
	if err != nil {
		return err
	}
	var faults []error
	for _, ref := range plan.Build {
		tb := set.ByID(ref.Table)
		b := build{db: db, tb: tb, ix: tb.IndexByID(ref.Index)}
		if err := b.run(ctx); err != nil {
			faults = append(faults, err)
		}
	}
	for _, check := range plan.Checks {
		tb := set.ByID(check.Table)
		if err := db.checkStored(ctx, tb, tb.Refs[check.Ref]); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// finish marks the built indexes ready, lets go of those that are no longer
// declared, and makes the new types usable.
func (db *DB) finish(ctx context.Context, models []*schema.Model, plan *schema.Change) error {
	return db.core.ChangeCatalog(ctx, models, func(c *schema.Catalog) (tables.Edition, error) {
		next, ready := c.MarkReady(plan.Build)
		next, dropped := next.Drop(plan.Drop)
		return tables.Edition{Catalog: next, Touched: append(ready, dropped...)}, nil
	})
}

// revert takes back what adopt did to the catalog, ids apart, which are never
// used again, and empties the indexes it had begun.
func (db *DB) revert(ctx context.Context, known []*schema.Model, before *schema.Catalog, plan *schema.Change) error {
	err := db.core.ChangeCatalog(ctx, known, func(c *schema.Catalog) (tables.Edition, error) {
		next, touched, gone := c.Revert(before, plan)
		return tables.Edition{Catalog: next, Touched: touched, Gone: gone}, nil
	})
	if err != nil {
		return err
	}
	return db.sweep(ctx, known)
}

// sweep deletes the entries of dropped indexes, in chunks, and forgets them.
func (db *DB) sweep(ctx context.Context, models []*schema.Model) error {
	c, err := db.core.Catalog(ctx)
	if err != nil {
		return err
	}
	dropped := c.Dropped()
	for _, ref := range dropped {
		if err := db.empty(ctx, ref); err != nil {
			return fmt.Errorf("removing dropped indexes: %w", err)
		}
	}
	if len(dropped) == 0 {
		return nil
	}
	return db.core.ChangeCatalog(ctx, models, func(c *schema.Catalog) (tables.Edition, error) {
		next, touched := c.Forget(dropped)
		return tables.Edition{Catalog: next, Touched: touched}, nil
	})
}

// empty deletes every key of one index, and how far its build had come.
func (db *DB) empty(ctx context.Context, ref schema.IndexRef) error {
	r := record.PrefixRange(tables.IndexPrefix(ref))
	r.KeysOnly = true
	e := emptying{r: r, progress: tables.BuildKey(ref.Table, ref.Index)}
	for {
		if _, err := db.core.Write(ctx, &e); err != nil || !e.more {
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
