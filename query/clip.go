package query

import "bytes"

// clip leaves of the ranges what comes after the query's position, for a
// candidate whose entries come in the order asked for.
func (p *planner) clip(a *accessPath) {
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
func (p *boundQuery) inclusive() bool { return p.after.After == p.back }

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
func (p *planner) positionIn(a *accessPath, r byteRange) (at []byte, inclusive, same bool) {
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
	return w.tail(len(a.match.terms))
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
	a    *accessPath
	r    byteRange
	at   []byte
	rest []byte   // of the range's lower bound, which has the parts bound to points
	null bool     // a part is nil that is not NilEqual, so that the entry ends in the key
	keys [][]byte // of the parts bound to points, those of the primary key, ascending
}

// tail goes on with the primary key, by which ties are broken, after n parts.
func (w *positioner) tail(n int) (at []byte, inclusive, same bool) {
	c, k0 := w.a.c, n-w.a.c.keyAt() // the first part of the key that is still to come
	if c.index != nil && c.index.Unique && !w.null {
		k0 = -1
	}
	rest := w.p.after.Key
	for k := range w.p.table.Key.Parts {
		part := &w.p.table.Key.Parts[k]
		next, err := part.Key.Skip(rest)
		if err != nil {
			break // unreachable: the key is whole
		}
		have := rest[:len(rest)-len(next)]
		rest = next
		if v, ok := w.keyConstant(k); ok {
			if d := bytes.Compare(appendPart(nil, v, part.Key.Desc), have); d != 0 {
				return w.at, (d > 0) != w.p.keyDesc, false
			}
		}
		if k0 >= 0 && k >= k0 {
			w.at = append(w.at, have...)
		}
	}
	return w.at, w.p.inclusive(), true
}

// keyConstant returns the one value that a part of the primary key has in what
// is read.
func (w *positioner) keyConstant(k int) ([]byte, bool) {
	if k < len(w.keys) && w.keys[k] != nil {
		return w.keys[k], true
	}
	for _, on := range w.p.ops {
		if on.keyPart == k && !on.fold && !on.each {
			return constantOf(w.a.root, on)
		}
	}
	return nil, false
}

// fix notes a part that is bound to a point.
func (w *positioner) fix(i int, part []byte, desc bool) {
	on := w.a.c.bounds[i].on
	if on.keyPart < 0 || on.fold {
		return
	}
	for len(w.keys) <= on.keyPart {
		w.keys = append(w.keys, nil)
	}
	w.keys[on.keyPart] = appendPart(nil, part, desc)
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
		w.fix(i, w.at[start:], part.Key.Desc)
	}
	if err == nil {
		w.rest = next
	}
	w.null = w.null || part.Key.Ptr && !part.NilEqual && len(w.at) == start+1
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
