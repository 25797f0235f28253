package schema

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

// ErrMigrating reports that records of a table can only be read, and the table
// only be written, by a program that has the function which makes the newer
// records from the older ones.
var ErrMigrating = errors.New("the table is being migrated, and this program has no function for it")

// A Migration makes records of the type New from those of the type Old.
type Migration struct {
	Old, New reflect.Type           // structs
	Apply    func(any) (any, error) // takes a pointer to an Old, and returns one to a New
}

// Migrations returns the migrations that the model has been given.
func (m *Model) Migrations() []Migration { return m.migrations }

// WithMigrations returns the models with migrations that lead to their types, by
// way of others where need be. The error reports types that cannot be records.
func WithMigrations(models []*Model, list []Migration) ([]*Model, error) {
	if len(list) == 0 {
		return models, nil
	}
	var faults []*Error
	for _, g := range list {
		for _, t := range []reflect.Type{g.Old, g.New} {
			if fault := notRecord(t); fault != nil {
				faults = append(faults, fault)
			} else {
				faults = append(faults, lookupModel(t).faults...)
			}
		}
	}
	if len(faults) > 0 {
		return nil, joinFaults(faults)
	}
	out := slices.Clone(models)
	for i, m := range out {
		d := *m
		d.migrations = list
		out[i] = &d
	}
	return out, nil
}

// WithRewrite returns the models with those of the types marked: their records are
// to be brought to the newest version.
func WithRewrite(models []*Model, types []reflect.Type) []*Model {
	out := slices.Clone(models)
	for i, m := range out {
		if slices.Contains(types, m.Type) {
			d := *m
			d.rewrite = true
			out[i] = &d
		}
	}
	return out
}

// A chain is what makes records of a model from bodies of an older layout.
type chain struct {
	decoder *codec.Decoder
	as      *codec.Layout // the layout with the fields of the first Old alone
	hops    []Migration
}

// chainFrom returns the migrations from a layout to the model's type: the first
// takes a type that has only fields of the layout, or nil where there are none.
func (m *Model) chainFrom(l *codec.Layout) *chain {
	for _, g := range m.migrations {
		if as := readAs(l, lookupModel(g.Old).model.layout); as != nil && g.Old != m.Type {
			if hops := m.hops(g, nil); hops != nil {
				return &chain{as: as, hops: hops}
			}
		}
	}
	return nil
}

// hops returns a way from g to the model's type, or nil.
func (m *Model) hops(g Migration, before []Migration) []Migration {
	if slices.ContainsFunc(before, func(o Migration) bool { return o.Old == g.Old }) {
		return nil
	}
	way := append(slices.Clip(before), g)
	if g.New == m.Type {
		return way
	}
	for _, next := range m.migrations {
		if next.Old == g.New {
			if full := m.hops(next, way); full != nil {
				return full
			}
		}
	}
	return nil
}

// readAs returns the layout of a type whose fields are all in l, with the ids
// that they have there, or nil where one is not.
func readAs(l, typ *codec.Layout) *codec.Layout {
	if typ == nil {
		return nil
	}
	fits := true
	v := evolver{old: l, model: typ, next: 1 << 31}
	v.report = func(d Difference) {
		fits = fits && !d.Refused && d.Kind != "new field"
	}
	v.holds, v.count = func(int) bool { return false }, func(int) int { return 0 }
	v.evolve()
	if !fits || len(v.derefs) > 0 {
		return nil
	}
	return v.out
}

// needsMigration reports whether the model's plain reading of a layout would
// lose, or mistake, what the first type of its chain reads there.
func (m *Model) needsMigration(l *codec.Layout, key KeyEntry) *chain {
	c := m.chainFrom(l)
	if c == nil || sameLayout(l, m.layout) {
		return nil
	}
	needs := false
	v := evolver{old: c.as, model: m.layout, next: 1 << 31, removed: m.removed}
	v.report = func(d Difference) { needs = needs || d.Refused || d.Kind == RemovedField }
	v.holds, v.count = func(int) bool { return true }, func(int) int { return 0 }
	v.evolve()
	if needs || len(v.derefs) > 0 || key.Kind != m.key.kind || !sameParts(partEntries(v.out, m.key.parts), key.Parts) {
		return c
	}
	return nil
}

// A Converter makes bodies of a table's newest version from those of an older
// one. It may be used by many goroutines.
type Converter interface {
	Convert(dst, body []byte) ([]byte, error)
}

// A stage is the versions up to one, from the stage before it on, whose records
// are read through functions alone.
type stage struct {
	last  uint32
	chain *chain // nil where this program has none
}

// bindStages finds the chain of each stage.
func (t *Table) bindStages(m *Model) error {
	for _, last := range t.entry.Stages {
		s := stage{last: last}
		if v := t.versions[last]; v != nil && m != nil && !t.older {
			s.chain = m.chainFrom(v.layout)
		}
		if s.chain != nil {
			var err error
			if s.chain.decoder, err = codec.CompileDecoder(s.chain.hops[0].Old, s.chain.as, s.chain.as, StoredFields); err != nil {
				return &Error{Type: s.chain.hops[0].Old, Err: err}
			}
		}
		t.stages = append(t.stages, s)
	}
	return nil
}

// stageOf returns the stage that a version is in, or nil.
func (t *Table) stageOf(number uint32) *stage {
	for i := range t.stages {
		if number <= t.stages[i].last {
			return &t.stages[i]
		}
	}
	return nil
}

// Migrating reports whether records of older versions are being made into newer
// ones by functions, and whether this program has them.
func (t *Table) Migrating() (migrating, able bool) {
	return len(t.stages) > 0, !slices.ContainsFunc(t.stages, func(s stage) bool { return s.chain == nil })
}

// Stale reports whether records of a version are read through functions. Their
// index entries are those of [Table.PlainConverter].
func (t *Table) Stale(number uint32) bool { return t.stageOf(number) != nil }

// PlainConverter is [Table.Converter] without functions: what has another type
// is as if it were new.
func (t *Table) PlainConverter(number uint32) (Converter, error) {
	v := t.versions[number]
	if v == nil {
		return nil, fmt.Errorf("schema: table %s: %w: no version %d", t.Name, codec.ErrCorrupt, number)
	}
	v.plainOnce.Do(func() { v.plain, v.plainErr = codec.CompileConverter(v.layout, t.Layout) })
	return v.plain, v.plainErr
}

// converterOf makes the converter of a version.
func (t *Table) converterOf(v *version, number uint32) (Converter, error) {
	s := t.stageOf(number)
	switch {
	case s == nil:
		return t.PlainConverter(number)
	case s.chain == nil:
		return nil, ErrMigrating
	}
	plain, err := codec.CompileConverter(v.layout, s.chain.as)
	if err != nil {
		return nil, err
	}
	return &migrator{t, s.chain, plain}, nil
}

// migrator is a Converter that calls functions.
type migrator struct {
	t     *Table
	chain *chain
	plain *codec.Converter
}

// A FuncError is what the function of a migration has returned for a record.
type FuncError struct {
	Err error
}

// Error says that a migration has failed.
func (e *FuncError) Error() string { return "migration: " + e.Err.Error() }

// Unwrap returns the function's error.
func (e *FuncError) Unwrap() error { return e.Err }

// Convert makes a record of the table's type from the body of an older one.
func (m *migrator) Convert(dst, body []byte) ([]byte, error) {
	body, err := m.plain.Convert(nil, body)
	if err != nil {
		return dst, err
	}
	rec := reflect.New(m.chain.hops[0].Old)
	if err := m.chain.decoder.Decode(body, reflectx.Of(rec)); err != nil {
		return dst, err
	}
	var v any = rec.Interface()
	for _, g := range m.chain.hops {
		if v, err = g.Apply(v); err != nil {
			return dst, &FuncError{err}
		}
	}
	if x, ok := v.(interface{ Validate() error }); ok {
		if err := x.Validate(); err != nil {
			return dst, &FuncError{fmt.Errorf("invalid record: %w", err)}
		}
	}
	out, offs, err := m.t.encoder.Encode(nil, reflectx.Of(reflect.ValueOf(v)), nil)
	if err != nil {
		return dst, &FuncError{err}
	}
	out, err = m.keepKey(out, offs, body)
	return append(dst, out...), err
}

// keepKey gives a record whose generated key the functions have left zero the one
// that it has.
func (m *migrator) keepKey(out []byte, offs []uint32, old []byte) ([]byte, error) {
	auto := m.t.Key.AutoColumn
	if auto < 0 {
		return out, nil
	}
	c := &m.t.Columns[auto]
	had := slices.IndexFunc(m.chain.as.Fields, func(f codec.Field) bool { return f.ID == c.ID })
	zero := codec.AppendZero(nil, c.Type, m.t.Layout)
	if had < 0 || !bytes.Equal(out[offs[auto]:offs[auto+1]], zero) {
		return out, nil
	}
	from, err := codec.Split(old, len(m.chain.as.Fields), nil)
	if err != nil {
		return out, err
	}
	return slices.Replace(out, int(offs[auto]), int(offs[auto+1]), old[from[had]:from[had+1]]...), nil
}
