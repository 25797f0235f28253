package schema

import (
	"reflect"
	"strings"
	"testing"
)

// TestInstances names the tables of two instances of a generic type apart, and
// keeps the name that an earlier release has given one.
func TestInstances(t *testing.T) {
	names := func(c *Catalog, values ...any) string {
		models, err := CompileFor(c, types(values...)...)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, m := range models {
			list = append(list, m.Name)
		}
		return strings.Join(list, " ")
	}
	if got, want := names(nil, Box[Spot]{}, Box[*Spot]{}, Box[[2]byte]{}), "Box_Spot Box_ptr_Spot Box_2_byte"; got != want {
		t.Errorf("names are %s, want %s", got, want)
	}
	old := *lookupModel(reflect.TypeFor[Box[*Spot]]()).model // as an earlier release compiled it
	old.Name = old.formerly
	c := finish(planAll(t, NewCatalog(), []*Model{&old}, PlanOptions{}))
	for _, test := range []struct {
		name   string
		values []any
		want   string
	}{
		{"the instance of the stored table", []any{Box[*Spot]{}}, "Box_Spot"},
		{"beside another that has the name", []any{Box[Spot]{}, Box[*Spot]{}}, "Box_Spot Box_ptr_Spot"},
		{"another record beside it", []any{Box[*Spot]{}, Tenant{}}, "Box_Spot Tenant"},
	} {
		if got := names(c, test.values...); got != test.want {
			t.Errorf("%s: names are %s, want %s", test.name, got, test.want)
		}
	}
	models, err := CompileFor(c, reflect.TypeFor[Box[*Spot]]())
	if err != nil {
		t.Fatal(err)
	}
	if change := planAll(t, c, models, PlanOptions{}); !change.Diff.Empty() {
		t.Errorf("the table of an earlier release: %v", change.Diff)
	}
	bindAll(t, c, models)
	other := *lookupModel(reflect.TypeFor[Box[int]]()).model
	other.Name = "Box_Spot"
	c = finish(planAll(t, NewCatalog(), []*Model{&other}, PlanOptions{}))
	if got, want := names(c, Box[*Spot]{}), "Box_ptr_Spot"; got != want {
		t.Errorf("beside a table that is another's: %s, want %s", got, want)
	}
}

// TestInstancesOfOneName has two types of one name as arguments.
func TestInstancesOfOneName(t *testing.T) {
	one := func() reflect.Type {
		type Same struct{ A int }
		return reflect.TypeFor[Box[Same]]()
	}()
	two := func() reflect.Type {
		type Same struct{ B int }
		return reflect.TypeFor[Box[Same]]()
	}()
	_, err := Compile(one, two)
	want := "the table Box_Same is that of schema.Box[schema.Same]: define a type with a name of its own for one of the two, as in type NAME Box[schema.Same]"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error = %v, want %s", err, want)
	}
}
