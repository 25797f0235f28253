package query

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
)

type enumState uint16

func (s enumState) String() string { return [...]string{"open", "paid", "it's gone"}[s] }

type enumRecord struct {
	_      struct{}  `kivis:"table=enums"`
	State  enumState `kivis:"key,desc"`
	Number int       `kivis:"key"`
	Was    *enumState
	All    []enumState `kivis:"index,each"`
	In     []struct{ State enumState }
	Count  int
}

// TestEnumsByText compares predicates with enums by text with the same by number.
func TestEnumsByText(t *testing.T) {
	typ := reflect.TypeFor[enumRecord]()
	set := testTables(t, typ)
	table := set.ByType(typ)
	models, err := schema.Compile(typ)
	if err != nil {
		t.Fatal(err)
	}
	change, err := schema.Plan(schema.NewCatalog(), models, schema.PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	bare, err := schema.Bind(change.Catalog, nil)
	if err != nil {
		t.Fatal(err)
	}
	param := func(v string) []Literal {
		kt := codec.KeyType{Kind: codec.String}
		plan, err := codec.CompileKey(reflect.TypeFor[string](), nil, kt)
		if err != nil {
			t.Fatal(err)
		}
		b, err := plan.Append(nil, reflectx.To(&v))
		return []Literal{{Type: &kt, Exact: b, Err: err}}
	}
	plan := func(table *schema.Table, text string, params []Literal) (string, error) {
		e, err := Parse(text, params)
		if err != nil {
			return "", err
		}
		p, err := Compile(table, &Query{Where: e, Limit: -1}, Want{})
		if err != nil {
			return "", err
		}
		return p.String(), nil
	}
	for text, same := range map[string]string{
		"State = 'paid'": "State = 1", "State != 'it''s gone'": "State != 2", "State >= 'paid' and Number = 5": "State >= 1 and Number = 5",
		"State in ('open', 2)": "State in (0, 2)", "State between 'open' and 'paid'": "State between 0 and 1", "Was = 'paid'": "Was = 1",
		"deref(Was) < 'paid'": "deref(Was) < 1", "any(All) = 'paid'": "any(All) = 1", "All contains 'paid'": "All contains 1",
		"any(In.State) = 'open'": "any(In.State) = 0", "key() = ('paid', 7)": "key() = (1, 7)", "key() in (('open', 1), (1, 1))": "key() in ((0, 1), (1, 1))",
	} {
		got, err := plan(table, text, nil)
		want, err2 := plan(table, same, nil)
		if got != want || err != nil || err2 != nil {
			t.Errorf("%s:\n%s%v\nwant\n%s%v", text, got, err, want, err2)
		}
		if _, err := plan(bare.ByName("enums"), text, nil); err == nil || !strings.Contains(err.Error(), "it wants an integer") {
			t.Errorf("%s without the type: %v", text, err)
		}
	}
	if got, err := plan(table, "State = ?", param("it's gone")); err != nil || !strings.Contains(got, "2") {
		t.Errorf("as a parameter: %s, %v", got, err)
	}
	for text, want := range map[string]string{
		"State = 'paidd'": "where State (at 9): no value of it has the text 'paidd'; did you mean 'paid'?", "State = paid": "a string stands in quotes: 'paid'",
		"Count = 'paid'": "it wants an integer, not 'paid'", "key() = ('x', 7)": "where key() (at 10): no value of it has the text 'x'",
		"State = 'lost'": "no value of it has the text 'lost'",
	} {
		_, err := plan(table, text, nil)
		var qe *Error
		if !errors.As(err, &qe) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
