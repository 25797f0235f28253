package query

import (
	"reflect"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/schema"
)

// suggestRecord has fields whose names have to be quoted.
type suggestRecord struct {
	ID   int `kivis:"key"`
	In   string
	Name string
	Tags []string
	Part struct {
		And    string
		Street string
	}
	Lines []struct {
		SKU  string
		Tags []string
	}
}

// askText parses a text and plans it.
func askText(text string, table *schema.Table) error {
	e, err := Parse(text, nil)
	if err != nil {
		return err
	}
	_, err = Compile(table, &Query{Where: e, Limit: -1}, Want{})
	return err
}

// TestSuggestions makes mistakes, and then what the message says instead: that
// must parse, and be right.
func TestSuggestions(t *testing.T) {
	table := testTables(t, reflect.TypeFor[suggestRecord]()).ByType(reflect.TypeFor[suggestRecord]())
	for _, tt := range []struct {
		name, text string
		hint       string   // what of the message is to be written
		mended     []string // the texts with it
	}{
		{"misspelt", "Nmae = 'x'", "did you mean Name?", []string{"Name = 'x'"}},
		{"misspelt keyword", "`Inn` = 'x'", "did you mean `In`?", []string{"`In` = 'x'"}},
		{"misspelt nested", "Part.Steet = 'x'", "did you mean Part.Street?", []string{"Part.Street = 'x'"}},
		{"misspelt nested keyword", "part.Andd = 'x'", "did you mean Part.And?", []string{"Part.And = 'x'"}},
		{"unknown", "Nothing = 'x'", "there are ID, `In`, Name, Tags, Part, Lines", []string{"`In` = 'x'", "Name = 'x'", "ID = 1"}},
		{"unknown nested", "Part.X = 'x'", "there are Part.And, Part.Street", []string{"Part.And = 'x'", "Part.Street = 'x'"}},
		{"keyword", "In = 'x'", "is written `in`", []string{"`in` = 'x'"}},
		{"no quotes", "Name = ORD", "a string stands in quotes: 'ORD'", []string{"Name = 'ORD'"}},
		{"a number for a string", "Name = 5", "a string stands in quotes: '5'", []string{"Name = '5'"}},
		{"like", "Name like 'x%'", "use prefix or contains, with fold(Name) for any case",
			[]string{"Name prefix 'x'", "Name contains 'x'", "fold(Name) prefix 'x'", "fold(Name) contains 'x'"}},
		{"like of a view", "fold(Name) ilike 'x%'", "with fold(Name)", []string{"fold(Name) contains 'x'"}},
		{"like of a keyword", "`In` like 'x%'", "with fold(`In`)", []string{"fold(`In`) contains 'x'"}},
		{"view", "fld(Name) = 'x'", "did you mean fold?", []string{"fold(Name) = 'x'"}},
		{"view of elements", "all(Tags) = 'x'", "the views of a field are fold, any and deref", []string{"any(Tags) = 'x'", "fold(any(Tags)) = 'x'"}},
		{"elements", "any(Tags) != 'it''s'", "not (any(Tags) = 'it''s')", []string{"not (any(Tags) = 'it''s')"}},
		{"a field of elements", "Lines.SKU = 'x'", "write any(Lines.SKU)", []string{"any(Lines.SKU) = 'x'", "Lines.SKU contains 'x'", "any(lines.sku) prefix 'x'"}},
		{"nil of elements", "Lines.SKU is nil", "write any(Lines.SKU)", []string{"any(Lines.SKU) < 'x'"}},
		{"none of elements", "any(Lines.SKU) != 'x'", "not (any(Lines.SKU) = 'x')", []string{"not (any(Lines.SKU) = 'x')"}},
		{"misspelt of elements", "any(Lines.SKV) = 'x'", "did you mean Lines.SKU?", []string{"fold(any(Lines.SKU)) = 'x'"}},
		{"ampersands", "ID = 1 && ID = 2", "write and", []string{"ID = 1 and ID = 2"}},
		{"bars", "ID = 1 || ID = 2", "write or", []string{"ID = 1 or ID = 2"}},
		{"bang", "!ID = 1", "write not", []string{"not ID = 1"}},
		{"operator", "ID", "= != < <= > >= in between prefix contains is",
			[]string{"ID = 1", "ID != 1", "ID < 1", "ID <= 1", "ID > 1", "ID >= 1", "ID in (1)", "ID between 1 and 2", "Name prefix 'x'", "Tags contains 'x'", "Tags is nil"}},
		{"range", "ID in 5", "a range [from, to)", []string{"ID in [1, 2)"}},
	} {
		err := askText(tt.text, table)
		if err == nil || !strings.Contains(err.Error(), tt.hint) {
			t.Errorf("%s: %s: %v, want %q in it", tt.name, tt.text, err, tt.hint)
		}
		for _, text := range tt.mended {
			if err := askText(text, table); err != nil {
				t.Errorf("%s: %s is suggested and fails: %v", tt.name, text, err)
			}
		}
	}
}

// TestLongMessages has mistakes in long texts: no message is long.
func TestLongMessages(t *testing.T) {
	table := testTables(t, reflect.TypeFor[suggestRecord]()).ByType(reflect.TypeFor[suggestRecord]())
	long := strings.Repeat("langeö", 10_000)
	for _, text := range []string{
		long, long + " = 1", "Name = " + long, "Name = '" + long + "' '" + long + "'", "Name = `" + long, long + "(Name) = 1", "Name " + long,
		"Name like '" + long + "'", long + " like 'x'", "ID = '" + long + "'", "ID = " + strings.Repeat("9", 10_000), "ID is " + long,
		"any(Tags) != '" + long + "'", "Part." + long + " = 1", "Part.Street." + long + " = 1", "ID = (" + strings.Repeat("1, ", 10_000) + "1)",
		"ID = 1 " + long, "`" + long + "` is nil", "ID in ('" + long + "')", "deref(" + long + ") = 1", "fold(" + long + ") = 1",
	} {
		err := askText(text, table)
		if err == nil || len(err.Error()) > 500 {
			t.Errorf("%.20s: %.600v", text, err)
		}
		if _, err := ParseOrder(text); err != nil && len(err.Error()) > 500 {
			t.Errorf("order by %.20s: %.600v", text, err)
		}
	}
}
