package query

import "bytes"

// clip leaves of the ranges what comes after the query's position, for a
// candidate whose entries come in the order asked for.
func (p *planner) clip(a *access) {
	out, bounds := make([]byteRange, 0, len(a.ranges)), make([]byteRange, 0, len(a.ranges))
	for _, r := range a.ranges {
		was := r
		at, inclusive, _ := p.positionIn(a, r)
		end := endOf(bytes.Clone(at))
		switch {
		case !a.match.reverse && inclusive:
			r.lo = later(r.lo, at)
		case !a.match.reverse && end == nil:
			continue
		case !a.match.reverse:
			r.lo = later(r.lo, end)
		case inclusive:
			r.hi = earlier(r.hi, end)
		default:
			r.hi = earlier(r.hi, at)
		}
		if r.hi == nil || bytes.Compare(r.lo, r.hi) < 0 {
			out, bounds = append(out, r), append(bounds, was)
		}
	}
	a.ranges, a.bounds = out, bounds
}

// inclusive reports whether the record at the position is among those that
// come after it, in the direction of reading.
func (p *bound) inclusive() bool { return p.after.After == p.back }

func later(a, b []byte) []byte {
	if bytes.Compare(a, b) >= 0 {
		return a
	}
	return b
}

// earlier returns the lower of two upper bounds, nil being none.
func earlier(a, b []byte) []byte {
	if b == nil || a != nil && bytes.Compare(a, b) <= 0 {
		return a
	}
	return b
}

// positionIn returns with what the entry of the record at the position would
// begin in one of the candidate's ranges, and whether entries that begin so are
// still to come. In what is read a term of the order may have but one value:
// where that is not the position's, it decides, and same is false.
func (p *planner) positionIn(a *access, r byteRange) (at []byte, inclusive, same bool) {
	w := positioner{p: p, a: a, r: r}
	prefix := p.table.Prefix(spaceOf(a.c))
	w.at, w.rest = bytes.Clone(prefix), r.lo[min(len(prefix), len(r.lo)):]
	next := 0 // the next term of the order
	for i, term := range a.match.terms {
		if a.match.ties != tiesNone && i >= a.match.group {
			break
		}
		for ; next <= term; next++ {
			if c := w.constant(next); c != 0 {
				return w.at, c > 0, false
			}
		}
		w.part(i, term)
	}
	for ; next < len(p.order); next++ {
		if c := w.constant(next); c != 0 {
			return w.at, c > 0, false
		}
	}
	if a.match.ties != tiesNone {
		return w.at, true, true
	}
	n := len(a.match.terms)
	switch {
	case a.c.index == nil:
		return append(w.at[:len(prefix)], p.after.Key...), p.inclusive(), true
	case n < a.c.keyAt() || a.c.index.Unique && !w.null && n == a.c.keyAt():
		return w.at, p.inclusive(), true
	}
	return append(p.cutTail(w.at, a.c, n), p.after.Key...), p.inclusive(), true
}

// spaceOf returns where the candidate's keys are.
func spaceOf(c *candidate) uint32 {
	if c.index == nil {
		return 0
	}
	return c.index.ID
}

// A positioner makes the beginning of an entry's key.
type positioner struct {
	p    *planner
	a    *access
	r    byteRange
	at   []byte
	rest []byte // of the range's lower bound, which has the parts bound to points
	null bool   // a part is nil
}

// constant compares a term that has one value in what is read with the
// position's: 1 is after it.
func (w *positioner) constant(term int) int {
	t := w.p.order[term]
	v, ok := constantOf(w.a.root, t.on)
	if !ok {
		return 0
	}
	c := bytes.Compare(v, w.p.after.Parts[term])
	if t.desc {
		return -c
	}
	return c
}

// part appends the i-th part: the one of the position where it is a term, else
// the one it is bound to.
func (w *positioner) part(i, term int) {
	part := w.p.part(w.a.c, i)
	start := len(w.at)
	next, err := part.Key.Skip(w.rest)
	if term >= 0 {
		w.at = appendPart(w.at, w.p.after.Parts[term], part.Key.Desc)
	} else if err == nil {
		w.at = append(w.at, w.rest[:len(w.rest)-len(next)]...)
	}
	if err == nil {
		w.rest = next
	}
	w.null = w.null || part.Key.Ptr && len(w.at) == start+1
}

// cutTail drops what at has of the primary key, of n parts passed.
func (p *planner) cutTail(at []byte, c *candidate, n int) []byte {
	drop := 0
	rest := p.after.Key
	for k := 0; k < n-c.keyAt(); k++ {
		next, err := p.table.Key.Parts[k].Key.Skip(rest)
		if err != nil {
			break // unreachable: the key is whole
		}
		drop += len(rest) - len(next)
		rest = next
	}
	return at[:len(at)-drop]
}

// appendPart appends an ascending part, complemented where desc.
func appendPart(dst, part []byte, desc bool) []byte {
	start := len(dst)
	dst = append(dst, part...)
	if desc {
		complement(dst[start:])
	}
	return dst
}

func complement(b []byte) {
	for i := range b {
		b[i] = ^b[i]
	}
}
