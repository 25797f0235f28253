package kivis

import (
	"context"

	"github.com/kivisdb/kivis/internal/migrate"
	"github.com/kivisdb/kivis/schema"
)

// Register compiles the types of the records, each a pointer to a struct or a
// struct, checks their references, and compares them with what is stored.
// New tables are created. Fields may be new, gone, reordered, renamed with
// `was=`, or of a wider number type, and indexes new or gone: new ones are built, and
// dropped ones emptied, before Register returns, in chunks, while other calls
// go on; a build that was killed goes on at the next Register. Beside records it
// takes what [Migrate] and [Rewrite] return.
//
// The error joins a [SchemaError] for each fault of each type, or a
// [SchemaChangeError] for each table that differs in a way that would lose
// data, or whose stored records break a new unique index or reference. It also
// returns how a build in the background has failed. Nothing has changed then,
// and the database works as before. On a store that takes no writes Register
// works where none is needed; otherwise the error matches ErrReadOnly and lists
// what would be written. Register may be called often; later calls may refer to
// types of earlier ones.
func (db *DB) Register(records ...any) error {
	return db.RegisterContext(context.Background(), records...)
}

// RegisterContext is [DB.Register] with a context, whose end stops the
// building of indexes. They are finished by the next Register.
func (db *DB) RegisterContext(ctx context.Context, records ...any) error {
	if err := db.outside(ctx); err != nil {
		return wrap("register", nil, nil, err)
	}
	c := db.startCall(ctx, "register", "")
	err := wrap("register", nil, nil, db.migrator.Register(c.ctx, compile(records)))
	c.end(Outcome{}, err)
	return err
}

// Diff returns what Register would change, without changing anything:
// differences that it would refuse are in it, marked so.
func (db *DB) Diff(ctx context.Context, records ...any) (schema.Diff, error) {
	if err := db.usable(); err != nil {
		return schema.Diff{}, wrap("diff", nil, nil, err)
	}
	if err := checkContext(ctx); err != nil {
		return schema.Diff{}, wrap("diff", nil, nil, err)
	}
	d, err := db.migrator.Diff(ctx, compile(records))
	return d, wrap("diff", nil, nil, err)
}

// compile returns what makes models of the types registered so far and of the
// types of records.
func compile(records []any) migrate.Compile {
	return func(c *schema.Catalog, have []*schema.Model) ([]*schema.Model, error) {
		r, err := registrationOf(records)
		if err != nil {
			return nil, err
		}
		models, err := schema.CompileFor(c, r.add(have)...)
		if err == nil {
			models, err = schema.WithMigrations(models, r.migrations)
		}
		return schema.WithRewrite(models, r.rewrites), err
	}
}
