package query

import (
	"reflect"
	"testing"
	"time"

	"github.com/kivisdb/kivis/codec"
)

// TestTimeLiteral compares fields with instants that no record can hold,
// whether the plan is new or one of its form was made before.
func TestTimeLiteral(t *testing.T) {
	type rec struct {
		ID int        `kivis:"key"`
		At time.Time  `kivis:"index"`
		P  *time.Time `kivis:"index"`
	}
	table := testTables(t, reflect.TypeFor[rec]()).ByType(reflect.TypeFor[rec]())
	kt := &codec.KeyType{Kind: codec.Time}
	ptr := &codec.KeyType{Kind: codec.Time, Ptr: true}
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	at, p := &Field{Name: "At"}, &Field{Name: "P"}
	for _, tt := range []struct {
		name  string
		op    Op
		field *Field
		typ   *codec.KeyType
		deref bool
		want  [3]string // of the years -5, 2000 and 10000
	}{
		{"eq", Eq, at, kt, false, [3]string{"false", "At = 2000-01-01T00:00:00Z", "false"}},
		{"ne", Ne, at, kt, false, [3]string{"true", "At != 2000-01-01T00:00:00Z", "true"}},
		{"lt", Lt, at, kt, false, [3]string{"false", "At < 2000-01-01T00:00:00Z", "true"}},
		{"ge", Ge, at, kt, false, [3]string{"true", "At >= 2000-01-01T00:00:00Z", "false"}},
		{"pointer eq", Eq, p, ptr, false, [3]string{"false", "P = 2000-01-01T00:00:00Z", "false"}},
		{"pointer lt", Lt, p, ptr, false, [3]string{"P is nil", "P < 2000-01-01T00:00:00Z", "true"}},
		{"pointer gt", Gt, p, ptr, false, [3]string{"P is not nil", "P > 2000-01-01T00:00:00Z", "false"}},
		{"deref lt", Lt, p, kt, true, [3]string{"false", "deref(P) < 2000-01-01T00:00:00Z", "P is not nil"}},
		{"deref ne", Ne, p, kt, true, [3]string{"P is not nil", "deref(P) < 2000-01-01T00:00:00Z or P > 2000-01-01T00:00:00Z", "P is not nil"}},
	} {
		for range 2 {
			for i, y := range []int{2000, -5, 2000, 10000} {
				q := &Query{Limit: -1, Where: Cmp{tt.op, Operand{Field: tt.field, Deref: tt.deref}, TimeLiteral(tt.typ, year(y))}}
				plan, err := Compile(table, q, Want{})
				if err != nil {
					t.Fatal(err)
				}
				if got, want := plan.root.String(), tt.want[[]int{1, 0, 1, 2}[i]]; got != want {
					t.Errorf("%s, year %d: %s, want %s", tt.name, y, got, want)
				}
				plan.Release()
			}
		}
	}
}

// TestTimeInTuple compares a key of several parts with instants out of range.
func TestTimeInTuple(t *testing.T) {
	type rec struct {
		At time.Time `kivis:"key"`
		N  int       `kivis:"key"`
	}
	table := testTables(t, reflect.TypeFor[rec]()).ByType(reflect.TypeFor[rec]())
	for text, want := range map[string]string{
		"key() >= (0000-01-01, 5)":               "key() >= (0001-01-01T00:00:00Z, 5)",
		"key() < (9999-12-31T23:59:59-05:00, 5)": "key() < (9999-12-31T23:59:59.999999999Z, 5)",
	} {
		e, err := Parse(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := new(binder).bind(table, &Query{Where: e, Limit: -1}, Want{})
		if err != nil || b.root.String() != want {
			t.Errorf("%s: %v (%v), want %s", text, b, err, want)
		}
	}
}
