package query

import (
	"cmp"
	"slices"

	"github.com/kivisdb/kivis/schema"
)

// Where an index bounds only some of the predicates, others may bound the rest.
// Which of them finds the fewest records, and whether it is worth reading two, no
// rule can tell. So the plan names the others, and the entries of all are counted
// when it is run: a [sift] does that.

// maxSieves is how many other indexes are looked at.
const maxSieves = 3

// A sieve is another index for what an access path finds.
type sieve struct {
	other *accessPath // by that index alone
	both  *accessPath // what is left to do with what both have found
}

// addSieves notes which other indexes can decide what the one that is read does
// not, so that fewer records, or none, are fetched.
func (p *planner) addSieves(plan *Plan) {
	if len(plan.reads) != 1 {
		return
	}
	a := plan.reads[0]
	if a.kind != accessScan || a.c.index == nil || !a.c.bounded() || a.first != nil {
		return
	}
	left := slices.DeleteFunc(slices.Clone(a.filter), a.intersectionHeeds)
	for len(left) > 0 && len(a.sieves) < maxSieves {
		c := p.bestSieve(a, left)
		if c == nil {
			return
		}
		v := sieve{p.accessPath(c, p.root), p.mem.accesses.take()}
		v.both.kind, v.both.c, v.both.root, v.both.match = a.kind, a.c, a.root, a.match
		v.both.filter = v.other.undecided(a.filter)
		a.sieves = append(a.sieves, v)
		left = slices.DeleteFunc(v.other.undecided(left), c.heeds)
	}
}

// intersectionHeeds reports whether what the access path is intersected with has
// been bounded by n, more loosely than n asks for.
func (a *accessPath) intersectionHeeds(n *node) bool {
	return slices.ContainsFunc(a.with, func(other *accessPath) bool { return other.c.heeds(n) })
}

// undecided returns the predicates that the entries which the access path gives do
// not make sure of.
func (a *accessPath) undecided(nodes []*node) (out []*node) {
	for _, n := range nodes {
		if !a.c.uses(n) && !slices.Contains(a.entry, n) {
			out = append(out, n)
		}
	}
	return out
}

// bestSieve returns the candidate that is bounded most closely of those whose
// bounds decide some of the filters of an access path, or heed them, or nil.
func (p *planner) bestSieve(a *accessPath, filters []*node) (best *candidate) {
	for _, x := range p.table.Indexes {
		if x == a.c.index || x.State != schema.Ready || !p.mayBound(x) {
			continue
		}
		p.eachCandidate(p.root, x, func(c *candidate) {
			if c.kind != accessScan || c.repeats() || !c.narrows(a.c) || !slices.ContainsFunc(filters, func(n *node) bool { return c.adds(n, a.c) }) ||
				best != nil && closeness(best, c) <= 0 {
				p.drop(c)
				return
			}
			p.drop(best)
			best = c
		})
	}
	return best
}

// adds reports whether the bounds heed n, and those of another candidate do not, or
// no more than loosely where c makes sure of it.
func (c *candidate) adds(n *node, other *candidate) bool {
	return c.uses(n) && !other.uses(n) || c.heeds(n) && !other.heeds(n)
}

// narrows reports whether c leaves out more than single values of what another
// candidate finds.
func (c *candidate) narrows(other *candidate) bool {
	if c.ends > 0 {
		return true
	}
	for i := range c.bounds[:min(c.points, len(c.bounds))] {
		on := c.bounds[i].on
		if !slices.ContainsFunc(other.bounds, func(b partBounds) bool { return b.on.same(on) }) {
			return true
		}
	}
	return false
}

// closeness orders candidates by how closely they are bounded.
func closeness(a, b *candidate) int {
	return cmp.Or(tighter(a, b), cmp.Compare(a.ranges, b.ranges), cmp.Compare(a.width(), b.width()))
}

// sieves reports whether the plan, when it is run, looks at the access path's other
// indexes.
func (p *Plan) sieves(a *accessPath) bool {
	return len(a.sieves) > 0 && (p.sort || p.top() < 0 || p.top() > sifting.few)
}

// decideSieves has records fetched as late as can be by an access path's sieves.
func (p *planner) decideSieves(plan *Plan, a *accessPath) {
	for i := range a.sieves {
		v := &a.sieves[i]
		v.both.fetch = p.fetchesEarly(plan, v.both)
		// Of the other index's entries only the keys are held.
		v.other.fetch = len(v.other.filter) > 0 || len(p.order) > 0 || p.value != nil
	}
}
