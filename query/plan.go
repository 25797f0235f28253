package query

import (
	"fmt"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// maxBranches is how many ways of reading a union may have. An Or with more
// alternatives is a filter.
const maxBranches = 64

// Plan is how a query is read. It is immutable, and good for the table and the
// values it was made for. Its String is what Explain shows.
type Plan struct {
	*boundQuery
	want  Want
	reads []*accessPath // the ways of reading; none reads nothing

	merge   bool   // the reads are merged by the order; else one follows the other
	sort    bool   // what is read has to be sorted
	fetch   bool   // records are fetched once it is known which are wanted
	nothing string // why nothing is read
	why     string // why all is read
	scan    bool   // the predicate does not bound what is read

	analysis *Analysis
	mem      *planMemory
}

// An accessPath is one way of reading: records by key, or a scan of ranges of keys.
type accessPath struct {
	kind   accessKind
	c      *candidate
	root   *node         // what its records match
	ranges []byteRange   // of store keys, in order
	bounds []byteRange   // the same before a position was taken off
	stem   []byte        // with which the keys of all entries begin, if it is to be intersected
	with   []*accessPath // what it is intersected with
	match  match

	entry  []*node     // decided by entries, before records are fetched
	fetch  bool        // records are fetched by key
	filter []*node     // decided by records
	first  *operand    // of whose elements, only the first that is in
	set    []byteRange // this set, gives the record
	full   bool        // reads all of the table or index

	sieves []sieve // other indexes that decide some of filter
}

// reset makes a a new access path in the same memory.
func (a *accessPath) reset() {
	ranges, sieves := emptied(a.ranges), emptied(a.sieves)
	*a = accessPath{}
	a.ranges, a.sieves = ranges, sieves
}

// accessKind is how an access path finds its entries, the more precise the
// larger.
type accessKind uint8

const (
	accessScan   accessKind = iota // ranges of records or entries
	accessUnique                   // entries of a unique index by their tuple
	accessGet                      // records by primary key
)

// Compile returns the plan of a query over a table. It reads nothing but its
// arguments, and the same ones give the same plan. The errors are all of the
// query's faults: each an [*Error].
func Compile(table *schema.Table, q *Query, want Want) (*Plan, error) {
	m := planMemoryFor(table, q, want)
	if m.reuse(table, q, want) {
		return &m.plan, nil
	}
	m.reset()
	plan, err := m.compile(table, q, want)
	if err != nil {
		return nil, err
	}
	m.remember(table, q, want)
	return plan, nil
}

// compile is Compile in the memory.
func (m *planMemory) compile(table *schema.Table, q *Query, want Want) (*Plan, error) {
	b, err := m.binder.bind(table, q, want)
	if err != nil {
		return nil, err
	}
	p, plan := &m.planner, &m.plan
	p.boundQuery, p.want, p.mem = b, want, m
	plan.boundQuery, plan.want, plan.mem = b, want, m
	if want.Kind == Count && b.after == nil && b.using == "" {
		b.ordered, b.order = false, nil // it makes no difference
	}
	switch {
	case b.root == never:
		plan.nothing = "no record can match"
	case b.limit == 0:
		plan.nothing = "the limit is 0"
	case b.using != "":
		err = p.useNamed(plan)
	default:
		p.choose(plan)
	}
	if err != nil {
		return nil, err
	}
	p.decideFetch(plan)
	return plan, nil
}

// decideFetch has records fetched as late as can be: at once only where
// something has to be known of them.
func (p *planner) decideFetch(plan *Plan) {
	plan.fetch = p.want.Kind == Records
	for _, a := range plan.reads {
		plan.fetch = plan.fetch || p.value != nil && !a.c.givesValue(p, p.root)
	}
	for _, a := range plan.reads {
		a.fetch = p.fetchesEarly(plan, a)
		p.decideSieves(plan, a)
	}
}

// fetchesEarly reports whether something has to be known of the records.
func (p *planner) fetchesEarly(plan *Plan, a *accessPath) bool {
	early := len(a.filter) > 0 || a.first != nil
	if plan.merge || plan.sort {
		early = early || !p.hasOrder(a)
	}
	return a.c.index != nil && early
}

// hasOrder reports whether each entry has what the order is made of.
func (p *planner) hasOrder(a *accessPath) bool {
	for _, t := range p.order {
		if _, ok := constantOf(a.root, t.on); !ok && !a.c.holds(p.table, t.on) {
			return false
		}
	}
	return true
}

// constantOf returns the one value that on can have where root holds.
func constantOf(root *node, on *operand) ([]byte, bool) {
	if on.each {
		return nil, false
	}
	set, ok := root.implied(on)
	if !ok || len(set) != 1 || !set[0].point() {
		return nil, false
	}
	return set[0].lo.v, true
}

// useNamed plans with the index that the query names.
func (p *planner) useNamed(plan *Plan) error {
	x := p.table.Index(p.using)
	fail := func(err error) error {
		return &Error{Table: p.table.Name, Clause: "using", Field: p.using, Err: err}
	}
	if x == nil {
		names := make([]string, len(p.table.Indexes))
		for i, x := range p.table.Indexes {
			names[i] = x.Name
		}
		return fail(fmt.Errorf("the table has no index of this name%s", suggest(p.using, names)))
	}
	if x.State != schema.Ready {
		return fail(fmt.Errorf("the index is still being built"))
	}
	best := p.bestOf(p.root, x, nil)
	if best == nil {
		return fail(fmt.Errorf("the index has no entry for a record without elements, so it serves only predicates on elements of %s", eachPart(x).Name))
	}
	p.single(plan, best)
	return nil
}

// choose plans with what is best: one way of reading, or several.
func (p *planner) choose(plan *Plan) {
	best := p.best(p.root)
	if best.kind == accessGet || !p.union(plan, best) {
		p.single(plan, best)
		p.intersect(plan)
		p.addSieves(plan)
	}
}

// single plans with one candidate, whose ranges may have to be merged.
func (p *planner) single(plan *Plan, c *candidate) {
	plan.sort = p.ordered && c.match.quality == 0
	plan.scan = p.root != always && !c.bounded()
	plan.merge = c.match.split
	if plan.scan {
		plan.why = p.whyScan()
	}
	plan.reads = p.accessPaths(plan.reads, c, p.root)
}

// accessPaths appends how the candidate is read: its ranges in turn, or each by
// itself where they are to be merged.
func (p *planner) accessPaths(reads []*accessPath, c *candidate, root *node) []*accessPath {
	a := p.accessPath(c, root)
	if !c.match.split {
		return append(reads, a)
	}
	for i := range a.ranges {
		part := *a
		part.ranges, part.bounds = a.ranges[i:i+1], a.bounds[i:i+1]
		reads = append(reads, &part)
	}
	return reads
}

// accessPath returns how the candidate is read.
func (p *planner) accessPath(c *candidate, root *node) *accessPath {
	a := p.mem.accesses.take()
	a.c, a.root, a.match = c, root, c.match
	p.setRanges(a)
	a.kind = c.kind
	a.full = a.kind == accessScan && len(c.bounds) == 0 && c.whole == nil
	for n := range root.conjuncts {
		switch {
		case c.uses(n):
		case c.index != nil && c.decides(p.table, n):
			a.entry = append(a.entry, n)
		default:
			a.filter = append(a.filter, n)
		}
	}
	if c.repeats() && !c.match.split {
		a.first, a.set = c.each.on, c.each.set.ranges()
	}
	if p.after != nil && c.match.quality > 0 {
		p.clip(a)
	}
	return a
}

// setRanges sets the ranges that the candidate of an access path makes.
func (p *planner) setRanges(a *accessPath) {
	a.ranges = p.rangesOf(emptied(a.ranges), a.c)
	a.bounds = a.ranges
	if keyOrdered(a.c) && len(a.ranges) == 1 {
		a.stem = a.ranges[0].lo
	}
}

// rangesOf appends the ranges of store keys that the candidate's bounds make,
// in order. Those of lookups hold one key each.
func (p *planner) rangesOf(out []byteRange, c *candidate) []byteRange {
	p.prefix = append(p.prefix[:0], p.table.Prefix(spaceOf(c))...)
	return p.rangesUnder(out, c, 0)
}

// rangesUnder appends the ranges of the keys that begin with the prefix, which
// has the parts before the i-th.
func (p *planner) rangesUnder(out []byteRange, c *candidate, i int) []byteRange {
	n := len(p.prefix)
	if i == len(c.bounds) && c.whole == nil {
		return append(out, p.mem.beginning(p.prefix))
	}
	for _, s := range c.setAt(i) {
		if i < c.points && i < len(c.bounds) {
			p.prefix = append(p.prefix[:n], s.lo.v...)
			out = p.rangesUnder(out, c, i+1)
		} else if r, ok := s.under(p.prefix[:n], &p.mem.bytes); ok {
			out = append(out, r)
		}
	}
	return out
}

// setAt returns what the i-th part can be, or all parts behind those that are
// bounded by themselves, in the order of the keys.
func (c *candidate) setAt(i int) spans {
	switch {
	case i == len(c.bounds):
		return c.whole
	case c.bounds[i].part.Key.Desc:
		return c.bounds[i].set.flip()
	}
	return c.bounds[i].set
}

// beginning returns the range of the keys that begin with a prefix.
func (m *planMemory) beginning(prefix []byte) byteRange {
	both := m.bytes.room(2 * len(prefix))
	lo := append(both, prefix...)
	hi := append(lo, prefix...)[len(prefix):]
	return byteRange{lo[:len(prefix):len(prefix)], endOf(hi)}
}

// whyScan says why the predicate bounds nothing.
func (p *planner) whyScan() string {
	switch {
	case p.root.kind == nodeFunc:
		return "a function bounds nothing"
	case p.root.kind == nodeOr:
		return "an index does not bound every side of the or"
	case p.root.kind == nodeSet && !p.root.on.each && boundedEnds(p.root.on, p.root.set) == 0:
		return "the predicate leaves out too little"
	case p.root.kind == nodeSet:
		return "no index begins with " + p.root.on.text()
	}
	return "no index is bounded by the predicate"
}

// FullScan reports whether the query has a predicate and none of it bounds
// what is read: all of the table, or of an index.
func (p *Plan) FullScan() bool { return p.scan }

// Sorts reports whether the plan holds what it finds in memory to sort it.
func (p *Plan) Sorts() bool { return p.sort }

// Table returns the table that the plan is for.
func (p *Plan) Table() *schema.Table { return p.table }

// ValueType returns what the parts are that a plan for Values gives: ascending
// and exact. Of another plan it is the zero KeyType.
func (p *Plan) ValueType() codec.KeyType {
	if p.value == nil {
		return codec.KeyType{}
	}
	typ := p.value.key.Base()
	typ.Ptr = typ.Ptr && !p.inner
	return typ
}
