package query

import (
	"bytes"
	"slices"
)

// An endpoint is a place between the key parts of one field: before or after all
// parts that begin with v. Parts are prefix-free, so for a whole part that is
// before or after this one value; a partial v is the beginning of many. The
// zero cut is before everything, and {after: true} after everything.
type endpoint struct {
	v       []byte
	after   bool
	partial bool
}

// compare orders endpoints.
func (a endpoint) compare(b endpoint) int {
	n := min(len(a.v), len(b.v))
	if c := bytes.Compare(a.v[:n], b.v[:n]); c != 0 {
		return c
	}
	switch {
	case len(a.v) < len(b.v):
		return side(a.after)
	case len(a.v) > len(b.v):
		return -side(b.after)
	case a.after == b.after:
		return 0
	}
	return side(a.after)
}

func side(after bool) int {
	if after {
		return 1
	}
	return -1
}

// flip returns the endpoint at the same place where every part is complemented.
func (a endpoint) flip() endpoint {
	v := make([]byte, len(a.v))
	for i, c := range a.v {
		v[i] = ^c
	}
	return endpoint{v, !a.after, a.partial}
}

// A span is what lies between two endpoints.
type span struct{ lo, hi endpoint }

func pointOf(part []byte) span { return span{endpoint{v: part}, endpoint{v: part, after: true}} }

// beginning is the span of the parts that begin with v.
func beginning(v []byte) span {
	return span{endpoint{v: v, partial: true}, endpoint{v: v, after: true, partial: true}}
}

func (s span) empty() bool { return s.lo.compare(s.hi) >= 0 }

// point reports whether the span holds one value.
func (s span) point() bool {
	return !s.lo.after && s.hi.after && !s.lo.partial && !s.hi.partial && bytes.Equal(s.lo.v, s.hi.v)
}

// spans is a set of values: spans in order, apart from each other. Points that
// touch stay apart, so that a set of values stays one.
type spans []span

// one is the set of the values in s.
func one(s span) spans {
	if s.empty() {
		return nil
	}
	return spans{s}
}

// points is the set of some values.
func points(parts [][]byte) spans { return appendPoints(make(spans, 0, len(parts)), parts) }

// appendPoints appends points to what is empty yet.
func appendPoints(set spans, parts [][]byte) spans {
	slices.SortFunc(parts, bytes.Compare)
	for i, p := range parts {
		if i == 0 || !bytes.Equal(p, parts[i-1]) {
			set = append(set, pointOf(p))
		}
	}
	return set
}

// allPoints reports whether the set is a list of values.
func (s spans) allPoints() bool {
	for i := range s {
		if !s[i].point() {
			return false
		}
	}
	return len(s) > 0
}

// intersect returns what is in both sets.
func (s spans) intersect(t spans) spans {
	if len(s) == 1 && len(t) == 1 {
		return one(overlap(s[0], t[0]))
	}
	var out spans
	for i, j := 0, 0; i < len(s) && j < len(t); {
		if o := overlap(s[i], t[j]); !o.empty() {
			out = append(out, o)
		}
		if s[i].hi.compare(t[j].hi) < 0 {
			i++
		} else {
			j++
		}
	}
	return out
}

// meets reports whether some of the set is in t.
func (s spans) meets(t span) bool {
	return slices.ContainsFunc(s, func(x span) bool { return !overlap(x, t).empty() })
}

func overlap(a, b span) span {
	if a.lo.compare(b.lo) < 0 {
		a.lo = b.lo
	}
	if a.hi.compare(b.hi) > 0 {
		a.hi = b.hi
	}
	return a
}

// union returns what is in either set.
func (s spans) union(t spans) spans {
	all := make(spans, 0, len(s)+len(t))
	all = append(append(all, s...), t...)
	slices.SortFunc(all, func(a, b span) int { return a.lo.compare(b.lo) })
	out := all[:0]
	for _, x := range all {
		if n := len(out); n > 0 && joins(out[n-1], x) {
			if out[n-1].hi.compare(x.hi) < 0 {
				out[n-1].hi = x.hi
			}
			continue
		}
		out = append(out, x)
	}
	return out
}

// joins reports whether b, which begins no earlier than a, makes one span with
// it.
func joins(a, b span) bool {
	c := a.hi.compare(b.lo)
	return c > 0 || c == 0 && !a.point() && !b.point()
}

// complement returns what is in all and not in the set.
func (s spans) complement(all span) spans {
	var out spans
	lo := all.lo
	for _, x := range s {
		if gap := (span{lo, x.lo}); !gap.empty() {
			out = append(out, gap)
		}
		lo = x.hi
	}
	if gap := (span{lo, all.hi}); !gap.empty() {
		out = append(out, gap)
	}
	return out
}

// flip returns the set with every part complemented.
func (s spans) flip() spans {
	out := make(spans, len(s))
	for i, x := range s {
		out[len(s)-1-i] = span{x.hi.flip(), x.lo.flip()}
	}
	return out
}

// A byteRange is a half-open range of bytes; a nil hi is no bound.
type byteRange struct{ lo, hi []byte }

// has reports whether x, a whole part or key, is in the range.
func (r *byteRange) has(x []byte) bool {
	return bytes.Compare(x, r.lo) >= 0 && (r.hi == nil || bytes.Compare(x, r.hi) < 0)
}

// under returns the range of the keys that begin with prefix and go on with a
// part in the span, in the arena, and whether there can be any.
func (s span) under(prefix []byte, mem *arena[byte]) (r byteRange, ok bool) {
	r.lo, ok = s.lo.bound(prefix, mem)
	if !ok {
		return r, false
	}
	r.hi, ok = s.hi.bound(prefix, mem)
	if !ok {
		r.hi = nil
	}
	return r, r.hi == nil || bytes.Compare(r.lo, r.hi) < 0
}

// bound returns the endpoint as a place among keys that begin with prefix, and
// false where it is behind all keys there can be.
func (a endpoint) bound(prefix []byte, mem *arena[byte]) ([]byte, bool) {
	b := append(append(mem.room(len(prefix)+len(a.v)), prefix...), a.v...)
	if !a.after {
		return b, true
	}
	end := endOf(b)
	return end, end != nil
}

// endOf turns b into what follows every key that begins with it; nil is the
// end of all.
func endOf(b []byte) []byte {
	for n := len(b); n > 0; n-- {
		if b[n-1] != 0xFF {
			b[n-1]++
			return b[:n]
		}
	}
	return nil
}

// ranges returns the byte ranges of the set's parts.
func (s spans) ranges() []byteRange {
	out, mem := make([]byteRange, 0, len(s)), &arena[byte]{}
	for _, x := range s {
		if r, ok := x.under(nil, mem); ok {
			out = append(out, r)
		}
	}
	return out
}

// within reports whether x, a whole part, is in one of the ranges, which are
// in order.
func within(ranges []byteRange, x []byte) bool {
	if len(ranges) <= 8 {
		for i := range ranges {
			if ranges[i].has(x) {
				return true
			}
		}
		return false
	}
	i, found := slices.BinarySearchFunc(ranges, x, func(r byteRange, x []byte) int {
		return bytes.Compare(r.lo, x)
	})
	return found || i > 0 && ranges[i-1].has(x)
}
