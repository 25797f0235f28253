package query

import (
	"context"
	"fmt"
	"testing"

	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
)

// planned are the queries whose planning is measured.
var planned = []struct{ name, text string }{
	{"all", "flights"},
	{"key", "flights | id = 7"},
	{"unique", "users | email = 'a@b.c'"},
	{"index", "flights | origin = 'ORD'"},
	{"range in order", "flights | delay >= 30 | order delay | limit 100"},
	{"two fields", "flights | origin = 'ORD' and destination = 'SFO' | order -departs | limit 10"},
	{"filtered", "flights | origin = 'ORD' and distance > 1000 and cancelled != true"},
	{"two ranges", "flights | delay >= 120 and departs < 2001-02-01"},
	{"list", "flights | origin in ('ORD', 'SFO', 'JFK', 'LAX')"},
	{"or", "flights | origin = 'ORD' or carrier = 'UA'"},
}

// BenchmarkCompile measures planning: of a query of a new form, and of one that
// was asked before with other values.
func BenchmarkCompile(b *testing.B) {
	set := exampleTables(b)
	for _, p := range planned {
		table, q, want, err := parseQuery(set, p.text)
		if err != nil {
			b.Fatal(err)
		}
		q.Where = typed(b, table, q.Where)
		b.Run(p.name+"/new", func(b *testing.B) {
			m := new(planMemory)
			b.ReportAllocs()
			for b.Loop() {
				m.reset()
				if _, err := m.compile(table, q, want); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(p.name+"/again", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, err := Compile(table, q, want)
				if err != nil {
					b.Fatal(err)
				}
				p.Release()
			}
		})
	}
}

// BenchmarkTwoRanges counts and reads what two ranges have in common: by a look at
// both indexes, and by either of them alone.
func BenchmarkTwoRanges(b *testing.B) {
	const n = 200_000
	kv, err := badgerstore.Open(b.TempDir(), &badgerstore.Options{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	defer kv.Close()
	set := fillPairs(b, kv, n)
	for _, q := range []struct{ name, first, second string }{
		{"alike", "A < 12000", "B >= 195000"},
		{"few and many", "A < 150000", "B >= 199000"},
		{"many and few", "A < 1000", "B >= 50000"},
		{"one value", "E = 13", "B >= 195000"},
	} {
		for _, want := range []string{"count", "offset 0"} {
			for _, using := range []string{"", q.first[:1], q.second[:1]} {
				text := fmt.Sprintf("pairs | %s and %s | %s", q.first, q.second, want)
				name := "look"
				if using != "" {
					name, text = "by "+using, text+" | using "+using
				}
				b.Run(q.name+"/"+want[:5]+"/"+name, func(b *testing.B) { benchQuery(b, kv, mustPlan(b, set, text)) })
			}
		}
	}
}

// benchQuery runs a plan to its end, and reports what it reads.
func benchQuery(b *testing.B, kv store.Store, plan *Plan) {
	tx := begin(b, kv, false)
	var s Stats
	b.ReportAllocs()
	for b.Loop() {
		rows := plan.Run(context.Background(), tx)
		for rows.Next() {
			continue
		}
		if rows.Err() != nil {
			b.Fatal(rows.Err())
		}
		s = rows.Stats()
		rows.Release()
	}
	b.ReportMetric(float64(s.Entries), "entries/op")
	b.ReportMetric(float64(s.Records), "records/op")
}

// typed returns a predicate of text with the values encoded, as Go's are.
func typed(tb testing.TB, table *schema.Table, e Expr) Expr {
	switch e := e.(type) {
	case And:
		for i := range e {
			e[i] = typed(tb, table, e[i])
		}
	case Or:
		for i := range e {
			e[i] = typed(tb, table, e[i])
		}
	case In:
		for i := range e.Values {
			e.Values[i] = typedLiteral(tb, table, e.Field, e.Values[i])
		}
	case Cmp:
		e.Value = typedLiteral(tb, table, e.Field, e.Value)
		return e
	}
	return e
}

func typedLiteral(tb testing.TB, table *schema.Table, o Operand, l Literal) Literal {
	op, err := resolve(table, o, false)
	if err != nil {
		tb.Fatal(err)
	}
	exact, err := op.part(&l, false)
	if err != nil {
		tb.Fatal(err)
	}
	return Literal{Type: &op.key, Exact: exact}
}
