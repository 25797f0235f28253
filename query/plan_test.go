package query

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/schema"
)

var update = flag.Bool("update", false, "rewrite the expected plans")

// parseQuery reads a query of the golden files: clauses between bars, first
// the table. Such as: flights | origin = 'ORD' | order -departs | limit 20
func parseQuery(set *schema.Set, text string) (*schema.Table, *Query, Want, error) {
	clauses := strings.Split(text, " | ")
	q := &Query{Limit: -1}
	want := Want{}
	for _, c := range clauses[1:] {
		word, rest, _ := strings.Cut(strings.TrimSpace(c), " ")
		switch word {
		case "order":
			for _, f := range strings.Split(rest, ", ") {
				name, desc := strings.CutPrefix(f, "-")
				q.Order = append(q.Order, Order{namedOperand(name), desc})
			}
		case "limit":
			q.Limit, _ = strconv.Atoi(rest)
		case "offset":
			q.Offset, _ = strconv.Atoi(rest)
		case "using":
			q.Using = rest
		case "bykey":
			q.ByKey = true
		case "back":
			q.Backward = true
		case "count":
			want.Kind = Count
		case "keys":
			want.Kind = Keys
		case "values":
			value, group, by := strings.Cut(rest, " by ")
			if want = (Want{Kind: Values, Value: namedOperand(value)}); by {
				want.Group = namedOperand(group)
			}
		default:
			e, err := Parse(c, nil)
			if err != nil {
				return nil, nil, want, err
			}
			q.Where = e
		}
	}
	return set.ByName(strings.TrimSpace(clauses[0])), q, want, nil
}

func namedOperand(name string) Operand {
	switch {
	case name == "key()":
		return Operand{Field: &Field{Key: true}}
	case strings.HasPrefix(name, "any("):
		return Operand{Field: &Field{Name: name[4 : len(name)-1]}, Each: true}
	}
	return Operand{Field: &Field{Name: name}}
}

func explain(set *schema.Set, text string) string {
	table, q, want, err := parseQuery(set, text)
	if err == nil {
		var p *Plan
		if p, err = Compile(table, q, want); err == nil {
			return p.String()
		}
	}
	return "error: " + strings.ReplaceAll(err.Error(), "\n", "\nerror: ")
}

// TestPlans compares plans with those in testdata/plan: blocks of queries,
// each followed by ---- and the plan. With -update it writes them.
func TestPlans(t *testing.T) {
	set := exampleTables(t)
	files, err := filepath.Glob("testdata/plan/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		for block := range strings.SplitSeq(strings.TrimSpace(string(data)), "\n\n") {
			head, _, _ := strings.Cut(block, "\n----")
			var queries []string
			for line := range strings.SplitSeq(head, "\n") {
				if !strings.HasPrefix(line, "#") {
					queries = append(queries, line)
				}
			}
			out.WriteString(head)
			if len(queries) > 0 {
				fmt.Fprintf(&out, "\n----\n%s", explain(set, strings.Join(queries, " ")))
				got := out.String()
				if !*update && !strings.HasSuffix(got, block) {
					t.Errorf("%s: %s\ngot\n%s", file, block, explain(set, strings.Join(queries, " ")))
				}
			}
			out.WriteString("\n\n")
		}
		if *update {
			if err := os.WriteFile(file, []byte(strings.TrimSpace(out.String())+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
