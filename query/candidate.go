package query

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/kivisdb/kivis/schema"
)

// maxRanges is how many ranges of one index several lists of values may make;
// a single list may make any number.
const maxRanges = 1024

// A candidate is one way to find the records: through the primary key or an
// index, whose leading parts the predicate bounds.
type candidate struct {
	index *schema.Index // nil: the primary key
	each  *node         // the predicate on elements that bounds the index's each part

	bounds []partBounds // of the leading parts: first those that are points
	whole  spans        // of the key tuple that follows the parts, all of which are points
	points int          // parts bound to points, those of whole among them
	ends   int          // of the part after those: 0 unbounded, 1 or 2 bounded ends
	ranges int          // how many ranges of keys that makes
	kind   accessKind
	used   []*node // what the bounds make sure of
	loose  []*node // exact predicates that a folded part is bounded by, and which it does not make sure of

	match match
	terms []int // match.terms, or the memory for them
	cost  costClass
}

// costClass is what is read of each record that is found, the least first.
type costClass uint8

const (
	costEntry  costClass = iota // its key or index entry alone
	costRecord                  // the record, where the scan is
	costFetch                   // the record, elsewhere than the entry
)

// reset makes c a new candidate in the same memory.
func (c *candidate) reset() {
	bounds, used, loose, terms := emptied(c.bounds), emptied(c.used), emptied(c.loose), c.terms[:0]
	*c = candidate{}
	c.bounds, c.used, c.loose, c.terms = bounds, used, loose, terms
}

// bounds is what the predicate says of one part.
type partBounds struct {
	part *schema.Part
	on   *operand
	set  spans // ascending, whatever the part
}

// better orders candidates, the better ones first. All rules by which the
// planner chooses are here: what bounds more comes before what is in order, and
// that before what reads less of each record. No statistics are used, so a plan
// depends on the schema and the query alone.
func better(a, b *candidate) int {
	return cmp.Or(
		tighter(a, b),
		-cmp.Compare(min(a.match.quality, 1), min(b.match.quality, 1)),
		cmp.Compare(a.cost, b.cost),
		-cmp.Compare(a.match.quality, b.match.quality),
		cmp.Compare(a.ranges, b.ranges),
		cmp.Compare(a.width(), b.width()),
	)
}

// tighter is the beginning of better, for candidates of which no more than
// their bounds is known yet.
func tighter(a, b *candidate) int {
	return -cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.points, b.points), cmp.Compare(a.ends, b.ends),
		cmp.Compare(len(b.loose), len(a.loose)))
}

// width is the number of parts in each entry.
func (c *candidate) width() int {
	if c.index == nil {
		return 0
	}
	return len(c.index.Parts)
}

// bounded reports whether the candidate reads less than all.
func (c *candidate) bounded() bool { return c.kind > accessScan || c.points > 0 || c.ends > 0 }

// A planner plans one query.
type planner struct {
	*boundQuery
	want   Want
	mem    *planMemory
	spare  *candidate // one that was not wanted, for its memory
	prefix []byte     // of keys, while ranges are made
}

// best returns the best candidate for the records that match root, in the
// order asked for if there is one.
func (p *planner) best(root *node) *candidate {
	best := p.candidate(root, nil, nil)
	p.judge(best, root)
	if best.kind == accessGet {
		return best
	}
	for _, x := range p.table.Indexes {
		if x.State == schema.Ready && p.mayBound(x) {
			best = p.bestOf(root, x, best)
		}
	}
	if best.bounded() {
		return best
	}
	for _, x := range p.table.Indexes {
		if x.State == schema.Ready && !p.mayBound(x) {
			best = p.bestOf(root, x, best)
		}
	}
	return best
}

// mayBound reports whether a predicate may bound what is read of an index: one
// on the column of its first part.
func (p *planner) mayBound(x *schema.Index) bool {
	return slices.ContainsFunc(p.ops, func(on *operand) bool { return on.column == x.Parts[0].Column })
}

// bestOf returns the best of the candidates of one index and another one, which
// may be nil.
func (p *planner) bestOf(root *node, x *schema.Index, best *candidate) *candidate {
	p.eachCandidate(root, x, func(c *candidate) {
		if best != nil && tighter(best, c) < 0 {
			p.drop(c)
			return
		}
		p.judge(c, root)
		if best == nil || better(c, best) < 0 {
			best, c = c, best
		}
		p.drop(c)
	})
	return best
}

// drop takes back a candidate, or nil, that is not wanted.
func (p *planner) drop(c *candidate) {
	if c != nil {
		p.spare = c
	}
}

// eachCandidate makes the candidates of one index: one, or one for each
// predicate on elements where the index has an entry per element. They have
// not been judged.
func (p *planner) eachCandidate(root *node, x *schema.Index, consider func(*candidate)) {
	part := eachPart(x)
	if part == nil {
		consider(p.candidate(root, x, nil))
		return
	}
	for n := range root.conjuncts {
		if n.kind != nodeSet || n.not {
			continue
		}
		each := n
		if !n.on.isPart(part) {
			each = foldedElements(n, part)
		}
		if each == nil {
			continue
		}
		if c := p.candidate(root, x, each); c != nil {
			consider(c)
		}
	}
	if root == always && (p.value != nil && p.value.isPart(part) || p.group != nil && p.group.isPart(part)) && !p.ordered && p.limit < 0 && p.offset == 0 {
		consider(p.candidate(root, x, nil)) // each entry is one of the values
	}
}

func eachPart(x *schema.Index) *schema.Part {
	for i := range x.Parts {
		if x.Parts[i].Each {
			return &x.Parts[i]
		}
	}
	return nil
}

// candidate returns the way through one index and what bounds it, or nil where
// there is none.
func (p *planner) candidate(root *node, x *schema.Index, each *node) *candidate {
	c := p.spare
	if p.spare = nil; c == nil {
		c = p.mem.candidates.take()
	} else {
		c.reset()
	}
	c.index, c.each, c.ranges = x, each, 1
	p.bindParts(c, root)
	if each != nil && !c.heeds(cmp.Or(each.exact, each)) {
		p.drop(c)
		return nil // entries of other elements would be missing
	}
	p.findKind(c)
	return c
}

// judge finds out the rest of a candidate: its order, and what it reads.
func (p *planner) judge(c *candidate, root *node) {
	c.match = p.matchOrder(c, root)
	c.cost = p.costOf(c, root)
}

// uses reports whether the bounds make sure of n.
func (c *candidate) uses(n *node) bool { return slices.Contains(c.used, n) }

// heeds reports whether the bounds make sure of n, or leave out much of what does
// not match it.
func (c *candidate) heeds(n *node) bool { return c.uses(n) || slices.Contains(c.loose, n) }

// part returns the i-th part of the candidate's entries: those of the index,
// then those of the primary key, then nil.
func (p *planner) part(c *candidate, i int) *schema.Part {
	if c.index != nil {
		if i < len(c.index.Parts) {
			return &c.index.Parts[i]
		}
		i -= len(c.index.Parts)
	}
	if i < len(p.table.Key.Parts) {
		return &p.table.Key.Parts[i]
	}
	return nil
}

// keyAt returns where the primary key's parts begin among those of c.
func (c *candidate) keyAt() int { return c.width() }

// bindParts bounds the leading parts: points as far as they go, then one more.
func (p *planner) bindParts(c *candidate, root *node) {
	if root == always {
		return
	}
	for i := 0; ; i++ {
		if i == c.keyAt() && p.bindWhole(c, root) {
			return
		}
		part := p.part(c, i)
		if part == nil || c.index != nil && c.index.Unique && i >= c.keyAt() {
			return
		}
		if !p.bindPart(c, root, part, i) {
			return
		}
	}
}

// bindPart bounds one part and reports whether it is to points, so that the
// next one can be bound too.
func (p *planner) bindPart(c *candidate, root *node, part *schema.Part, i int) bool {
	on := p.operandOf(part, i-c.keyAt())
	if on == nil {
		return p.bindFields(c, root, part, i)
	}
	set, ok := spans(nil), false
	switch {
	case !part.Each:
		set, ok = root.implied(on)
	case c.each != nil:
		set, ok = c.each.set, true
	}
	if !ok {
		return p.bindFields(c, root, part, i)
	}
	if len(set) == 0 {
		return false
	}
	p.use(c, root, on, part)
	return c.bind(part, on, set)
}

// bind bounds the next part by a set and reports whether it is to points.
func (c *candidate) bind(part *schema.Part, on *operand, set spans) bool {
	atPoints := set.allPoints() && (c.ranges == 1 || c.ranges*len(set) <= maxRanges)
	c.bounds = append(c.bounds, partBounds{part, on, set})
	c.ranges *= len(set)
	if atPoints {
		c.points++
	} else {
		c.ends = boundedEnds(on, set)
	}
	return atPoints
}

// sidesOf counts the ends at which the set is bounded. A set that is bounded at
// neither, but leaves out more in the middle than single values, counts as one.
func boundedEnds(on *operand, set spans) int {
	d, n := on.domain(), 0
	if set[0].lo.compare(d.lo) > 0 {
		n++
	}
	if set[len(set)-1].hi.compare(d.hi) < 0 {
		n++
	}
	for i := 1; n == 0 && i < len(set); i++ {
		if lo, hi := set[i-1].hi, set[i].lo; lo.partial || hi.partial || lo.after || !hi.after || !bytes.Equal(lo.v, hi.v) {
			n = 1
		}
	}
	return n
}

// use notes the predicates that bounding the part makes sure of.
func (p *planner) use(c *candidate, root *node, on *operand, part *schema.Part) {
	if part.Each {
		if c.each.exact != nil {
			c.loose = append(c.loose, c.each.exact)
		} else {
			c.used = append(c.used, c.each)
		}
		return
	}
	for n := range root.conjuncts {
		switch {
		case n.kind != nodeSet || n.not:
		case n.on == on:
			c.used = append(c.used, n)
		case n.on.foldsTo(on):
			c.loose = append(c.loose, n)
		}
	}
}

// operandOf returns the query's operand that a part holds, or nil. keyPart is
// its place in the primary key, negative for a part of an index. A folded part
// is bounded by predicates on the exact field too.
func (p *planner) operandOf(part *schema.Part, keyPart int) *operand {
	var folded *operand
	for _, on := range p.ops {
		if keyPart >= 0 && on.keyPart == keyPart && !on.fold && !on.each || on.isPart(part) {
			return on
		}
		if folded == nil {
			folded = on.foldedFor(part)
		}
	}
	return folded
}

// bindWhole bounds the primary key that follows the parts, where the predicate
// compares it as a tuple.
func (p *planner) bindWhole(c *candidate, root *node) bool {
	if c.index != nil && c.index.Unique {
		return false
	}
	for _, on := range p.ops {
		if !on.whole {
			continue
		}
		set, ok := root.implied(on)
		if !ok || len(set) == 0 {
			return false
		}
		c.whole, c.ranges = set, c.ranges*len(set)
		if set.allPoints() {
			c.points += len(p.table.Key.Parts)
		} else {
			c.ends = boundedEnds(on, set)
		}
		for n := range root.conjuncts {
			if n.kind == nodeSet && n.on == on {
				c.used = append(c.used, n)
			}
		}
		return true
	}
	return false
}

// findKind finds out whether the candidate's ranges are single keys.
func (p *planner) findKind(c *candidate) {
	keys := len(p.table.Key.Parts)
	switch {
	case c.index == nil && c.points == keys:
		c.kind = accessGet
	case c.index != nil && c.index.Unique && c.points >= len(c.index.Parts) && !c.hasNil():
		c.kind = accessUnique
	}
}

// hasNil reports whether a part may be nil, in which case a unique index holds
// more than one entry.
func (c *candidate) hasNil() bool {
	for i := range c.bounds {
		b := &c.bounds[i]
		if b.on.key.Ptr && b.set[0].lo.v[0] == 0 {
			return true
		}
	}
	return false
}

// costOf finds out what the candidate reads of each record.
func (p *planner) costOf(c *candidate, root *node) costClass {
	need := p.want.Kind == Records || c.repeats() && !c.match.split || p.value != nil && !c.givesValue(p, root)
	for n := range root.conjuncts {
		need = need || !c.uses(n) && !c.decides(p.table, n)
	}
	switch {
	case !need:
		return costEntry
	case c.index == nil:
		return costRecord
	}
	return costFetch
}

// givesValue reports whether each entry has the values that are wanted of its
// record; of elements, all the entries together have.
func (c *candidate) givesValue(p *planner, root *node) bool {
	for _, on := range [...]*operand{p.value, p.group} {
		if on != nil && (!c.holds(p.table, on) || on.each && (c.each != nil || root != always)) {
			return false
		}
	}
	return true
}

// repeats reports whether the index may hold several entries of one record in
// the ranges.
func (c *candidate) repeats() bool {
	for i := range c.bounds {
		if b := &c.bounds[i]; b.part.Each {
			return len(b.set) > 1 || !b.set[0].point()
		}
	}
	return false
}

// holds reports whether the operand's value can be read off an entry.
func (c *candidate) holds(table *schema.Table, on *operand) bool {
	_, ok := c.place(table, on)
	return ok
}

// place returns which part of an entry is the operand's value.
func (c *candidate) place(table *schema.Table, on *operand) (place, bool) {
	if on.whole {
		return place{key: true, part: -1}, true
	}
	if on.keyPart >= 0 && !on.fold {
		return place{key: true, part: on.keyPart, desc: table.Key.Parts[on.keyPart].Key.Desc}, true
	}
	if c.index == nil {
		return place{}, false
	}
	for i := range c.index.Parts {
		if part := &c.index.Parts[i]; on.isPart(part) {
			return place{part: i, desc: part.Key.Desc}, true
		}
	}
	return place{}, false
}

// A place is where an entry holds a value.
type place struct {
	key  bool // among the parts of the primary key
	part int  // -1: all of them
	desc bool
}

// decides reports whether n can be decided by an entry alone.
func (c *candidate) decides(table *schema.Table, n *node) bool {
	switch n.kind {
	case nodeSet, nodeText:
		return !n.on.each && c.holds(table, n.on)
	case nodeAnd, nodeOr:
		for _, k := range n.kids {
			if !c.decides(table, k) {
				return false
			}
		}
		return true
	}
	return false
}
