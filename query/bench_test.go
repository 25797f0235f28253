package query

import (
	"testing"

	"github.com/kivisdb/kivis/schema"
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
