package cli

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

func TestArguments(t *testing.T) {
	for _, tt := range []struct {
		line   string
		want   []string
		record string
	}{
		{"tables", []string{"tables", "DB"}, ""},
		{"query flights", []string{"query", "DB", "flights"}, ""},
		{"query flights Origin = 'ORD' and Delay > 5", []string{"query", "DB", "flights", "Origin = 'ORD' and Delay > 5"}, ""},
		{`query flights "Origin = 'ORD'" --limit 5`, []string{"query", "DB", "flights", "Origin = 'ORD'", "--limit", "5"}, ""},
		{"query flights Origin='ORD' --count", []string{"query", "DB", "flights", "Origin='ORD'", "--count"}, ""},
		{"query flights --order '-Departs, ID'", []string{"query", "DB", "flights", "--order", "-Departs, ID"}, ""},
		{`get samples (8, "a b")`, []string{"get", "DB", "samples", `(8, "a b")`}, ""},
		{`get airports 'O R'`, []string{"get", "DB", "airports", "O R"}, ""},
		{`put airports {"Code":"A", "Name":"a \"b\""} --insert`, []string{"put", "DB", "airports", "--insert"}, `{"Code":"A", "Name":"a \"b\""}`},
		{`import airports a\ b.csv`, []string{"import", "DB", "airports", "a b.csv"}, ""},
		{"struct x.csv", []string{"struct", "x.csv"}, ""},
		{"--help", []string{"--help"}, ""},
	} {
		args, record, err := arguments(tt.line, "DB")
		if !slices.Equal(args, tt.want) || record != tt.record || err != nil {
			t.Errorf("arguments(%s) = %q, %q, %v, want %q, %q", tt.line, args, record, err, tt.want, tt.record)
		}
	}
	if _, _, err := arguments("query flights 'a", "DB"); err == nil {
		t.Error("a quotation mark without another is no error")
	}
}

func TestComplete(t *testing.T) {
	tables := []*schema.Table{
		{Name: "flights", Columns: []schema.Column{{Name: "ID"}, {Name: "Origin", Type: codec.Type{}}}, Indexes: []*schema.Index{{Name: "route"}}},
		{Name: "fleets"},
	}
	for _, tt := range []struct{ line, head, want string }{
		{"q", "", "query"},
		{"ex", "", "exit export"},
		{"query f", "query ", "fleets flights"},
		{"query flights o", "query flights ", "Origin or"},
		{"query flights Origin = 'A' an", "query flights Origin = 'A' ", "and any"},
		{"query flights (Or", "query flights (", "Origin or"},
		{"query flights --o", "query flights ", "--offset --order"},
		{"query flights --order ID,O", "query flights --order ID,", "Origin or"},
		{"query flights --order O", "query flights --order ", "Origin"},
		{"query flights --using ", "query flights --using ", "route"},
		{"query flights --format j", "query flights --format ", "json jsonl"},
		{"import flights --dr", "import flights ", "--dry-run"},
		{"query nowhere x", "query nowhere ", ""},
		{"nope --", "nope ", ""},
	} {
		head, list := complete(tt.line, tables)
		if got := strings.Join(list, " "); head != tt.head || got != tt.want {
			t.Errorf("complete(%q) = %q, %q, want %q, %q", tt.line, head, got, tt.head, tt.want)
		}
	}
}

// TestAlike leaves words that begin as what was typed does.
func TestAlike(t *testing.T) {
	for _, tt := range []struct{ begun, list, want string }{
		{"Or", "Origin or", "Origin"},
		{"or", "Origin or", "or"},
		{"OR", "Origin or", "Origin"},
		{"", "Origin or", "Origin or"},
		{"De", "Delay Departs", "Delay Departs"},
		{"x", "", ""},
	} {
		if got := strings.Join(alike(tt.begun, strings.Fields(tt.list)), " "); got != tt.want {
			t.Errorf("alike(%q, %q) = %q, want %q", tt.begun, tt.list, got, tt.want)
		}
	}
}

// TestFlagNames has each command's flags be completed as the command line has them.
func TestFlagNames(t *testing.T) {
	want := []string{"--order", "--limit", "--offset", "--fields", "--using", "--count", "--explain", "--analyze", "--format"}
	if got := flagNames(reflect.TypeFor[queryCmd]()); !slices.Equal(got, want) {
		t.Errorf("flags of query are %q, want %q", got, want)
	}
}
