package query

import (
	"slices"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// An index that sets case aside bounds predicates on the exact field too, more
// loosely than they ask for: what it has is held against them once more, by the
// record.
//
// Invariant: where a value is in an exact set, its fold is in what folded makes of
// the set. Fold is a function, so that goes for a list of values. What lies between
// two others begins with what these have in common, and codec.FoldPrefix says what
// its fold begins with then.

// foldsTo reports whether on is the operand with its case set aside.
func (o *operand) foldsTo(on *operand) bool {
	return on.fold && !o.fold && o.order == nil && o.column == on.column && o.each == on.each && slices.Equal(o.path, on.path)
}

// foldedFor returns the operand with its case set aside, if that is what the part
// holds, or nil.
func (o *operand) foldedFor(part *schema.Part) *operand {
	if !part.Key.Fold || o.fold || o.order != nil || o.column != part.Column || o.each != part.Each || !slices.Equal(o.path, part.Path) {
		return nil
	}
	f := *o
	f.fold, f.key.Fold, f.keyPart = true, true, -1
	return &f
}

// folded returns values among which all of an exact set are, case set aside. It
// fails where that could be nearly any.
func folded(on *operand, set spans) (spans, bool) {
	out := make(spans, 0, len(set))
	for i := range set {
		x, ok := foldedSpan(on, set[i])
		if !ok {
			return nil, false
		}
		out = append(out, x)
	}
	return out.union(nil), len(out) > 0
}

// foldedSpan is folded of one span.
func foldedSpan(on *operand, s span) (span, bool) {
	if s.point() {
		part, err := on.key.AppendLiteral(nil, s.lo.v)
		return pointOf(part), err == nil
	}
	head := common(s.lo.v, s.hi.v)
	var text []byte
	if on.key.Ptr {
		if len(head) == 0 {
			return span{}, false
		}
		text, head = append(text, head[0]), head[1:]
	}
	n := len(text)
	text = codec.FoldPrefix(text, head)
	return beginning(text), len(text) > n
}

// common returns what a and b both begin with.
func common(a, b []byte) []byte {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

// foldedElements returns an exact predicate on elements as one on what a folded
// part holds, or nil.
func foldedElements(n *node, part *schema.Part) *node {
	on := n.on.foldedFor(part)
	if on == nil {
		return nil
	}
	set, ok := folded(on, n.set)
	if !ok {
		return nil
	}
	f := setNode(on, set)
	f.exact = n
	return f
}
