package query

// maxStreams is how many streams may be merged to give an order, each of them
// with a cursor of its own.
const maxStreams = 64

// A match is how the order of a candidate's entries compares with the one that
// is asked for.
type match struct {
	quality int   // 0: it does not give the order; more is better
	reverse bool  // read from the end
	split   bool  // the ranges are merged
	ties    ties  // what has to be done where entries tie
	group   int   // the parts that entries that tie have in common
	terms   []int // for each part passed: the term of the order that it is, or -1
}

// ties is what makes entries that tie in the order come in that of their keys.
type ties uint8

const (
	tiesNone ties = iota // they do
	tiesFlip             // they come the other way round
	tiesSort             // they come in another order
)

// qualities of matches
const (
	matchSort  = iota + 1 // ties are sorted
	matchExtra            // streams are merged, or ties turned round
	matchExact
)

// A matcher walks over the parts of a candidate's entries and the terms of the
// order side by side.
type matcher struct {
	p    *planner
	c    *candidate
	root *node
	i    int    // the next part
	done uint64 // the primary key's parts that are in order already
	m    match
	set  bool // the direction is set
}

// matchOrder finds out whether c's entries come in the order asked for.
func (p *planner) matchOrder(c *candidate, root *node) match {
	w := matcher{p: p, c: c, root: root}
	if !p.ordered {
		w.m.quality = matchExact
		return w.m
	}
	if w.oneRecord() {
		if p.after == nil || c.index == nil && len(p.order) == 0 {
			w.m.quality, w.m.reverse = matchExact, p.keyDesc
		} // else it has to be compared with the position, as a sort does
		return w.m
	}
	for i, t := range p.order {
		if !w.term(i, t) {
			return match{}
		}
	}
	if !w.keys() || w.m.split && c.ranges > maxStreams {
		return match{}
	}
	if c.index != nil && c.index.Unique && p.after != nil && (w.m.split || root != p.root) {
		return match{} // an entry need not have the key, by which to go on
	}
	if c.kind > accessScan && (w.m.split && p.after != nil || !w.m.split && w.m.ties != tiesNone) {
		return match{} // they are few, and soon sorted
	}
	if c.kind > accessScan {
		w.m.ties = tiesNone // each stream has one record
	}
	switch {
	case w.m.ties == tiesSort:
		w.m.quality = matchSort
	case w.m.split || w.m.ties == tiesFlip:
		w.m.quality = matchExtra
	default:
		w.m.quality = matchExact
	}
	return w.m
}

// oneRecord reports whether the candidate can find one record at most.
func (w *matcher) oneRecord() bool {
	if w.c.kind > accessScan && w.c.ranges == 1 || len(w.c.whole) == 1 && w.c.whole[0].point() {
		return true
	}
	for k := range w.p.table.Key.Parts {
		if !w.constant(w.keyPart(k)) {
			return false
		}
	}
	return true
}

// constant reports whether the predicate lets on have one value only. It says
// nothing about nil.
func (w *matcher) constant(on *operand) bool {
	if on == nil {
		return false
	}
	_, ok := constantOf(w.root, on)
	return ok
}

// term matches one term of the order with the next part.
func (w *matcher) term(n int, t term) bool {
	if w.constant(t.on) {
		w.mark(t.on)
		return true
	}
	if t.on.keyPart >= 0 && w.done&(1<<t.on.keyPart) != 0 || w.known() && (w.allDone() || w.wholeUnique()) {
		return true // nothing ties any more
	}
	for {
		part := w.p.part(w.c, w.i)
		if part == nil {
			return false
		}
		if w.holds(t.on) {
			w.pass(n)
			w.mark(t.on)
			return w.direct(t.desc != part.Key.Desc)
		}
		if !w.fixed(w.i) {
			return false
		}
		w.pass(-1)
	}
}

// known reports whether what has one value in what is read has the same in the
// position to go on from. In a branch of an Or, and in one of several streams,
// it may have another.
func (w *matcher) known() bool {
	return w.p.after == nil || w.root == w.p.root && !w.m.split
}

// holds reports whether the next part is on.
func (w *matcher) holds(on *operand) bool {
	part := w.p.part(w.c, w.i)
	if k := w.i - w.c.keyAt(); k >= 0 {
		return on.keyPart == k
	}
	return on.isPart(part)
}

// pass goes on to the next part; the one passed is a term of the order or -1.
func (w *matcher) pass(term int) {
	w.i++
	w.c.terms = append(w.c.terms, term)
	w.m.terms = w.c.terms
}

func (w *matcher) mark(on *operand) {
	if on.keyPart >= 0 {
		w.done |= 1 << on.keyPart
	}
}

// direct sets the direction, or reports whether it is the one set.
func (w *matcher) direct(reverse bool) bool {
	if !w.set {
		w.set, w.m.reverse = true, reverse
	}
	return w.m.reverse == reverse
}

// fixed reports whether the part has one value in each stream: in the only one
// or, where it is bound to several, in each of those that are to be merged.
func (w *matcher) fixed(i int) bool {
	if i >= len(w.c.bounds) || i >= w.c.points {
		return false
	}
	if len(w.c.bounds[i].set) > 1 {
		w.m.split = true
	}
	return true
}

// keys matches what is left of the parts with the order in which ties are
// broken: that of the primary key.
func (w *matcher) keys() bool {
	group := w.i
	for w.i < w.c.keyAt() && w.fixed(w.i) {
		w.pass(-1)
	}
	if w.allDone() || w.wholeUnique() {
		return true
	}
	if w.i < w.c.keyAt() {
		return w.tie(tiesSort, group)
	}
	for k := w.i - w.c.keyAt(); k < len(w.p.table.Key.Parts) && (w.done&(1<<k) != 0 || w.oneValue(w.i)); k++ {
		w.i++
	}
	if w.direct(w.p.keyDesc) {
		return true
	}
	return w.tie(tiesFlip, group)
}

// oneValue reports whether the part is bound to one value.
func (w *matcher) oneValue(i int) bool {
	return i < len(w.c.bounds) && i < w.c.points && len(w.c.bounds[i].set) == 1
}

// tie has ties mended among entries whose first parts are the same. Where none
// of them is in the order, that is all entries: sorting proper.
func (w *matcher) tie(how ties, group int) bool {
	if !w.set {
		return false
	}
	w.m.ties, w.m.group = how, group
	return true
}

// allDone reports whether the whole primary key is in order, so that nothing
// ties.
func (w *matcher) allDone() bool {
	for k := range w.p.table.Key.Parts {
		if w.done&(1<<k) == 0 && !w.constant(w.keyPart(k)) {
			return false
		}
	}
	return true
}

// keyPart returns the query's operand that is a part of the primary key, or
// nil.
func (w *matcher) keyPart(k int) *operand {
	for _, on := range w.p.ops {
		if on.keyPart == k && !on.fold && !on.each {
			return on
		}
	}
	return nil
}

// wholeUnique reports whether all parts of a unique index that are never nil
// are in order, so that nothing ties.
func (w *matcher) wholeUnique() bool {
	x := w.c.index
	if x == nil || !x.Unique || w.i < len(x.Parts) {
		return false
	}
	for i := range x.Parts {
		if x.Parts[i].Key.Ptr {
			return false
		}
	}
	return true
}
