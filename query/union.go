package query

import (
	"slices"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// union plans an Or as several ways of reading, if each of them is bounded
// more closely than best, and reports whether it did.
func (p *planner) union(plan *Plan, best *candidate) bool {
	if !hasOr(p.root) {
		return false
	}
	alts, ok := p.root.disjuncts(maxBranches)
	if !ok || len(alts) < 2 {
		return false
	}
	branches := make([]*candidate, len(alts))
	for i, alt := range alts {
		branches[i] = p.best(alt)
		if !branches[i].bounded() || !closer(branches[i], best) {
			return false
		}
	}
	switch {
	case p.ordered:
		plan.merge = inOrder(branches)
		plan.sort = !plan.merge
	default:
		plan.merge = p.byKey(alts, branches)
	}
	if plan.merge {
		for i, c := range branches {
			plan.reads = p.accessPaths(plan.reads, c, alts[i])
		}
		return true
	}
	p.concat(plan, alts, branches)
	return true
}

func hasOr(n *node) bool {
	for f := range n.conjuncts {
		if f.kind == nodeOr {
			return true
		}
	}
	return false
}

// closer reports whether a is bounded more closely than b.
func closer(a, b *candidate) bool {
	if a.kind > accessScan || b.kind > accessScan {
		return a.kind > b.kind
	}
	return a.points > b.points || a.points == b.points && a.ends > b.ends
}

// inOrder reports whether all of the branches come in the order asked for, in
// few enough streams.
func inOrder(branches []*candidate) bool {
	streams := 0
	for _, c := range branches {
		if c.match.quality == 0 {
			return false
		}
		streams++
		if c.match.split {
			streams += c.ranges - 1
		}
	}
	return streams <= maxStreams
}

// byKey has the branches read in key order if each of them comes in it: then
// they can be merged, and a record in two of them seen once.
func (p *planner) byKey(alts []*node, branches []*candidate) bool {
	p.ordered = true
	keyed := make([]*candidate, len(alts))
	for i, alt := range alts {
		keyed[i] = p.best(alt)
		if keyed[i].points < branches[i].points || keyed[i].kind < branches[i].kind {
			p.ordered = false
			return false
		}
	}
	if !inOrder(keyed) {
		p.ordered = false
		return false
	}
	copy(branches, keyed)
	return true
}

// concat reads the branches one after the other, each without what the ones
// before it have.
func (p *planner) concat(plan *Plan, alts []*node, branches []*candidate) {
	for i, c := range branches {
		c.match.split = false
		a := p.accessPath(c, alts[i])
		for _, before := range alts[:i] {
			p.exclude(a, before.negate())
		}
		plan.reads = append(plan.reads, a)
	}
}

// exclude adds a predicate to what is read.
func (p *planner) exclude(a *accessPath, n *node) {
	for f := range n.conjuncts {
		switch {
		case f.kind == nodeSet && !f.not && p.excluded(a, f):
		case a.c.index != nil && a.c.decides(p.table, f):
			a.entry = append(a.entry, f)
		default:
			a.filter = append(a.filter, f)
		}
	}
}

// excluded reports whether the bounds are outside of what f leaves out.
func (p *planner) excluded(a *accessPath, f *node) bool {
	for i := range a.c.bounds {
		b := &a.c.bounds[i]
		if b.on == f.on && !b.part.Each && subset(b.set, f.set) {
			return true
		}
	}
	return false
}

// subset reports whether all of s is in t.
func subset(s, t spans) bool { return len(s.intersect(t.complement(everything))) == 0 }

// maxIntersect is how many indexes are read side by side.
const maxIntersect = 4

// intersect has other indexes decide what the one that is read does not: their
// entries and its are both in key order.
func (p *planner) intersect(plan *Plan) {
	if len(plan.reads) != 1 || !keyOrdered(plan.reads[0].c) || plan.reads[0].first != nil || plan.reads[0].match.ties != tiesNone {
		return
	}
	a := plan.reads[0]
	all := candidate{used: slices.Clip(a.c.used), loose: slices.Clip(a.c.loose)}
	for _, x := range p.table.Indexes {
		if x.State != schema.Ready || !p.mayBound(x) {
			continue
		}
		p.eachCandidate(p.root, x, func(c *candidate) {
			if len(a.with)+1 >= maxIntersect || !keyOrdered(c) || !adds(c, &all) ||
				p.want.Kind == Records && !selective(c) {
				p.drop(c)
				return
			}
			all.used, all.loose = append(all.used, c.used...), append(all.loose, c.loose...)
			p.judge(c, p.root)
			other := p.accessPath(c, p.root)
			other.match.reverse = a.match.reverse
			a.with = append(a.with, other)
		})
	}
	if len(a.with) > 0 {
		p.leave(a, &all)
	}
}

// leave keeps the filters of what all the candidates do not make sure of.
func (p *planner) leave(a *accessPath, all *candidate) {
	a.entry, a.filter = nil, nil
	for n := range p.root.conjuncts {
		switch {
		case all.uses(n):
		case a.c.decides(p.table, n):
			a.entry = append(a.entry, n)
		default:
			a.filter = append(a.filter, n)
		}
	}
}

// keyOrdered reports whether the candidate reads the entries of one value, so
// that they come in key order.
func keyOrdered(c *candidate) bool {
	return c.index != nil && c.kind == accessScan && c.points == len(c.index.Parts) && len(c.bounds) == c.points &&
		c.whole == nil && c.ranges == 1 && (!c.index.Unique || c.hasNil())
}

// adds reports whether the candidate decides something that others do not, or heeds
// what they do not.
func adds(c, others *candidate) bool {
	add := func(n *node) bool { return c.adds(n, others) }
	return slices.ContainsFunc(c.used, add) || slices.ContainsFunc(c.loose, add)
}

// selective reports whether the candidate may well leave few records: not so
// an index of booleans.
func selective(c *candidate) bool {
	for i := range c.bounds {
		if c.bounds[i].on.stored.Kind != codec.Bool {
			return true
		}
	}
	return false
}
