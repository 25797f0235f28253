package query

import (
	"cmp"
	"slices"

	"github.com/kivisdb/kivis/schema"
)

// Where an index bounds only some of the predicates, another one may bound the
// others. Which of them finds fewer records, and whether it is worth reading both,
// no rule can tell. So the plan names the other, and the entries of both are counted
// when it is run: a [sift] does that.

// addSieve notes which other index can decide what the one that is read does not,
// so that fewer records, or none, are fetched.
func (p *planner) addSieve(plan *Plan) {
	if len(plan.reads) != 1 {
		return
	}
	a := plan.reads[0]
	if a.kind != accessScan || a.c.index == nil || !a.c.bounded() || a.first != nil || len(a.filter) == 0 {
		return
	}
	c := p.bestSieve(a)
	if c == nil {
		return
	}
	a.other = p.accessPath(c, p.root)
	a.sieved = p.mem.accesses.take()
	a.sieved.kind, a.sieved.c, a.sieved.root, a.sieved.match = a.kind, a.c, a.root, a.match
	for _, n := range a.filter {
		if !a.other.decides(n) {
			a.sieved.filter = append(a.sieved.filter, n)
		}
	}
}

// bestSieve returns the candidate that is bounded most closely of those which
// decide some of an access path's filters, or nil.
func (p *planner) bestSieve(a *accessPath) (best *candidate) {
	for _, x := range p.table.Indexes {
		if x == a.c.index || x.State != schema.Ready || !p.mayBound(x) {
			continue
		}
		p.eachCandidate(p.root, x, func(c *candidate) {
			if c.kind != accessScan || !c.bounded() || c.repeats() || !slices.ContainsFunc(a.filter, c.uses) ||
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

// closeness orders candidates by how closely they are bounded.
func closeness(a, b *candidate) int {
	return cmp.Or(tighter(a, b), cmp.Compare(a.ranges, b.ranges), cmp.Compare(a.width(), b.width()))
}

// decides reports whether the entries that the access path gives make sure of n.
func (a *accessPath) decides(n *node) bool { return a.c.uses(n) || slices.Contains(a.entry, n) }

// sieves reports whether the plan, where it is run, looks at the access path's
// other index.
func (p *Plan) sieves(a *accessPath) bool {
	return a.other != nil && (p.sort || p.top() < 0 || p.top() > sifting.few)
}

// decideSieve has records fetched as late as can be on the other two ways.
func (p *planner) decideSieve(plan *Plan, a *accessPath) {
	if a.other == nil {
		return
	}
	a.sieved.fetch = p.fetchesEarly(plan, a.sieved)
	// Of the other index's entries only the keys are held.
	a.other.fetch = len(a.other.filter) > 0 || len(p.order) > 0 || p.value != nil
}
