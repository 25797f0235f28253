package schema

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
)

// Compile compiles record types: structs, or pointers to them. References are
// resolved among the types given; one to a table that none of them has is left
// for [Plan], which knows the catalog. All that is wrong with all of the types
// is reported at once, each fault an [*Error], joined.
func Compile(types ...reflect.Type) ([]*Model, error) { return compile(nil, types) }

// CompileFor compiles record types as [Compile] does, for the database with
// the given catalog: a reference to a table that is neither in it nor among
// the types is reported too.
func CompileFor(c *Catalog, types ...reflect.Type) ([]*Model, error) {
	if c == nil {
		c = NewCatalog()
	}
	return compile(c, types)
}

func compile(c *Catalog, types []reflect.Type) ([]*Model, error) {
	var models []*Model
	var faults []*Error
	seen := make(map[reflect.Type]bool)
	for _, t := range types {
		if t != nil && t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if fault := notRecord(t); fault != nil {
			faults = append(faults, fault)
			continue
		}
		if seen[t] {
			continue
		}
		seen[t] = true
		m := lookupModel(t)
		models, faults = append(models, m.model), append(faults, m.faults...)
	}
	for i, m := range models {
		models[i] = m.in(c, models)
	}
	r := resolver{catalog: c, models: models}
	r.resolve()
	if faults = append(faults, r.faults...); len(faults) > 0 {
		return nil, joinFaults(faults)
	}
	return models, nil
}

// notRecord reports a type that is not a struct that can be a record.
func notRecord(t reflect.Type) *Error {
	switch {
	case t == nil:
		return &Error{Err: errors.New("nil is not a record: pass a pointer to a struct, such as &User{}")}
	case t.Kind() != reflect.Struct || reflectx.IsTime(t):
		return &Error{Type: t, Err: errors.New("not a record: pass a struct, or a pointer to one")}
	}
	return nil
}

// A resolver finds what references refer to, among models and, where there is
// one, in a catalog.
type resolver struct {
	catalog *Catalog
	models  []*Model
	targets map[*modelRef]target
	faults  []*Error
}

// A target is the table that a reference refers to: one of a model, or one
// that only the catalog knows.
type target struct {
	model *Model
	entry *Entry
}

// resolve resolves all references of all models.
func (r *resolver) resolve() {
	r.targets = make(map[*modelRef]target)
	r.checkNames()
	for _, m := range r.models {
		for _, ref := range m.refs {
			to, err := r.find(ref)
			if err == nil {
				err = ref.check(to)
			}
			if err != nil && !errors.Is(err, errReported) {
				r.faults = append(r.faults, &Error{Type: m.Type, Field: ref.field, Tag: ref.tag, Err: err})
			}
			r.targets[ref] = to
		}
	}
}

// checkNames reports two record types with tables of one name.
func (r *resolver) checkNames() {
	names := make(map[string]*Model)
	for _, m := range r.models {
		if o := names[m.Name]; o != nil && m.Name != "" {
			r.faults = append(r.faults, &Error{Type: m.Type, Err: fmt.Errorf("the table %s is that of %v: %s", m.Name, typeName(o.Type), m.mendName())})
			continue
		}
		names[m.Name] = m
	}
	was := make(map[string]*Model)
	for _, m := range r.models {
		for _, name := range m.was {
			if o := was[name]; o != nil {
				r.faults = append(r.faults, &Error{Type: m.Type, Err: fmt.Errorf("the table of %v was %s too: one table can have become one other", typeName(o.Type), name)})
			}
			was[name] = m
		}
	}
}

// mendName says how a table gets another name.
func (m *Model) mendName() string {
	if strings.Contains(m.Type.Name(), "[") {
		name := typeName(m.Type)
		return fmt.Sprintf("define a type with a name of its own for one of the two, as in type NAME %s", name[strings.LastIndexByte(name[:strings.IndexByte(name, '[')], '.')+1:])
	}
	return "name one of the two otherwise, as in " + onBlank("table=NAME")
}

// find returns the target of a reference. It is zero, and there is no error,
// where only a catalog can tell and there is none.
func (r *resolver) find(ref *modelRef) (target, error) {
	switch {
	case ref.table != "":
		return r.findTable(ref.table)
	case ref.record != nil:
		return r.findRecord(ref.record)
	}
	return r.findKey(&ref.parts[0])
}

// findTable finds a table by name.
func (r *resolver) findTable(name string) (target, error) {
	var names []string
	for _, m := range r.models {
		if m.Name == name {
			return target{model: m}, nil
		}
		names = append(names, m.Name)
	}
	if r.catalog == nil {
		return target{}, nil
	}
	for _, e := range r.catalog.sorted() {
		if e.Name == name {
			return target{entry: e}, nil
		}
		names = append(names, e.Name)
	}
	return target{}, fmt.Errorf("refers to nothing: %w; register the record that it refers to with this one, or before it", unknown("table", name, names))
}

// findRecord finds the table of a record type.
func (r *resolver) findRecord(t reflect.Type) (target, error) {
	for _, m := range r.models {
		if m.Type == t {
			return target{model: m}, nil
		}
	}
	if notRecord(t) != nil {
		return target{}, fmt.Errorf("refers to %v, which is not a record", typeName(t))
	}
	if r.catalog == nil {
		return target{}, nil
	}
	name := lookupModel(t).model.in(r.catalog, r.models).Name
	if e := r.catalog.byName(name); e != nil {
		return target{entry: e}, nil
	}
	return target{}, fmt.Errorf("refers to nothing: register %v with this record, or before it", typeName(t))
}

// findKey finds the one table whose keys a field holds.
func (r *resolver) findKey(p *part) (target, error) {
	var found []*Model
	var refs []string
	t := p.target()
	for _, m := range r.models {
		if p.holds(m.key.goType) {
			found, refs = append(found, m), append(refs, "ref="+m.Name)
		}
	}
	switch len(found) {
	case 0:
		return target{}, fmt.Errorf("refers to nothing: no registered record has a key of type %v; register it with this one, or name its table: ref=TABLE", typeName(t))
	case 1:
		return target{model: found[0]}, nil
	}
	slices.Sort(refs)
	return target{}, fmt.Errorf("is ambiguous: %d tables have a key of type %v; name one: %s", len(found), typeName(t), orList(refs))
}

// check reports a reference whose fields are not of the types of its target's
// key.
func (ref *modelRef) check(to target) error {
	switch {
	case to.model != nil && len(to.model.key.parts) == 0:
		return errReported // the target is at fault
	case to.model != nil:
		return ref.checkModel(to.model)
	case to.entry != nil:
		return ref.checkEntry(to.entry)
	}
	return nil
}

func (ref *modelRef) checkModel(m *Model) error {
	if len(ref.parts) == 1 {
		p := &ref.parts[0]
		if p.holds(m.key.goType) {
			return nil
		}
		if m.key.single() {
			return fmt.Errorf("is of type %v, but %s has a key of type %v: make the field one", typeName(p.target()), m.Name, typeName(m.key.goType))
		}
	}
	if slices.EqualFunc(ref.parts, m.key.types(), func(p part, t reflect.Type) bool { return p.holds(t) }) {
		return nil
	}
	have := make([]reflect.Type, len(ref.parts))
	for i := range ref.parts {
		have[i] = ref.parts[i].target()
	}
	return fmt.Errorf("has %s, but the key of %s is %s: list fields of these types, as in %s",
		typeList(have), m.Name, typeList(m.key.types()), onBlank("ref="+m.Name+"("+strings.ReplaceAll(m.key.names(), ", ", ",")+")"))
}

// checkEntry compares a reference with a table that only the catalog knows.
func (ref *modelRef) checkEntry(e *Entry) error {
	want := make([]codec.KeyType, len(e.Key.Parts))
	for i, p := range e.Key.Parts {
		want[i] = p.Key.Base()
	}
	var have []codec.KeyType
	for _, p := range ref.parts {
		k := p.Key.Base()
		k.Ptr = k.Ptr && !canBeNil(p.typ)
		have = append(have, k)
	}
	if len(have) == 1 && len(want) != 1 && have[0].Kind == codec.Struct {
		have = have[0].Parts
	}
	if slices.EqualFunc(have, want, codec.KeyType.Equal) {
		return nil
	}
	return fmt.Errorf("is stored as %v, but the key of %s as %v", keyList(have), e.Name, keyList(want))
}

// typeList returns types as a list in parentheses, or one alone.
func typeList(types []reflect.Type) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = typeName(t)
	}
	return list(names)
}

func keyList(types []codec.KeyType) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.String()
	}
	return list(names)
}

func list(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return "(" + strings.Join(names, ", ") + ")"
}
