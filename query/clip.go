package query

import "bytes"

// clip leaves of the ranges what comes after the query's position, for a
// candidate whose entries come in the order asked for.
func (p *planner) clip(a *access) {
	out, bounds := make([]byteRange, 0, len(a.ranges)), make([]byteRange, 0, len(a.ranges))
	for _, r := range a.ranges {
		was := r
		at, whole := p.positionIn(a, r)
		inclusive := p.inclusive() || !whole
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

// positionIn returns with what the entry of the record at the position begins
// in one of the candidate's ranges, and whether no other record's entry does.
func (p *planner) positionIn(a *access, r byteRange) (at []byte, whole bool) {
	c := a.c
	space := uint32(0)
	if c.index != nil {
		space = c.index.ID
	}
	prefix := p.table.Prefix(space)
	at = bytes.Clone(prefix)
	if c.index == nil && a.match.ties == tiesNone {
		return append(at, p.after.Key...), true
	}
	rest, null := r.lo[min(len(prefix), len(r.lo)):], false
	for i, term := range a.match.terms {
		part := p.part(c, i)
		if a.match.ties != tiesNone && i >= a.match.group {
			return at, false
		}
		start := len(at)
		if term < 0 {
			next, err := part.Key.Skip(rest)
			if err != nil {
				return at[:start], false // unreachable: bound to a point
			}
			at = append(at, rest[:len(rest)-len(next)]...)
			rest = next
		} else {
			at = appendPart(at, p.after.Parts[term], part.Key.Desc)
			if next, err := part.Key.Skip(rest); err == nil {
				rest = next
			}
		}
		null = null || part.Key.Ptr && len(at) == start+1
	}
	if a.match.ties != tiesNone {
		return at, false
	}
	n := len(a.match.terms)
	if n < c.keyAt() || c.index.Unique && !null && n == c.keyAt() {
		return at, true
	}
	return append(p.cutTail(at, c, n), p.after.Key...), true
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
