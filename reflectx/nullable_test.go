package reflectx

import (
	"database/sql"
	"database/sql/driver"
	"reflect"
	"testing"
	"time"
)

type (
	nullMethods  struct{}
	nullFirst    struct{ Valid, V bool }
	nullHidden   struct{ v, Valid bool }
	nullThree    struct{ A, B, Valid bool }
	nullNumbered struct {
		V     bool
		Valid int
	}
	nullReader struct{ V, Valid bool }
	nullPlain  sql.NullString
)

func (*nullMethods) Scan(any) error                { return nil }
func (nullMethods) Value() (driver.Value, error)   { return nil, nil }
func (*nullFirst) Scan(any) error                  { return nil }
func (nullFirst) Value() (driver.Value, error)     { return nil, nil }
func (*nullHidden) Scan(any) error                 { return nil }
func (h nullHidden) Value() (driver.Value, error)  { return h.v, nil }
func (*nullThree) Scan(any) error                  { return nil }
func (nullThree) Value() (driver.Value, error)     { return nil, nil }
func (*nullNumbered) Scan(any) error               { return nil }
func (*nullNumbered) Value() (driver.Value, error) { return nil, nil }
func (*nullReader) Scan(any) error                 { return nil }

func TestNullableOf(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   reflect.Type
		elem reflect.Type // nil where it is not one
	}{
		{"sql.NullTime", reflect.TypeFor[sql.NullTime](), reflect.TypeFor[time.Time]()},
		{"sql.Null", reflect.TypeFor[sql.Null[[]int]](), reflect.TypeFor[[]int]()},
		{"Valid first", reflect.TypeFor[nullFirst](), reflect.TypeFor[bool]()},
		{"no fields", reflect.TypeFor[nullMethods](), nil},
		{"a hidden value", reflect.TypeFor[nullHidden](), nil},
		{"three fields", reflect.TypeFor[nullThree](), nil},
		{"Valid is a number", reflect.TypeFor[nullNumbered](), nil},
		{"no Value", reflect.TypeFor[nullReader](), nil},
		{"no methods", reflect.TypeFor[nullPlain](), nil},
		{"a pointer", reflect.TypeFor[*sql.NullTime](), nil},
		{"a number", reflect.TypeFor[int](), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, ok := NullableOf(tt.of)
			if ok != (tt.elem != nil) || ok && n.Elem != tt.elem {
				t.Errorf("NullableOf(%v) = %+v, %v; want one of %v", tt.of, n, ok, tt.elem)
			}
		})
	}
}

func TestNullableIsSet(t *testing.T) {
	v := sql.NullInt32{Int32: 5}
	n, _ := NullableOf(reflect.TypeOf(v))
	if p := n.At(To(&v)); !p.IsNil() {
		t.Error("what is not valid holds something")
	}
	*Ref[int32](n.Set(To(&v))) += 7
	if v != (sql.NullInt32{Int32: 7, Valid: true}) || *Ref[int32](n.At(To(&v))) != 7 {
		t.Errorf("set to %+v", v)
	}
	if n.Clear(To(&v)); v != (sql.NullInt32{}) {
		t.Errorf("cleared to %+v", v)
	}
}
