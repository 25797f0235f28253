package query

import (
	"slices"

	"github.com/kivisdb/kivis/codec"
)

// A node is a predicate whose fields have been found and whose negations have
// been pushed down to what it tests.
type node struct {
	kind nodeKind
	kids []*node // of nodeAnd, nodeOr

	on   *operand // of nodeSet, nodeText, nodeNil
	set  spans    // of nodeSet: the values that match
	text []byte   // of nodeText: what must be in the field, escaped as in a key part
	fn   *Func    // of nodeFunc
	not  bool     // the opposite: of nodeText, nodeNil, nodeFunc and, where on has elements, nodeSet

	exact *node // of what foldedElements has made: from what
}

type nodeKind uint8

const (
	nodeTrue nodeKind = iota
	nodeFalse
	nodeAnd
	nodeOr
	nodeSet
	nodeText
	nodeFunc
	nodeNil // the stored value is nil: for what has no order, or none for nil
)

var (
	always = &node{kind: nodeTrue}
	never  = &node{kind: nodeFalse}
)

// reset makes n a new node in the same memory.
func (n *node) reset() { *n = node{} }

// setNode is the predicate that on is in the set.
func setNode(on *operand, set spans) *node { return new(node).within(on, set) }

// within returns n, which is new, as the predicate that on is in the set, or a
// simpler one.
func (n *node) within(on *operand, set spans) *node {
	if on.key.Kind == codec.Bool && !on.key.Ptr {
		set = boolsOf(set)
	}
	if len(set) == 0 {
		return never
	}
	if !on.each && full(on, set) {
		return always
	}
	n.kind, n.on, n.set = nodeSet, on, set
	return n
}

var (
	onlyFalse = spans{pointOf(codec.AppendBool(nil, false))}
	onlyTrue  = spans{pointOf(codec.AppendBool(nil, true))}
)

// boolsOf returns the set as a list of values, or both of them as one span.
func boolsOf(set spans) spans {
	hasFalse, hasTrue := set.meets(onlyFalse[0]), set.meets(onlyTrue[0])
	switch {
	case hasFalse && hasTrue:
		return spans{everything}
	case hasFalse:
		return onlyFalse
	case hasTrue:
		return onlyTrue
	}
	return nil
}

// full reports whether the set is all there is.
func full(on *operand, set spans) bool {
	d := on.domain()
	return len(set) == 1 && set[0].lo.compare(d.lo) <= 0 && set[0].hi.compare(d.hi) >= 0
}

// negate returns the opposite of n.
func (n *node) negate() *node {
	switch n.kind {
	case nodeTrue:
		return never
	case nodeFalse:
		return always
	case nodeAnd:
		return anyOf(negateAll(n.kids))
	case nodeOr:
		return allOf(negateAll(n.kids))
	case nodeSet:
		if !n.on.each {
			return setNode(n.on, n.set.complement(n.on.domain()))
		}
	}
	m := *n
	m.not = !n.not
	return &m
}

func negateAll(kids []*node) []*node {
	out := make([]*node, len(kids))
	for i, k := range kids {
		out[i] = k.negate()
	}
	return out
}

// mergeable reports whether sets of n's operand can be combined by kind.
func (n *node) mergeable(kind nodeKind) bool {
	return n.kind == nodeSet && !n.not && (!n.on.each || kind == nodeOr)
}

// allOf returns the predicate that all of the kids hold.
func allOf(kids []*node) *node {
	out := make([]*node, 0, len(kids))
	for _, k := range flatten(kids, nodeAnd) {
		switch {
		case k.kind == nodeFalse:
			return never
		case k.kind == nodeTrue:
			continue
		case k.mergeable(nodeAnd):
			if i := sibling(out, k, nodeAnd); i >= 0 {
				if out[i] = setNode(k.on, out[i].set.intersect(k.set)); out[i] == never {
					return never
				}
				continue
			}
		}
		out = append(out, k)
	}
	return group(nodeAnd, out, always)
}

// anyOf returns the predicate that at least one of the kids holds.
func anyOf(kids []*node) *node {
	out := make([]*node, 0, len(kids))
	for _, k := range flatten(kids, nodeOr) {
		switch {
		case k.kind == nodeTrue:
			return always
		case k.kind == nodeFalse:
			continue
		case k.mergeable(nodeOr):
			if i := sibling(out, k, nodeOr); i >= 0 {
				if out[i] = setNode(k.on, out[i].set.union(k.set)); out[i] == always {
					return always
				}
				continue
			}
		}
		out = append(out, k)
	}
	return group(nodeOr, out, never)
}

// flatten replaces kids of the same kind by theirs.
func flatten(kids []*node, kind nodeKind) []*node {
	if !slices.ContainsFunc(kids, func(k *node) bool { return k.kind == kind }) {
		return kids
	}
	var out []*node
	for _, k := range kids {
		if k.kind == kind {
			out = append(out, k.kids...)
		} else {
			out = append(out, k)
		}
	}
	return out
}

// sibling returns the place of a set of the same operand, or -1.
func sibling(list []*node, n *node, kind nodeKind) int {
	return slices.IndexFunc(list, func(m *node) bool { return m.mergeable(kind) && m.on == n.on })
}

// group returns the kids as one predicate; none is what there is without any.
func group(kind nodeKind, kids []*node, none *node) *node {
	switch len(kids) {
	case 0:
		return none
	case 1:
		return kids[0]
	}
	return &node{kind: kind, kids: kids}
}

// conjuncts yields the predicates that must all hold for n.
func (n *node) conjuncts(yield func(*node) bool) {
	switch n.kind {
	case nodeTrue:
	case nodeAnd:
		for _, k := range n.kids {
			if !yield(k) {
				return
			}
		}
	default:
		yield(n)
	}
}

// disjuncts returns n as predicates of which one must hold, none of them
// with an Or in it, and false where there are more than limit.
func (n *node) disjuncts(limit int) ([]*node, bool) {
	switch n.kind {
	case nodeOr:
		var all []*node
		for _, k := range n.kids {
			some, ok := k.disjuncts(limit - len(all))
			if !ok {
				return nil, false
			}
			all = append(all, some...)
		}
		return all, true
	case nodeAnd:
		return product(n.kids, limit)
	case nodeFalse:
		return nil, true
	}
	return []*node{n}, limit > 0
}

// product returns the disjuncts of all kids holding.
func product(kids []*node, limit int) ([]*node, bool) {
	all := []*node{always}
	for _, k := range kids {
		some, ok := k.disjuncts(limit)
		if !ok || len(some)*len(all) > limit {
			return nil, false
		}
		next := make([]*node, 0, len(some)*len(all))
		for _, a := range all {
			for _, b := range some {
				if both := allOf([]*node{a, b}); both != never {
					next = append(next, both)
				}
			}
		}
		all = next
	}
	return all, true
}

// implied returns values outside of which on cannot be where n holds, and
// whether n says anything about it.
func (n *node) implied(on *operand) (spans, bool) {
	switch n.kind {
	case nodeSet:
		return n.impliedSet(on)
	case nodeAnd:
		return impliedByAll(n.kids, on)
	case nodeOr:
		var set spans
		for _, k := range n.kids {
			s, ok := k.implied(on)
			if !ok {
				return nil, false
			}
			set = set.union(s)
		}
		return set, true
	}
	return nil, false
}

func (n *node) impliedSet(on *operand) (spans, bool) {
	switch {
	case n.not:
		return nil, false
	case n.on == on:
		return n.set, true
	case n.on.foldsTo(on):
		return folded(on, n.set)
	}
	return nil, false
}

// impliedByAll is implied where all of the kids hold.
func impliedByAll(kids []*node, on *operand) (set spans, ok bool) {
	for _, k := range kids {
		s, has := k.implied(on)
		switch {
		case !has:
		case !ok:
			set, ok = s, true
		case on.each:
			// Two predicates may hold of two elements: either bounds, not both.
			if s.allPoints() && (!set.allPoints() || len(s) < len(set)) {
				set = s
			}
		default:
			set = set.intersect(s)
		}
	}
	return set, ok
}
