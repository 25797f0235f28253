package kivis

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kivisdb/kivis/schema"
)

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
