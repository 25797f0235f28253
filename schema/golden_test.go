package schema

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the tests got to testdata")

// golden compares text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s\nwant:\n%s", path, got, want)
	}
}

// compileAll compiles the types of values, which must be good.
func compileAll(t *testing.T, values ...any) []*Model {
	t.Helper()
	return compileTypes(t, types(values...))
}

func compileTypes(t *testing.T, types []reflect.Type) []*Model {
	t.Helper()
	models, err := Compile(types...)
	if err != nil {
		t.Fatal(err)
	}
	return models
}

// planAll plans models on a catalog, which must not fail.
func planAll(t *testing.T, c *Catalog, models []*Model, opts PlanOptions) *Change {
	t.Helper()
	change, err := Plan(c, models, opts)
	if err != nil {
		t.Fatal(err)
	}
	return change
}

func bindAll(t *testing.T, c *Catalog, models []*Model) *Set {
	t.Helper()
	set, err := Bind(c, models)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// newSet returns the tables of values on a new catalog.
func newSet(t *testing.T, values ...any) *Set {
	t.Helper()
	models := compileAll(t, values...)
	return bindAll(t, planAll(t, NewCatalog(), models, PlanOptions{}).Catalog, models)
}

var good = []struct {
	name   string
	values []any
}{
	{"flights", []any{&Airport{}, &Flight{}}},
	{"forum", []any{Member{note: ""}, Thread{}, Profile{}}},
	{"keys", []any{Member{}, Thread{}, Session{}, Blob{}, Place{}, &Slot{}, Leg{}, Stop{}, Descending{}, Mail{}}},
	{"composite", []any{Invoice{}, Customer{}, Tenant{}}},
	{"nested", []any{Company{}, Airport{}, Holder{}, Item{}}},
	{"generic", []any{Box[int]{}, Box[*int8]{}, Box[Spot]{}, struct {
		_ struct{} `kivis:"table=unnamed"`
		A string   `kivis:"key"`
	}{}}},
}

func TestGoodStructs(t *testing.T) {
	for _, test := range good {
		t.Run(test.name, func(t *testing.T) {
			var b strings.Builder
			for _, table := range newSet(t, test.values...).Tables() {
				b.WriteString(table.String())
			}
			golden(t, filepath.Join("good", test.name+".txt"), b.String())
		})
	}
}

// TestCompileOrder compiles types in several orders, twice and by pointer: it
// makes no difference.
func TestCompileOrder(t *testing.T) {
	a := types(&Airport{}, Flight{}, Member{}, Thread{})
	b := types(Thread{}, &Flight{}, Flight{}, &Member{}, Airport{}, &Thread{})
	text := func(list []reflect.Type) string {
		models, err := Compile(list...)
		if err != nil {
			t.Fatal(err)
		}
		s := ""
		for _, table := range bindAll(t, planAll(t, NewCatalog(), models, PlanOptions{}).Catalog, models).Tables() {
			s += table.String()
		}
		return s
	}
	if got, want := text(b), text(a); got != want {
		t.Errorf("in another order:\n%s\nwant:\n%s", got, want)
	}
}
