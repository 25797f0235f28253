package query

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/schema"
)

// repeated are fields by table, with values of theirs.
var repeated = map[string][]struct{ field, values string }{
	"flights": {
		{"id", "1 7 9000"}, {"departs", "2001-01-01 2002-02-02"}, {"delay", "-5 0 30"}, {"distance", "1 1000"}, {"origin", "'' 'ORD' 'SFO'"},
		{"destination", "'JFK' 'LAX'"}, {"carrier", "'AA' 'UA'"}, {"cancelled", "true false"}, {"gate", "nil 0 17"},
	},
	"users": {
		{"tenant", "'a' 'b'"}, {"number", "1 2"}, {"email", "'x' 'y'"}, {"badge", "nil '' 'z'"}, {"slug", "'One' 'two'"},
		{"address.city", "'Here' 'there'"}, {"address.zip.code", "nil '1' '2'"}, {"score", "0 1.5"},
	},
	"airports": {{"code", "'A' 'B'"}, {"name", "'x' 'X' 'y'"}, {"city", "'p' 'q'"}, {"state", "'CA' 'IL'"}, {"country", "'US' 'CH'"}},
	"logs":     {{"host", "'a' 'b'"}, {"at", "2001-01-01 2002-02-02"}, {"text", "'t' 'u'"}},
	"posts":    {{"id", "1 2"}, {"published", "2001-01-01 2002-02-02"}, {"where.city", "'Here' 'there'"}, {"in", "1h 2m"}},
}

// A repeater makes queries at random, of forms that come again with other
// values. It keeps the fields and types, as a program's handles do.
type repeater struct {
	*rand.Rand
	tb     testing.TB
	table  *schema.Table
	fields map[string]*Field
	ops    map[string]*operand
}

// comparison returns a comparison of a field with a value that is to be set.
func (r *repeater) comparison() Cmp {
	all := repeated[r.table.Name]
	name := all[r.IntN(len(all))].field
	f := r.fields[name]
	if f == nil {
		f = &Field{Name: name}
		r.fields[name] = f
		op, err := resolve(r.table, Operand{Field: f}, false)
		if err != nil {
			r.tb.Fatal(err)
		}
		r.ops[name] = op
	}
	op := Op(r.IntN(6))
	if r.IntN(2) == 0 {
		op = Eq
	}
	return Cmp{Op: op, Field: Operand{Field: f}}
}

// value sets the value of a comparison.
func (r *repeater) value(c *Cmp) {
	for _, f := range repeated[r.table.Name] {
		if f.field != c.Field.Name {
			continue
		}
		values := strings.Fields(f.values)
		text := values[r.IntN(len(values))]
		l := Literal{Text: strings.Trim(text, "'"), Quoted: text[0] == '\''}
		op := r.ops[f.field]
		exact, err := op.part(&l, false)
		if err != nil {
			r.tb.Fatal(err)
		}
		c.Value = Literal{Type: &op.key, Exact: exact}
	}
}

// query returns a query, of which again makes one of the same form.
func (r *repeater) query() (q *Query, want Want) {
	q = &Query{Limit: []int{-1, -1, 0, 3}[r.IntN(4)], Offset: r.IntN(2), ByKey: r.IntN(2) == 0, Backward: r.IntN(8) == 0}
	var list And
	for range r.IntN(4) {
		list = append(list, r.comparison())
	}
	switch {
	case len(list) == 1:
		q.Where = list[0]
	case len(list) > 1:
		q.Where = list
	}
	if r.IntN(2) == 0 {
		q.Order = append(q.Order, Order{r.comparison().Field, r.IntN(2) == 0})
	}
	return q, Want{Kind: []WantKind{Records, Keys, Count}[r.IntN(3)]}
}

// again returns q with other values.
func (r *repeater) again(q *Query) *Query {
	p := *q
	switch w := q.Where.(type) {
	case Cmp:
		r.value(&w)
		p.Where = w
	case And:
		list := make(And, len(w))
		for i := range w {
			c := w[i].(Cmp)
			r.value(&c)
			list[i] = c
		}
		p.Where = list
	}
	return &p
}

// details are all of a plan: its text and the keys it reads.
func details(p *Plan) string {
	var b strings.Builder
	fmt.Fprintln(&b, p, p.FullScan(), p.limit, p.offset, p.Shape())
	var write func(list []*accessPath)
	write = func(list []*accessPath) {
		for _, a := range list {
			fmt.Fprintln(&b, a.kind, a.ranges, a.bounds, a.stem, a.set, a.match, a.fetch, a.full)
			write(a.with)
			for _, v := range a.sieves {
				fmt.Fprintln(&b, v.both.filter, v.both.fetch)
				write([]*accessPath{v.other})
			}
		}
	}
	write(p.reads)
	return b.String()
}

// TestRepeat compares plans made of earlier ones of the same form with such
// that are made anew.
func TestRepeat(t *testing.T) {
	set := exampleTables(t)
	known, n := 0, 0
	for name := range repeated {
		r := &repeater{
			Rand: rand.New(rand.NewPCG(1, uint64(len(name)))), tb: t, table: set.ByName(name),
			fields: map[string]*Field{}, ops: map[string]*operand{},
		}
		for range 2000 {
			form, want := r.query()
			for range 4 {
				q := r.again(form)
				p, err := Compile(r.table, q, want)
				if err != nil {
					t.Fatal(err)
				}
				fresh, err := new(planMemory).compile(r.table, q, want)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := details(p), details(fresh); got != want {
					t.Fatalf("%s: %v: repeated\n%s\nanew\n%s", name, q.Where, got, want)
				}
				if n++; p.mem.template.known {
					known++
				}
				p.Release()
			}
		}
	}
	if known < n/4 {
		t.Errorf("%d of %d plans could be repeated", known, n)
	}
}

// TestRelease holds that memory is given away once, and only of the plan that
// is in it.
func TestRelease(t *testing.T) {
	table := exampleTables(t).ByName("flights")
	q := &Query{Limit: -1}
	p, err := Compile(table, q, Want{})
	if err != nil {
		t.Fatal(err)
	}
	saved := *p
	saved.Release()
	if p.mem.free {
		t.Error("a copy of a plan has released it")
	}
	text := p.String()
	p.Release()
	p.Release()
	again, _ := Compile(table, q, Want{})
	other, _ := Compile(table, q, Want{})
	if again.mem == other.mem {
		t.Error("two plans share memory")
	}
	if again.String() != text || other.String() != text {
		t.Errorf("plans differ from %q: %q, %q", text, again, other)
	}
}
