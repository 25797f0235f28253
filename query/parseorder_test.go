package query_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/query"
)

// orderText returns an order as text.
func orderText(order []query.Order) string {
	var terms []string
	for _, o := range order {
		s := o.Field.String()
		if o.Desc {
			s += " desc"
		}
		terms = append(terms, s)
	}
	return strings.Join(terms, ", ")
}

func TestParseOrder(t *testing.T) {
	for _, tt := range []struct {
		text, want string
		pos        int // of the error
	}{
		{"", "", 0},
		{" ", "", 0},
		{"Departs", "Departs", 0},
		{"-Departs, ID", "Departs desc, ID", 0},
		{"- Departs,ID", "Departs desc, ID", 0},
		{"Departs desc, ID ASC", "Departs desc, ID", 0},
		{"Address.City desc", "Address.City desc", 0},
		{"key() desc", "key() desc", 0},
		{"deref(Delay)", "deref(Delay)", 0},
		{"`desc` desc", "desc desc", 0},
		{"desc", "desc", 0},
		{"-`in`", "`in` desc", 0},
		{"Departs,", "a field is expected, not the end", 9},
		{",Departs", "a field is expected, not ,", 1},
		{"Departs ID", "a comma, asc, desc or the end is expected, not ID", 9},
		{"Departs desc asc", "a comma, asc, desc or the end is expected", 14},
		{"-Departs desc", "not both", 2},
		{"--Departs", "a field is expected", 2},
		{"-", "a field is expected, not the end", 2},
		{"fold(Name)", "case set aside", 1},
		{"Name = 5", "a comma, asc, desc or the end is expected, not =", 6},
		{"in", "written `in`", 1},
		{"'Name'", "a field is expected", 1},
	} {
		order, err := query.ParseOrder(tt.text)
		if err == nil {
			if got := orderText(order); got != tt.want || tt.pos > 0 {
				t.Errorf("ParseOrder(%q) = %s, want %s", tt.text, got, tt.want)
			}
			continue
		}
		var e *query.Error
		if !errors.As(err, &e) || e.Pos != tt.pos || e.Clause != "order by" || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ParseOrder(%q): error %v, want one at %d with %q", tt.text, err, tt.pos, tt.want)
		}
	}
}

// FuzzParseOrder: no text makes it panic, and what an order prints is that order
// again.
func FuzzParseOrder(f *testing.F) {
	for _, s := range []string{"-Departs, ID", "key() desc, `in`", "deref(a.b) asc,-c", "--", "fold(x)", "any(x) desc"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		order, err := query.ParseOrder(text)
		if err != nil {
			return
		}
		again, err := query.ParseOrder(orderText(order))
		if err != nil || orderText(again) != orderText(order) {
			t.Errorf("ParseOrder(%q) prints as %q, which gives %q, %v", text, orderText(order), orderText(again), err)
		}
	})
}
