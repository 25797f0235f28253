package kivis

import (
	"fmt"
	"reflect"

	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
)

// tableRef names a table before the schema is known: by the type of its records,
// or by its stored name.
type tableRef struct {
	typ  reflect.Type
	name string // where typ is nil
}

// refOf returns the tableRef of the record R.
func refOf[R any]() tableRef { return tableRef{typ: reflect.TypeFor[R]()} }

// String returns the type or the name.
func (r tableRef) String() string {
	if r.typ != nil {
		return r.typ.String()
	}
	return r.name
}

// find returns the table in a set, or nil.
func (r tableRef) find(set *schema.Set) *schema.Table {
	if r.typ != nil {
		return set.ByType(r.typ)
	}
	return set.ByName(r.name)
}

// in returns the table in a set, or an error that says what to write.
func (r tableRef) in(set *schema.Set) (*schema.Table, error) {
	tb := r.find(set)
	switch {
	case tb != nil:
		return tb, nil
	case r.typ != nil:
		return nil, fmt.Errorf("%w: call db.Register(&%s{}) first", ErrNotRegistered, r.typ.Name())
	}
	names := make([]string, 0, len(set.Tables()))
	for _, tb := range set.Tables() {
		names = append(names, tb.Name)
	}
	if near, ok := reflectx.Nearest(r.name, names); ok {
		return nil, fmt.Errorf("%w named %q; did you mean %q?", ErrNoTable, r.name, near)
	}
	return nil, fmt.Errorf("%w named %q", ErrNoTable, r.name)
}
