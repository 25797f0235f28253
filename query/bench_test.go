package query

import "testing"

// planned are the queries whose planning is measured.
var planned = []struct{ name, text string }{
	{"all", "flights"},
	{"key", "flights | key() = 7"},
	{"unique", "users | email = 'a@b.c'"},
	{"index", "flights | origin = 'ORD'"},
	{"range in order", "flights | delay >= 30 | order delay | limit 100"},
	{"two fields", "flights | origin = 'ORD' and destination = 'SFO' | order -departs | limit 10"},
	{"filtered", "flights | origin = 'ORD' and distance > 1000 and not cancelled = true"},
	{"list", "flights | origin in ('ORD', 'SFO', 'JFK', 'LAX')"},
	{"or", "flights | origin = 'ORD' or carrier = 'UA'"},
}

// BenchmarkMake measures planning: from the query to the plan.
func BenchmarkMake(b *testing.B) {
	set := exampleTables(b)
	for _, p := range planned {
		b.Run(p.name, func(b *testing.B) {
			table, q, want, err := parseQuery(set, p.text)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				p, err := Make(table, q, want)
				if err != nil {
					b.Fatal(err)
				}
				p.Release()
			}
		})
	}
}
