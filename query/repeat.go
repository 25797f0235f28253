package query

import (
	"cmp"
	"slices"
	"sync"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// Programs ask the same few questions with other values. So the memory of a
// plan goes to a query of the same form, where there is one, with the plan
// still in it, of which only the values are replaced. What makes that right is
// that planning looks at whether sets are points or bounded, and whether they
// begin with nil, never at the values themselves. A form is known of queries
// whose predicates compare different fields with a value each.

// A form is what a plan depends on beside the values in its predicates.
type form struct {
	known  bool
	table  *schema.Table
	want   Want
	frame  frame
	order  []Order
	leaves []leaf
}

// A frame is what a query asks for beside its predicates and its order.
type frame struct {
	byKey, back bool
	limit       int // its sign
	skips       bool
	using       string
}

func frameOf(q *Query) frame {
	return frame{q.ByKey, q.Backward, cmp.Compare(q.Limit, 0), q.Offset > 0, q.Using}
}

// A leaf is a comparison, and what its value is in the plan.
type leaf struct {
	op     Op
	field  Operand
	typ    *codec.KeyType
	null   bool // the value is nil
	node   *node
	lo, hi bool // it is the lower end of the node's span, the upper end
}

// conjuncts are the predicates that a query's one consists of.
type conjuncts struct{ where Expr }

// all yields them.
func (c conjuncts) all(yield func(Expr) bool) {
	list, ok := c.where.(And)
	if !ok && c.where != nil {
		yield(c.where)
	}
	for _, e := range list {
		if !yield(e) {
			return
		}
	}
}

// memories has memory that is free, by a hash of the form of its plan.
var memories [64]sync.Pool

// memoryOf returns memory, if it can with a plan of the query's form.
func memoryOf(table *schema.Table, q *Query, want Want) *memory {
	h := uint(table.ID)*7 + uint(want.Kind) + uint(len(q.Order))<<3
	for e := range (conjuncts{q.Where}).all {
		if c, ok := e.(Cmp); ok && c.Field.Field != nil {
			h = h*31 + uint(c.Field.Ref.Offset) + uint(len(c.Field.Name)) + uint(c.Op)<<4
		}
	}
	h %= uint(len(memories))
	m, ok := memories[h].Get().(*memory)
	if !ok {
		m = new(memory)
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

// learn notes the form of the query whose plan is in the memory, if the plan
// is good for other values.
func (m *memory) learn(table *schema.Table, q *Query, want Want) {
	f := &m.form
	f.table, f.want, f.frame, f.order = table, want, frameOf(q), append(emptied(f.order), q.Order...)
	f.leaves = emptied(f.leaves)
	f.known = q.After == nil && m.plan.nothing == "" && !m.plan.merge && f.learnLeaves(q, m.plan.root) && f.covers(m.plan.reads)
}

// learnLeaves notes the comparisons, and returns false where they are not the
// factors of root.
func (f *form) learnLeaves(q *Query, root *node) bool {
	nodes := root.kids
	if root.kind != nodeAnd && root != yes {
		nodes = []*node{root}
	}
	for e := range (conjuncts{q.Where}).all {
		c, ok := e.(Cmp)
		if !ok || len(f.leaves) == len(nodes) {
			return false
		}
		l, ok := leafOf(&c, nodes[len(f.leaves)])
		if !ok {
			return false
		}
		f.leaves = append(f.leaves, l)
	}
	return len(f.leaves) == len(nodes)
}

// leafOf returns the leaf of a comparison and its node, unless it is one whose
// value is not in the node as it is.
func leafOf(c *Cmp, n *node) (leaf, bool) {
	v := c.Value.Exact
	if n.kind != nodeSet || n.on.each || len(n.set) != 1 || c.Value.Type == nil || len(v) == 0 {
		return leaf{}, false
	}
	x, all := n.set[0], n.on.domain()
	l := leaf{op: c.Op, field: c.Field, typ: c.Value.Type, node: n, lo: sameBytes(x.lo.v, v), hi: sameBytes(x.hi.v, v)}
	l.null = isNull(&c.Value)
	return l, (l.lo || x.lo.compare(all.lo) == 0) && (l.hi || x.hi.compare(all.hi) == 0) && (l.lo || l.hi)
}

// sameBytes reports whether a and b are the same memory.
func sameBytes(a, b []byte) bool { return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0] }

func isNull(v *Literal) bool { return v.Type.Ptr && v.Exact[0] == 0 }

// covers reports whether all bounds of what is read are sets of the leaves.
func (f *form) covers(reads []*access) bool {
	for _, a := range reads {
		if a.first != nil || a.c.whole != nil || !f.covers(a.with) {
			return false
		}
		for i := range a.c.bounds {
			on := a.c.bounds[i].on
			if !slices.ContainsFunc(f.leaves, func(l leaf) bool { return l.node.on == on }) {
				return false
			}
		}
	}
	return true
}

// repeat makes the plan in the memory that of a query, if it is one of the
// plan's form. If not, the plan is spoilt.
func (m *memory) repeat(table *schema.Table, q *Query, want Want) bool {
	f := &m.form
	if !f.known || f.table != table || f.want != want || f.frame != frameOf(q) || !slices.Equal(f.order, q.Order) {
		return false
	}
	if q.After != nil || q.Limit < -1 || q.Offset < 0 {
		return false
	}
	n := 0
	for e := range (conjuncts{q.Where}).all {
		c, ok := e.(Cmp)
		if !ok || n == len(f.leaves) || !f.leaves[n].take(&c) {
			return false
		}
		n++
	}
	if n < len(f.leaves) {
		return false
	}
	m.plan.limit, m.plan.offset = q.Limit, q.Offset
	m.bytes.reset(keepBytes)
	m.planner.setAll(m.plan.reads)
	return true
}

// take makes the value of a comparison that of the leaf, if it is the same
// comparison.
func (l *leaf) take(c *Cmp) bool {
	v := &c.Value
	if c.Op != l.op || c.Field != l.field || v.Type != l.typ || v.Err != nil || len(v.Exact) == 0 || isNull(v) != l.null {
		return false
	}
	if l.node.on.isFloat32() && !l.null && !sameBytes(roundFloat32(v.Exact, v.Type.Ptr), v.Exact) {
		return false // it would have to be rounded first
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
func (p *planner) setAll(reads []*access) {
	for _, a := range reads {
		p.setRanges(a)
		p.setAll(a.with)
	}
}
