package kivis

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

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

// BuildWork is what a [Build] does to what is stored: [WorkBuild], [WorkDrop] or
// [WorkRewrite].
type BuildWork = migrate.Work

// The kinds of work.
const (
	WorkBuild   = migrate.IndexBuild // fills a new index
	WorkDrop    = migrate.TableDrop  // deletes the records of a dropped table
	WorkRewrite = migrate.Rewriting  // writes records anew, for a migration or a Rewrite
)

// BuildPhase is how far a [Build] has come.
type BuildPhase = migrate.Phase

// The phases.
const (
	PhaseBuilding  = migrate.Building  // an index is written, and not read
	PhaseBlocked   = migrate.Blocked   // records have the same value in a unique index; see Build.Duplicates
	PhaseFailed    = migrate.Failed    // see Build.Err
	PhaseDropping  = migrate.Dropping  // records are being deleted
	PhaseChecking  = migrate.Checking  // a migration reads every record and writes none
	PhaseRewriting = migrate.Writing   // records are being written anew
	PhaseFinishing = migrate.Finishing // the old versions go
)

// A Build is work on stored records that a change of the schema has brought:
// an index that is being filled, a table that is being emptied, records that
// are being rewritten.
type Build struct {
	Work        BuildWork
	Table       string // stored name
	Index       string // "" for work on a whole table
	Phase       BuildPhase
	Done, Total int         // of Phase, in records or keys; Total is 0 where it is not known
	Rate        float64     // of Done, in a second
	Duplicates  []Duplicate // of a unique index: all that are in the way
	Err         error       // why it could not go on
}

// A Duplicate is two stored records with the same value in a unique index.
type Duplicate struct {
	Holder, Record any // primary keys; Holder's value is in the index
}

// Builds returns the work on stored records that is under way in this process, and
// what could not be finished: a unique index that records block, until a
// Register has built it.
func (db *DB) Builds() []Build {
	if db.usable() != nil {
		return nil
	}
	jobs := db.migrator.Jobs()
	list := make([]Build, len(jobs))
	for i, j := range jobs {
		list[i] = Build{Work: j.Work, Table: j.Table, Index: j.Index, Phase: j.Phase, Done: j.Done, Total: j.Total, Rate: j.Rate, Err: public(j.Err)}
		for _, d := range j.Duplicates {
			list[i].Duplicates = append(list[i].Duplicates, Duplicate{keyValue(d.Holder), keyValue(d.Record)})
		}
	}
	return list
}

// Drop deletes a table by its stored name: its records, its indexes, and all
// that the catalog says of it. The table is gone at once; its records are
// deleted in chunks, before Drop returns, and where that is interrupted, by the
// next Drop or Register. A table to which others refer is not dropped: the error
// is a [SchemaChangeError] that names them. It is ErrNoTable where there is no
// such table. A record type that had the table has to be registered again to be
// used.
func (db *DB) Drop(ctx context.Context, table string) error {
	if err := db.outside(ctx); err != nil {
		return wrap("drop", nil, nil, err)
	}
	c := db.startCall(ctx, "drop", table)
	_, err := tableRef{name: table}.in(db.core.Schema())
	if err == nil {
		err = db.migrator.Drop(c.ctx, table)
	}
	err = wrap("drop", nil, nil, err)
	c.end(Outcome{}, err)
	return err
}

// A Migration is a function that makes records of a newer type from those of an
// older one; see [Migrate].
type Migration struct {
	m   schema.Migration
	err error
}

// Migrate returns a migration, which is passed to Register beside the records:
//
//	err := db.Register(&Flight{}, kivis.Migrate(func(o flightV1) (Flight, error) {
//		...
//	}))
//
// It is used for stored records that have all fields of Old, where New, read
// without it, would lose or mistake one of them; where New is not registered,
// another migration may lead on from it. Register first runs the functions on
// every record and writes nothing: all failures, and all collisions of unique
// values, come back in one [SchemaChangeError]. Then it writes the records anew,
// in chunks, while other calls go on and read the others through the function;
// what is interrupted goes on at the next Register. Programs without the function
// get ErrMigrating for records that they cannot read and for writes, until that
// is done.
//
// The function must give equal results for equal records, whenever it is called,
// and keep the primary key.
func Migrate[Old, New any](fn func(Old) (New, error)) Migration {
	m := Migration{m: schema.Migration{Old: reflect.TypeFor[Old](), New: reflect.TypeFor[New]()}}
	if fn == nil {
		m.err = errNoFunc
		return m
	}
	m.m.Apply = func(old any) (any, error) {
		made, err := fn(*old.(*Old))
		return &made, err
	}
	return m
}

// A Rewriting has Register bring all records of a type to the newest layout; see
// [Rewrite].
type Rewriting struct {
	typ reflect.Type
}

// Rewrite is passed to Register beside the record R, and has it write all records
// that are of an older layout anew: removed fields take no room any more, and the
// older layouts are forgotten.
func Rewrite[R any]() Rewriting { return Rewriting{reflect.TypeFor[R]()} }

// registration is what the arguments of Register say.
type registration struct {
	types      []reflect.Type
	migrations []schema.Migration
	rewrites   []reflect.Type
}

// registrationOf sorts the arguments of Register.
func registrationOf(args []any) (r registration, err error) {
	for _, a := range args {
		switch a := a.(type) {
		case Migration:
			if err := a.check(); err != nil {
				return r, err
			}
			r.migrations = append(r.migrations, a.m)
			continue
		case Rewriting:
			if a.typ == nil {
				return r, errors.New("a Rewriting is made by Rewrite")
			}
			r.rewrites = append(r.rewrites, a.typ)
			continue
		}
		t := reflect.TypeOf(a)
		if t != nil && t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t != nil && t.Kind() == reflect.Pointer {
			return r, &SchemaError{Type: t, Err: errors.New("a pointer to a pointer is no record: pass a struct or a pointer to one")}
		}
		r.types = append(r.types, t)
	}
	return r, nil
}

// check returns what is wrong with the migration by itself.
func (m Migration) check() error {
	switch {
	case m.err != nil:
		return fmt.Errorf("migrate: %w", m.err)
	case m.m.Apply == nil:
		return errors.New("a Migration is made by Migrate")
	case m.m.Old == m.m.New:
		return &SchemaError{Type: m.m.New, Err: errors.New("a migration leads from one type to another: declare the older one under another name")}
	}
	return nil
}

// add adds the models registered before, whose migrations stay.
func (r *registration) add(have []*schema.Model) (types []reflect.Type) {
	for _, m := range have {
		types = append(types, m.Type)
		for _, g := range m.Migrations() {
			known := func(o schema.Migration) bool { return o.Old == g.Old && o.New == g.New }
			if !slices.ContainsFunc(r.migrations, known) {
				r.migrations = append(r.migrations, g)
			}
		}
	}
	for _, t := range r.types {
		if !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return types
}
