package schema

import (
	"fmt"
	"reflect"
	"testing"
	"time"
	"unsafe"
)

// RefBase is embedded in RefRecord, whose fields are looked up by their places.
type RefBase struct {
	ID   uint64 `kivis:"key"`
	Made time.Time
}

type RefRecord struct {
	RefBase
	First  RefNested // at the same offset as its own first field
	Named  int       `kivis:"name=other"`
	Hidden int       `kivis:"-"`
	Behind *RefNested
	Nested struct {
		Deep RefNested
		N    int8
	}
	Empty, Empty2 struct{}
}

type RefNested struct {
	A, B int
}

// refTo returns the place of a field in a RefRecord.
func refTo[V any](sel func(*RefRecord) *V) FieldRef {
	rec := new(RefRecord)
	off := uintptr(unsafe.Pointer(sel(rec))) - uintptr(unsafe.Pointer(rec))
	return FieldRef{Record: reflect.TypeFor[RefRecord](), Offset: off, Type: reflect.TypeFor[V]()}
}

func TestFieldAt(t *testing.T) {
	set := newSet(t, RefRecord{}, Airport{})
	tests := []struct {
		name string
		ref  FieldRef
		want string // the field's name, or the error
	}{
		{"embedded", refTo(func(r *RefRecord) *uint64 { return &r.ID }), "ID"},
		{"a time is no struct", refTo(func(r *RefRecord) *time.Time { return &r.Made }), "Made"},
		{"struct", refTo(func(r *RefRecord) *RefNested { return &r.First }), "First"},
		{"first field of a struct", refTo(func(r *RefRecord) *int { return &r.First.A }), "First.A"},
		{"second field of a struct", refTo(func(r *RefRecord) *int { return &r.First.B }), "First.B"},
		{"by its stored name", refTo(func(r *RefRecord) *int { return &r.Named }), "other"},
		{"pointer", refTo(func(r *RefRecord) **RefNested { return &r.Behind }), "Behind"},
		{"twice nested", refTo(func(r *RefRecord) *int { return &r.Nested.Deep.B }), "Nested.Deep.B"},
		{"behind a nested struct", refTo(func(r *RefRecord) *int8 { return &r.Nested.N }), "Nested.N"},
		{"of no size", refTo(func(r *RefRecord) *struct{} { return &r.Empty }), "Empty"},
		{"not stored", refTo(func(r *RefRecord) *int { return &r.Hidden }),
			"the field of type int is not stored by itself: it is tagged -, or an embedded struct"},
		{"embedded struct", refTo(func(r *RefRecord) *RefBase { return &r.RefBase }),
			"the field of type schema.RefBase is not stored by itself: it is tagged -, or an embedded struct"},
		{"another table's", FieldRef{Record: reflect.TypeFor[Airport](), Type: reflect.TypeFor[IATA]()},
			"it is a field of schema.Airport, the table holds schema.RefRecord"},
		{"zero", FieldRef{}, "there is no field"},
		{"without a type", FieldRef{Record: reflect.TypeFor[RefRecord]()}, "there is no field"},
	}
	table := set.ByType(reflect.TypeFor[RefRecord]())
	for _, tt := range tests {
		column, path, err := table.FieldAt(tt.ref)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = nameAt(table, column, path)
			if name, ok := tt.ref.Name(); !ok || name != tt.want {
				t.Errorf("%s: Name() = %q, %t, want %q", tt.name, name, ok, tt.want)
			}
		}
		if got != tt.want {
			t.Errorf("%s: FieldAt = %s, want %s", tt.name, got, tt.want)
		}
	}
	if (FieldRef{}).IsZero() != true || refTo(func(r *RefRecord) *uint64 { return &r.ID }).IsZero() {
		t.Error("IsZero is not true of the zero FieldRef alone")
	}
}

// nameAt returns the stored names on the way to a field.
func nameAt(t *Table, column int, path []int) string {
	name, typ := t.Columns[column].Name, t.Columns[column].Type
	for _, i := range path {
		f := t.Layout.Structs[typ.Struct][i]
		name, typ = name+"."+f.Name, f.Type
	}
	return name
}

// TestFieldAtOlder looks up the fields of an older program's structs: each is
// found by its id, wherever the newest layout has it.
func TestFieldAtOlder(t *testing.T) {
	type nested struct{ A, B int }
	older := func() any {
		type T struct {
			ID uint64 `kivis:"key"`
			N  nested
			X  int
		}
		return T{}
	}()
	type later struct{ C, B, A int }
	newer := func() any {
		type T struct {
			X  int
			N  later
			ID uint64 `kivis:"key"`
		}
		return T{}
	}()
	c := NewCatalog()
	for _, v := range []any{older, newer} {
		c = finish(planAll(t, c, compileAll(t, v), PlanOptions{}))
	}
	models := compileAll(t, older)
	change := planAll(t, c, models, PlanOptions{AllowOlder: true})
	table := bindAll(t, change.Catalog, models).Tables()[0]
	typ, word := reflect.TypeOf(older), unsafe.Sizeof(int(0))
	for i, want := range []string{"ID", "N.A", "N.B", "X"} {
		ref := FieldRef{Record: typ, Type: reflect.TypeFor[uint64]()}
		if i > 0 {
			ref.Offset, ref.Type = 8+uintptr(i-1)*word, reflect.TypeFor[int]()
		}
		column, path, err := table.FieldAt(ref)
		got := fmt.Sprint(err)
		if err == nil {
			got = nameAt(table, column, path)
		}
		if got != want {
			t.Errorf("field %d: FieldAt = %s, want %s", i, got, want)
		}
	}
	bare := bindAll(t, change.Catalog, nil).Tables()[0]
	if _, _, err := bare.FieldAt(FieldRef{Record: typ, Type: reflect.TypeFor[uint64]()}); err == nil {
		t.Error("FieldAt of a table without its struct has no error")
	}
}
