package query

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/codec"
)

// TestParse parses texts and prints what they are.
func TestParse(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"a = 1", "a = 1"},
		{"a==1 and b<>2", "a = 1 and b != 2"},
		{"a=-5", "a = -5"},
		{"A.b.C >= 'it''s'", "A.b.C >= 'it''s'"},
		{`a = "x\ty"`, `a = "x\ty"`},
		{"a = 1 or b = 2 and c = 3", "a = 1 or (b = 2 and c = 3)"},
		{"(a = 1 or b = 2) and c = 3", "(a = 1 or b = 2) and c = 3"},
		{"((a = 1))", "a = 1"},
		{"not a = 1 and b = 2", "not (a = 1) and b = 2"},
		{"NOT (a = 1 AND b = 2)", "not (a = 1 and b = 2)"},
		{"not not a = 1", "not (not (a = 1))"},
		{"a in (1, 2,3)", "a in (1, 2, 3)"},
		{"a in ()", "a in ()"},
		{"a not in (1)", "not (a in (1))"},
		{"a in [1, 5)", "a in [1, 5)"},
		{"a in [1, 5]", "a between 1 and 5"},
		{"a between 1 and 5 and b = 2", "a between 1 and 5 and b = 2"},
		{"a not between 1 and 5", "not (a between 1 and 5)"},
		{"a prefix 'x' or a not prefix 'y'", "a prefix 'x' or not (a prefix 'y')"},
		{"a contains 'x'", "a contains 'x'"},
		{"a is nil and b is not null", "a is nil and not (b is nil)"},
		{"a = nil", "a = nil"},
		{"fold(a) = 'x' and FOLD(b) != 'y'", "fold(a) = 'x' and fold(b) != 'y'"},
		{"fold(any(tags)) != 'x'", "not (fold(any(tags)) = 'x')"},
		{"fold(any(tags)) prefix 'x'", "fold(any(tags)) prefix 'x'"},
		{"fold(a) in ('x', 'y')", "fold(a) in ('x', 'y')"},
		{"fold(a) not in ('x')", "not (fold(a) in ('x'))"},
		{"fold(a) > 'x' and fold(b) between 'c' and 'd'", "fold(a) > 'x' and fold(b) between 'c' and 'd'"},
		{"fold(a) contains 'x' or fold(deref(p)) = 'y'", "fold(a) contains 'x' or fold(deref(p)) = 'y'"},
		{"a contains fold('x') and b not contains FOLD ( \"y\" )", "fold(a) contains 'x' and not (fold(b) contains 'y')"},
		{"a = TRUE and b = Nil", "a = TRUE and b = Nil"},
		{"any(tags) > 'x'", "any(tags) > 'x'"},
		{"deref(p) < 5", "deref(p) < 5"},
		{"key() = ('a', 5)", "key() = ('a', 5)"},
		{"a = true and true or false", "(a = true and true) or false"},
		{"d = 1h30m and t < 2006-01-02T15:04:05Z", "d = 1h30m and t < 2006-01-02T15:04:05Z"},
		{"b = 0x0aFF and u = 6ba7b810-9dad-11d1-80b4-00c04fd430c8", "b = 0x0aFF and u = 6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
		{"`in` = 1 and `two words` = 2 and `a``b` = 3", "`in` = 1 and `two words` = 2 and `a``b` = 3"},
		{"fold = 1", "fold = 1"},
		{"größe = 1", "größe = 1"},
		{"  a\n=\t1 ", "a = 1"},
		{"a = 1e+06 and b = +Inf and c = NaN", "a = 1e+06 and b = +Inf and c = NaN"},
	} {
		e, err := Parse(test.text, nil)
		if err != nil {
			t.Errorf("Parse(%q): %v", test.text, err)
			continue
		}
		if got := e.String(); got != test.want {
			t.Errorf("Parse(%q) = %s, want %s", test.text, got, test.want)
		}
		checkReparse(t, e)
	}
}

// checkReparse prints e and parses that: it must print the same.
func checkReparse(t *testing.T, e Expr) {
	t.Helper()
	first, err := Parse(e.String(), nil)
	if err != nil {
		t.Errorf("%s does not parse: %v", e, err)
		return
	}
	// The first time values that had a type are written as Go has them.
	again, err := Parse(first.String(), nil)
	if err != nil || again.String() != first.String() {
		t.Errorf("%s parses as %v (%v)", first, again, err)
	}
}

// TestParseErrors shows the faults of texts, with their positions.
func TestParseErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", "text (at 1): a field is expected, not the end"},
		{"a", "text (at 2): an operator is expected after a (= != < <= > >= in between prefix contains is), not the end"},
		{"a =", "text (at 4): a value is expected, not the end"},
		{"a = ORD", "text (at 5): a value is expected, not ORD; a string stands in quotes: 'ORD'"},
		{"a = 'x", "text (at 5): the quote does not end"},
		{`a = "x`, "text (at 5): the string does not end, or has a bad escape"},
		{"a = 1 b = 2", "text (at 7): and, or, or the end is expected, not b"},
		{"a = 1 and", "text (at 10): a field is expected, not the end"},
		{"a = 1 && b = 2", "text (at 7): &&: write and"},
		{"a = 1 || b = 2", "text (at 7): ||: write or"},
		{"!a = 1", "text (at 1): !: write not"},
		{"a like 'x%'", "text (at 3): there is no like: use prefix or contains, with fold(a) for any case"},
		{"a contains fold('x' and b = 1", "text (at 21): ) is expected after the value of fold(, not and"},
		{"a contains fold", "text (at 12): a value is expected, not fold; a string stands in quotes: 'fold'"},
		{"a contains fold()", "text (at 17): a value is expected, not )"},
		{"a ; b", `text (at 3): ";" is not expected`},
		{"(a = 1", "text (at 7): ) is expected to close the parenthesis, not the end"},
		{"a = 1)", "text (at 6): and, or, or the end is expected, not )"},
		{"a in 5", "text (at 6): a list in parentheses is expected, or a range [from, to), not 5"},
		{"a in (1, 2", "text (at 11): ) is expected to close the list, not the end"},
		{"a in [1; 2)", `text (at 8): ";" is not expected`},
		{"a between 1 or 2", "text (at 13): and is expected after the first value of between, not or"},
		{"a is 5", "text (at 6): nil is expected after is, not 5"},
		{"and = 1", "text (at 1): a field is expected, not and; a field of this name is written `and`"},
		{"foldd(a) = 'x'", "text (at 1): there is no foldd(): the views of a field are fold, any and deref; did you mean fold?"},
		{"qux(a) = 'x'", "text (at 1): there is no qux(): the views of a field are fold, any and deref"},
		{"a = 1 and  bar(fold(a)) = 'x'", "text (at 12): there is no bar(): the views of a field are fold, any and deref"},
		{"a = " + strings.Repeat("x", 100), "text (at 5): a value is expected, not " + strings.Repeat("x", 60) + "…; a string stands in quotes: '" + strings.Repeat("x", 60) + "…'"},
		{strings.Repeat("ä", 100) + " 5", "text (at 202): an operator is expected after " + strings.Repeat("ä", 60) + "… (= != < <= > >= in between prefix contains is), not 5"},
		{"a = 1 '" + strings.Repeat("y", 100) + "'", "text (at 7): and, or, or the end is expected, not '" + strings.Repeat("y", 60) + "…'"},
		{"a = ?", "text (at 5): 0 values are given, too few for this question mark"},
		{"a = (1, 2", "text (at 10): ) is expected to close the tuple, not the end"},
		{strings.Repeat("(", 500), "text (at 201): the predicate is too complex: more than 200 parentheses or nots in each other"},
		{strings.Repeat("not ", 500), "text (at 801): the predicate is too complex: more than 200 parentheses or nots in each other"},
		{"a = " + strings.Repeat("(", 500), "text (at 204): the predicate is too complex: more than 200 parentheses in each other"},
		{strings.Repeat("any(", 500), "text (at 801): the predicate is too complex: more than 200 parentheses in each other"},
	} {
		_, err := Parse(test.text, nil)
		if err == nil {
			t.Errorf("Parse(%.40q) has no error, want %s", test.text, test.want)
			continue
		}
		if err.Error() != test.want {
			t.Errorf("Parse(%.40q): %v\nwant %s", test.text, err, test.want)
		}
		var e *Error
		if !errors.As(err, &e) || e.Pos == 0 {
			t.Errorf("Parse(%.40q): %T without a position", test.text, err)
		}
	}
	if _, err := Parse("a = ?", make([]Literal, 2)); err == nil || !strings.Contains(err.Error(), "2 values are given, the text has 1") {
		t.Errorf("with a value too many: %v", err)
	}
}

// TestParams gives values for question marks.
func TestParams(t *testing.T) {
	kt := codec.KeyType{Kind: codec.Int}
	five := Literal{Type: &kt, Exact: codec.AppendInt(nil, 5)}
	e, err := Parse("a = ? and b in (?, 7) and c in [?, 9)", []Literal{five, five, five})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := e.String(), "a = 5 and b in (5, 7) and c in [5, 9)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestLiterals gives texts their types from the fields they are compared with.
func TestLiterals(t *testing.T) {
	set := exampleTables(t)
	for _, test := range []struct{ query, want string }{
		{"flights | Departs = 2001-02-03", "Departs = 2001-02-03T00:00:00Z"},
		{"flights | Departs = '2001-02-03 04:05'", "Departs = 2001-02-03T04:05:00Z"},
		{"flights | Departs = 2001-02-03T04:05:06+02:00", "Departs = 2001-02-03T02:05:06Z"},
		{"flights | Departs = 5", "error: where Departs (at 11): it wants a time such as 2006-01-02T15:04:05Z or 2006-01-02, not 5"},
		{"flights | Departs >= 0000-01-01", "true"},
		{"flights | Departs > 0000-12-31T23:59:59Z", "true"},
		{"flights | Departs != 0000-01-01", "true"},
		{"flights | Departs < 0000-01-01", "false"},
		{"flights | Departs = 0000-01-01", "false"},
		{"flights | Departs in (0000-01-01, 2001-02-03)", "Departs = 2001-02-03T00:00:00Z"},
		{"flights | Departs between 0000-01-01 and 2001-02-03", "Departs <= 2001-02-03T00:00:00Z"},
		{"flights | not (Departs < 0000-01-01)", "true"},
		{"flights | Departs > 9999-12-31T23:59:59-05:00", "false"},
		{"flights | Departs <= 9999-12-31T23:59:59-05:00", "true"},
		{"flights | Delay = 010", "Delay = 10"},
		{"flights | Delay = 08", "Delay = 8"},
		{"flights | Delay = -0x1F", "Delay = -31"},
		{"flights | Delay = 0b1", "error: where Delay (at 9): it wants an integer, not 0b1"},
		{"flights | Delay = 0x-1", "error: where Delay (at 9): it wants an integer, not 0x-1"},
		{"users | Score = 0x10", "Score = 16"},
		{"users | Score = 010", "Score = 10"},
		{"flights | Delay = 0x10", "Delay = 16"},
		{"flights | Delay = 99999999999999999999", "error: where Delay (at 9): it wants an integer, not 99999999999999999999"},
		{"flights | ID = -1", "ID = -1"},
		{"flights | Cancelled = 1", "error: where Cancelled (at 13): it wants true or false, not 1"},
		{"flights | Origin = 5", "error: where Origin (at 10): a string stands in quotes: '5'"},
		{"posts | `In` = 90m", "In = 1h30m0s"},
		{"posts | `In` = '90m'", "In = 1h30m0s"},
		{"posts | `In` = 90", "error: where `In` (at 8): it wants a duration such as 1h30m, not 90"},
		{"posts | Words = 0x0A0b", "Words = 0x0a0b"},
		{"posts | Words = 'ab'", "Words = 0x6162"},
		{"posts | Words = 0x0", "error: where Words (at 9): it wants bytes such as 0x0a0b, not 0x0"},
		{"users | Score = 1e3", "Score = 1000"},
		{"users | key() = ('a')", "error: where key() (at 9): it has 2 parts, the tuple 1"},
		{"users | key() = 'a'", "error: where key() (at 9): it wants a tuple such as (1, 'a'), not 'a'"},
		{"users | key() = (1, 2)", "error: where key() (at 10): a string stands in quotes: '1'"},
		{"users | address.zip.code = nil", "Address.Zip.Code is nil"},
		{"users | Email = ('a', 'b')", "error: where Email (at 9): it wants a string in quotes, not ('a', 'b')"},
	} {
		table, q, want, err := parseQuery(set, test.query)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if b, err := new(binder).bind(table, q, want); err != nil {
			got = "error: " + err.Error()
		} else {
			got = b.root.String()
		}
		if got != test.want {
			t.Errorf("%s: %s\nwant %s", test.query, got, test.want)
		}
	}
}

// TestConvertedParams compares fields with values of other types that stand for
// theirs, as JSON has them.
func TestConvertedParams(t *testing.T) {
	set := exampleTables(t)
	for _, test := range []struct {
		text  string
		param any
		want  string
	}{
		{"delay = ?", 60.0, "Delay = 60"},
		{"delay = ?", -1e6, "Delay = -1000000"},
		{"delay = ?", 60.5, "error: where delay (at 9): it is an int and the value a float"},
		{"delay = ?", "60", "error: where delay (at 9): it is an int and the value a string"},
		{"gate > ?", 3.0, "Gate > 3"},
		{"departs > ?", "2001-02-03T04:05:06Z", "Departs > 2001-02-03T04:05:06Z"},
		{"departs > ?", "yesterday", "error: where departs (at 11): it wants a time such as 2006-01-02T15:04:05Z or 2006-01-02, not 'yesterday'"},
		{"origin = ?", 5, "error: where origin (at 10): it is a string and the value an int"},
		{"cancelled = ?", true, "Cancelled = true"},
		{"score = ?", int64(3), "Score = 3"},
		{"score = ?", int64(1) << 53, "Score = 9.007199254740992e+15"},
		{"score = ?", int64(1)<<53 + 1, "error: where score (at 9): it is a float64, which cannot be 9007199254740993 exactly"},
		{"score >= ?", uint64(1) << 63, "Score >= 9.223372036854776e+18"},
		{"score = ?", int64(math.MinInt64), "Score = -9.223372036854776e+18"},
		{"score = ?", uint64(math.MaxUint64), "error: where score (at 9): it is a float64, which cannot be 18446744073709551615 exactly"},
	} {
		e, err := Parse(test.text, []Literal{literal(t, reflect.ValueOf(test.param))})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		table := set.ByName("flights")
		if strings.HasPrefix(test.text, "score") {
			table = set.ByName("users")
		}
		if b, err := new(binder).bind(table, &Query{Where: e, Limit: -1}, Want{}); err != nil {
			got = "error: " + err.Error()
		} else {
			got = b.root.String()
		}
		if got != test.want {
			t.Errorf("%s with %v: %s, want %s", test.text, test.param, got, test.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"a = 1 and not (b in ('x', \"y\") or c between 1 and 2)", "fold(any(t)) prefix 'x' or key() = (1, nil)", "`a b` is not nil",
		"d in [1h, 2h) and t > 2001-01-01T00:00:00Z", "a = ? or true", "x contains 0xff", "a.b.c != -1.5e-3", "not false",
	} {
		f.Add(s)
	}
	set := exampleTables(f)
	table := set.ByName("users")
	kt := codec.KeyType{Kind: codec.String}
	param := Literal{Type: &kt, Exact: codec.AppendString(nil, "p\xff'`")}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text, nil)
		if err != nil {
			if e, err = Parse(text, []Literal{param}); err != nil {
				return
			}
		}
		checkReparse(t, e)
		b, err := new(binder).bind(table, &Query{Where: e, Limit: -1}, Want{})
		if err != nil {
			return
		}
		again, err := Parse(e.String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		c, err := new(binder).bind(table, &Query{Where: again, Limit: -1}, Want{})
		if err != nil || c.root.String() != b.root.String() {
			t.Errorf("%q: %v, printed and parsed %v (%v)", text, b.root, c, err)
		}
	})
}

// TestFloat32 compares a field of 32 bits with values of 64: they are rounded
// as the field would, whether the plan is new or made of an earlier one.
func TestFloat32(t *testing.T) {
	type rec struct {
		ID int      `kivis:"key"`
		F  float32  `kivis:"index"`
		P  *float32 `kivis:"index"`
	}
	table := testTables(t, reflect.TypeFor[rec]()).ByType(reflect.TypeFor[rec]())
	rounded := "0.10000000149011612"
	for _, tt := range []struct{ name, text, want string }{
		{"text", "F = 0.1", "F = " + rounded},
		{"exact", "F = 0.5", "F = 0.5"},
		{"list", "F in (0.1, 2)", "F in (" + rounded + ", 2)"},
		{"pointer", "P >= 0.1", "P >= " + rounded},
		{"nil", "P = nil", "P is nil"},
		{"not a number", "F = NaN", "F = NaN"},
	} {
		e, err := Parse(tt.text, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := new(binder).bind(table, &Query{Where: e, Limit: -1}, Want{})
		if err != nil || b.root.String() != tt.want {
			t.Errorf("%s: %v (%v), want %s", tt.name, b, err, tt.want)
		}
	}
	kt, f := &codec.KeyType{Kind: codec.Float}, &Field{Name: "F"}
	for _, v := range []float64{0.5, 0.1, 0.25, 0.1} {
		q := &Query{Limit: -1, Where: Cmp{Eq, Operand{Field: f}, Literal{Type: kt, Exact: codec.AppendFloat(nil, v)}}}
		p, err := Compile(table, q, Want{})
		if err != nil {
			t.Fatal(err)
		}
		want := codec.AppendFloat(nil, float64(float32(v)))
		if got := p.root.set[0].lo.v; string(got) != string(want) || !strings.HasSuffix(string(p.reads[0].ranges[0].lo), string(want)) {
			t.Errorf("F = %v is planned as %x, want %x", v, got, want)
		}
		p.Release()
	}
}

// TestZeroQueries gives queries what nobody has set: each is an error, and no
// panic.
func TestZeroQueries(t *testing.T) {
	table := exampleTables(t).ByName("flights")
	one := Literal{Text: "1"}
	for _, tt := range []struct {
		name string
		q    Query
		want Want
	}{
		{"operand", Query{Where: Cmp{Value: one}}, Want{}},
		{"field", Query{Where: Cmp{Field: Operand{Field: &Field{}}, Value: one}}, Want{}},
		{"order", Query{Order: []Order{{}}}, Want{}},
		{"order of a zero field", Query{Order: []Order{{Field: Operand{Field: &Field{}}}}}, Want{}},
		{"order of elements", Query{Order: []Order{{Field: Operand{Each: true}}}}, Want{}},
		{"list", Query{Where: In{}}, Want{}},
		{"between", Query{Where: Between{}}, Want{}},
		{"prefix", Query{Where: Prefix{}}, Want{}},
		{"fold", Query{Where: EqualFold{}}, Want{}},
		{"substring", Query{Where: Substring{}}, Want{}},
		{"contains", Query{Where: Contains{}}, Want{}},
		{"nil", Query{Where: IsNil{}}, Want{}},
		{"not", Query{Where: Not{}}, Want{}},
		{"and", Query{Where: And{nil}}, Want{}},
		{"or", Query{Where: Or{nil, nil}}, Want{}},
		{"function", Query{Where: Func{}}, Want{}},
		{"values", Query{}, Want{Kind: Values}},
		{"literal", Query{Where: Cmp{Field: namedOperand("ID")}}, Want{}},
	} {
		tt.q.Limit = -1
		if tt.q.Where != nil && tt.q.Where.String() == "" {
			t.Errorf("%s has no text", tt.name)
		}
		_, err := Compile(table, &tt.q, tt.want)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v, want an Error", tt.name, err)
		}
	}
}
