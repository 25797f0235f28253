package query

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// orderText prints an order as ParseOrder reads it.
func orderText(order []Order) string {
	texts := make([]string, len(order))
	for i, o := range order {
		texts[i] = o.String()
	}
	return strings.Join(texts, ", ")
}

// TestParseOrder reads orders, and prints them.
func TestParseOrder(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{" ", ""},
		{"ID", "ID"},
		{"- Departs,ID", "-Departs, ID"},
		{"Departs desc, ID ASC", "-Departs, ID"},
		{"Address.City desc", "-Address.City"},
		{"deref(Delay)", "deref(Delay)"},
		{"desc", "desc"},
		{"`desc` desc", "-desc"},
		{"-Departs, ID", "-Departs, ID"},
		{"Departs desc, ID", "-Departs, ID"},
		{"Departs DESC,ID Asc", "-Departs, ID"},
		{" - Departs ,\n-`in`", "-Departs, -`in`"},
		{"-fold(Name), fold(Email) desc", "-fold(Name), -fold(Email)"},
		{"key() desc", "-key()"},
		{"-KEY()", "-key()"},
		{"Address.City, -Address.Zip.Code", "Address.City, -Address.Zip.Code"},
		{"-deref(p)", "-deref(p)"},
		{"desc desc, asc", "-desc, asc"},
		{"-größe", "-größe"},
		{"`desc` asc", "desc"},
	} {
		order, err := ParseOrder(tt.text)
		if got := orderText(order); err != nil || got != tt.want {
			t.Errorf("ParseOrder(%q) = %s (%v), want %s", tt.text, got, err, tt.want)
		}
		if again, err := ParseOrder(tt.want); err != nil || orderText(again) != tt.want {
			t.Errorf("ParseOrder(%q) = %s (%v), want the same", tt.want, orderText(again), err)
		}
	}
}

// TestParseOrderErrors shows the faults of orders, with their positions.
func TestParseOrderErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{",a", "order by (at 1): a field is expected, not ,"},
		{"a desc asc", "order by (at 8): a comma, asc, desc or the end is expected, not asc"},
		{"-a desc", "order by (at 2): a term has a minus or a word behind it, not both"},
		{"'a'", "order by (at 1): a field is expected, not 'a'"},
		{"-", "order by (at 2): a field is expected, not the end"},
		{"a,", "order by (at 3): a field is expected, not the end"},
		{"a b", "order by (at 3): a comma, asc, desc or the end is expected, not b"},
		{"a desc b", "order by (at 8): a comma, asc, desc or the end is expected, not b"},
		{"a `desc`", "order by (at 3): a comma, asc, desc or the end is expected, not desc"},
		{"a, -b desc", "order by (at 5): a term has a minus or a word behind it, not both"},
		{"--a", "order by (at 2): a field is expected, not -a"},
		{"a; b", `order by (at 2): ";" is not expected`},
		{"in", "order by (at 1): a field is expected, not in; a field of this name is written `in`"},
		{"-lower(a)", "order by (at 2): there is no lower(): the views of a field are fold, any and deref"},
		{"fold(a", "order by (at 7): ) is expected after the field, not the end"},
		{"a = 1", "order by (at 3): a comma, asc, desc or the end is expected, not ="},
		{"5", "order by (at 1): a field is expected, not 5"},
		{strings.Repeat("fold(", 500), "order by (at 1006): the predicate is too complex: more than 200 parentheses in each other"},
	} {
		order, err := ParseOrder(tt.text)
		var e *Error
		if err == nil || err.Error() != tt.want || order != nil || !errors.As(err, &e) {
			t.Errorf("ParseOrder(%.40q) = %v, %v\nwant %s", tt.text, order, err, tt.want)
		}
	}
}

// TestOrderByText plans orders of texts: what cannot be ordered by is an error
// at its place.
func TestOrderByText(t *testing.T) {
	table := exampleTables(t).ByName("users")
	for _, tt := range []struct{ text, want string }{
		{"-Score, fold(Address.City)", "sort    Score desc, fold(Address.City)"},
		{"Score, Score desc", "sort    Score"},
		{"Scor", "order by Scor (at 1): no field Scor; did you mean Score?"},
		{"Score, -Address.Cty", "order by Address.Cty (at 9): no field Address.Cty; did you mean Address.City?"},
		{"fold(Score)", "order by Score (at 6): Score is a float64, not a string"},
		{"any(Address.City)", "order by Address.City (at 5): a record has any number of elements: it cannot be ordered by them"},
	} {
		order, err := ParseOrder(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Compile(table, &Query{Order: order, Limit: -1}, Want{})
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = p.String()
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

// TestManyTerms has orders of more terms than a position holds.
func TestManyTerms(t *testing.T) {
	fields := []reflect.StructField{{Name: "_", PkgPath: "query", Type: reflect.TypeFor[struct{}](), Tag: `kivis:"table=wide"`},
		{Name: "ID", Type: reflect.TypeFor[int](), Tag: `kivis:"key"`}}
	var order []Order
	for i := range maxTerms + 1 {
		name := fmt.Sprintf("F%d", i)
		fields = append(fields, reflect.StructField{Name: name, Type: reflect.TypeFor[int]()})
		order = append(order, Order{Field: namedOperand(name)}, Order{Field: namedOperand(name), Desc: true})
	}
	table := testTables(t, reflect.StructOf(fields)).ByName("wide")
	if _, err := Compile(table, &Query{Order: order, Limit: -1}, Want{}); !errors.Is(err, ErrTooComplex) {
		t.Errorf("%d fields: %v, want ErrTooComplex", maxTerms+1, err)
	}
	if _, err := Compile(table, &Query{Order: order[2:], Limit: -1}, Want{}); err != nil {
		t.Errorf("%d fields, each twice: %v", maxTerms, err)
	}
}

func FuzzParseOrder(f *testing.F) {
	for _, s := range []string{"-Departs, ID", "Departs desc, ID asc", "-fold(Name), key() desc", "`in` desc, -`a``b`", "deref(any(x)), - y", "desc desc", "--", "fold(x)", "any(x) desc"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		order, err := ParseOrder(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Pos < 1 || e.Pos > len(text)+1 {
				t.Errorf("ParseOrder(%q): %v, want an Error at a place in it", text, err)
			}
			return
		}
		again, err := ParseOrder(orderText(order))
		if err != nil || orderText(again) != orderText(order) {
			t.Errorf("ParseOrder(%q) = %s, printed and parsed %s (%v)", text, orderText(order), orderText(again), err)
		}
	})
}
