package query

import (
	"cmp"
	"slices"
	"sync"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// Programs ask the same few questions with other values. So the memory of a
// plan goes to a query of the same form, where there is one. The plan is still in
// it, and only its values are replaced. That is right because planning never
// looks at the values themselves: it asks whether sets are points or bounded, and
// whether they begin with nil. Only queries whose predicates compare different
// fields with a value each leave a template.

// A planTemplate is what the plan beside it in memory depends on, but for the
// values in its predicates.
type planTemplate struct {
	known      bool
	table      *schema.Table
	want       Want
	header     queryHeader
	order      []Order
	parameters []parameter
}

// A queryHeader is what a query asks for beside its predicates and its order.
type queryHeader struct {
	byKey, back bool
	limit       int // its sign
	skips       bool
	using       string
}

func headerOf(q *Query) queryHeader {
	return queryHeader{q.ByKey, q.Backward, cmp.Compare(q.Limit, 0), q.Offset > 0, q.Using}
}

// A parameter is a comparison, and what its value is in the plan.
type parameter struct {
	op     Op
	field  Operand
	typ    *codec.KeyType
	null   bool // the value is nil
	node   *node
	lo, hi bool // it is the lower end of the node's span, the upper end
}

// conjunctsOf returns the predicates that all have to hold where a query's one
// does: the terms of an And, or the predicate itself. single is memory for that.
func conjunctsOf(where Expr, single *[1]Expr) []Expr {
	switch list, ok := where.(And); {
	case ok:
		return list
	case where == nil:
		return nil
	}
	single[0] = where
	return single[:]
}

// memories has memory that is free, by a hash of the form of its plan.
var memories [64]sync.Pool

// planMemoryFor returns memory that is free, with a plan of the query's form in
// it where there is one.
func planMemoryFor(table *schema.Table, q *Query, want Want) *planMemory {
	h := uint(table.ID)*7 + uint(want.Kind) + uint(len(q.Order))<<3
	var single [1]Expr
	for _, e := range conjunctsOf(q.Where, &single) {
		if c, ok := e.(Cmp); ok && c.Field.Field != nil {
			h = h*31 + uint(c.Field.Ref.Offset) + uint(len(c.Field.Name)) + uint(c.Op)<<4
		}
	}
	h %= uint(len(memories))
	m, ok := memories[h].Get().(*planMemory)
	if !ok {
		m = new(planMemory)
	}
	m.free, m.pool = false, &memories[h]
	return m
}

// Release gives the plan's memory to other ones. Nothing of the plan, and none
// of its rows, may be used afterwards. It is never necessary, and does nothing
// to a copy of a plan.
func (p *Plan) Release() {
	if m := p.mem; m != nil && p == &m.plan && !m.free {
		m.free = true
		m.pool.Put(m)
	}
}

// remember makes a template of the query whose plan is in the memory, if the plan
// is good for other values.
func (m *planMemory) remember(table *schema.Table, q *Query, want Want) {
	f := &m.template
	f.table, f.want, f.header, f.order = table, want, headerOf(q), append(emptied(f.order), q.Order...)
	f.parameters = emptied(f.parameters)
	f.known = q.After == nil && m.plan.nothing == "" && !m.plan.merge && f.rememberParameters(q, m.plan.root) && f.covers(m.plan.reads)
}

// rememberParameters notes the comparisons, and returns false where they are not the
// conjuncts of root.
func (f *planTemplate) rememberParameters(q *Query, root *node) bool {
	nodes := root.kids
	if root.kind != nodeAnd && root != always {
		nodes = []*node{root}
	}
	var single [1]Expr
	for _, e := range conjunctsOf(q.Where, &single) {
		c, ok := e.(Cmp)
		if !ok || len(f.parameters) == len(nodes) {
			return false
		}
		l, ok := parameterOf(&c, nodes[len(f.parameters)])
		if !ok {
			return false
		}
		f.parameters = append(f.parameters, l)
	}
	return len(f.parameters) == len(nodes)
}

// parameterOf returns the parameter that a comparison and its node are. It fails
// where the value is not in the node as it is.
func parameterOf(c *Cmp, n *node) (parameter, bool) {
	v := c.Value.Exact
	if n.kind != nodeSet || n.on.each || len(n.set) != 1 || c.Value.Type == nil || len(v) == 0 {
		return parameter{}, false
	}
	x, all := n.set[0], n.on.domain()
	l := parameter{op: c.Op, field: c.Field, typ: c.Value.Type, node: n, lo: sameBytes(x.lo.v, v), hi: sameBytes(x.hi.v, v)}
	l.null = isNull(&c.Value)
	return l, (l.lo || x.lo.compare(all.lo) == 0) && (l.hi || x.hi.compare(all.hi) == 0) && (l.lo || l.hi)
}

// sameBytes reports whether a and b are the same memory.
func sameBytes(a, b []byte) bool { return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0] }

func isNull(v *Literal) bool { return v.Type.Ptr && v.Exact[0] == 0 }

// covers reports whether all bounds of what is read are sets of the parameters.
func (f *planTemplate) covers(reads []*accessPath) bool {
	for _, a := range reads {
		if a.first != nil || a.c.whole != nil || !f.covers(a.with) {
			return false
		}
		for i := range a.c.bounds {
			on := a.c.bounds[i].on
			if !slices.ContainsFunc(f.parameters, func(l parameter) bool { return l.node.on == on }) {
				return false
			}
		}
		for i := range a.sieves {
			if !f.covers([]*accessPath{a.sieves[i].other}) {
				return false
			}
		}
	}
	return true
}

// reuse makes the plan in the memory that of the query q, if q has the plan's
// form, and reports whether it has. If not, values may have been replaced
// already: the plan is not one of any query, and the memory has to be reset.
func (m *planMemory) reuse(table *schema.Table, q *Query, want Want) bool {
	f := &m.template
	if !f.known || f.table != table || f.want != want || f.header != headerOf(q) || !slices.Equal(f.order, q.Order) {
		return false
	}
	if q.After != nil || q.Limit < -1 || q.Offset < 0 {
		return false
	}
	n := 0
	var single [1]Expr
	for _, e := range conjunctsOf(q.Where, &single) {
		c, ok := e.(Cmp)
		if !ok || n == len(f.parameters) || !f.parameters[n].take(&c) {
			return false
		}
		n++
	}
	if n < len(f.parameters) {
		return false
	}
	m.plan.limit, m.plan.offset = q.Limit, q.Offset
	m.bytes.reset(keepBytes)
	m.planner.setAllRanges(m.plan.reads)
	return true
}

// take makes the value of a comparison that of the parameter, if it is the same
// comparison.
func (l *parameter) take(c *Cmp) bool {
	v := &c.Value
	if c.Op != l.op || c.Field != l.field || v.Type != l.typ || v.Err != nil || len(v.Exact) == 0 || isNull(v) != l.null {
		return false
	}
	if !l.null && l.node.on.hasToAdapt(v) {
		return false
	}
	if x := &l.node.set[0]; l.lo {
		x.lo.v = v.Exact
	}
	if x := &l.node.set[0]; l.hi {
		x.hi.v = v.Exact
	}
	return true
}

// setAll sets the ranges of ways of reading anew.
func (p *planner) setAllRanges(reads []*accessPath) {
	for _, a := range reads {
		p.setRanges(a)
		p.setAllRanges(a.with)
		for i := range a.sieves {
			p.setRanges(a.sieves[i].other)
		}
	}
}
