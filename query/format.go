package query

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/kivisdb/kivis/codec"
)

// maxShown is how many values of a list are shown.
const maxShown = 8

// String returns the predicate in the words of [Parse], as far as they go.
func (n *node) String() string {
	switch n.kind {
	case nodeTrue:
		return "true"
	case nodeFalse:
		return "false"
	case nodeAnd:
		return joinNodes(n.kids, " and ")
	case nodeOr:
		return joinNodes(n.kids, " or ")
	}
	s := "func()"
	switch n.kind {
	case nodeNil:
		return n.on.text() + [2]string{" is nil", " is not nil"}[asInt(n.not)]
	case nodeSet:
		s = formatSet(n.on, n.set)
	case nodeText:
		k := codec.KeyType{Kind: n.on.key.Kind}
		s = n.on.text() + " contains " + formatPart(&k, n.text, true)
	}
	if n.not {
		return "not (" + s + ")"
	}
	return s
}

func joinNodes(kids []*node, sep string) string {
	texts := make([]string, len(kids))
	for i, k := range kids {
		texts[i] = k.String()
		if k.kind == nodeAnd || k.kind == nodeOr || strings.Contains(texts[i], " or ") {
			texts[i] = "(" + texts[i] + ")"
		}
	}
	return strings.Join(texts, sep)
}

// formatSet returns the predicate that on is in the set.
func formatSet(on *operand, set spans) string {
	switch {
	case len(set) == 1:
		return formatSpan(on, set[0])
	case set.allPoints():
		return formatList(on, set)
	case len(set) == 2 && isHole(on, set):
		return on.text() + " != " + formatPart(&on.key, set[1].lo.v, false)
	}
	texts := make([]string, 0, maxShown)
	for i, s := range set {
		if i == maxShown {
			texts = append(texts, fmt.Sprintf("%d more", len(set)-i))
			break
		}
		texts = append(texts, formatSpan(on, s))
	}
	return strings.Join(texts, " or ")
}

// isHole reports whether the set is all but one value.
func isHole(on *operand, set spans) bool {
	d := on.domain()
	lo, hi := set[0].hi, set[1].lo
	return set[0].lo.compare(d.lo) <= 0 && set[1].hi.compare(d.hi) >= 0 && !lo.after && hi.after &&
		!lo.partial && !hi.partial && bytes.Equal(lo.v, hi.v)
}

func formatList(on *operand, set spans) string {
	var b strings.Builder
	b.WriteString(on.text() + " in (")
	for i, s := range set {
		if i > 0 {
			b.WriteString(", ")
		}
		if i == maxShown {
			fmt.Fprintf(&b, "%d more", len(set)-i)
			break
		}
		b.WriteString(formatPart(&on.key, s.lo.v, false))
	}
	return b.String() + ")"
}

func formatSpan(on *operand, s span) string {
	d, name := on.domain(), on.text()
	loOpen, hiOpen := s.lo.compare(d.lo) <= 0, s.hi.compare(d.hi) >= 0
	if on.key.Ptr && s.lo.compare(endpoint{v: []byte{0}, after: true}) >= 0 && s.lo.compare(some.lo) <= 0 {
		if hiOpen {
			return name + " is not nil"
		}
		name, loOpen = "deref("+name+")", true
	}
	switch {
	case s.point() && on.key.Ptr && s.lo.v[0] == 0:
		return name + " is nil"
	case s.point():
		return name + " = " + formatPart(&on.key, s.lo.v, false)
	case s.lo.partial && s.hi.partial && !loOpen && bytes.Equal(s.lo.v, s.hi.v):
		return name + " prefix " + formatPart(&on.key, s.lo.v, true)
	case loOpen && hiOpen:
		return name + " is anything"
	case hiOpen:
		return name + [2]string{" >= ", " > "}[asInt(s.lo.after)] + formatCut(on, s.lo)
	case loOpen:
		return name + [2]string{" < ", " <= "}[asInt(s.hi.after)] + formatCut(on, s.hi)
	}
	if s.hi.partial && s.hi.after {
		lo := span{s.lo, on.domain().hi}
		return formatSpan(on, lo) + " and " + name + " prefix " + formatCut(on, s.hi)
	}
	return formatCut(on, s.lo) + [2]string{" <= ", " < "}[asInt(s.lo.after)] + name +
		[2]string{" < ", " <= "}[asInt(s.hi.after)] + formatCut(on, s.hi)
}

func asInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func formatCut(on *operand, c endpoint) string { return formatPart(&on.key, c.v, c.partial) }

// formatPart returns the value of a part; partial is the beginning of a text.
func formatPart(k *codec.KeyType, part []byte, partial bool) string {
	if partial && (k.Kind == codec.String || k.Kind == codec.Bytes) {
		part = append(bytes.Clone(part), 0, 1)
	}
	if partial && k.Kind == codec.Struct {
		return formatTuple(k, part)
	}
	exact := *k
	exact.Fold = false
	s, _, err := exact.Format(part)
	if err != nil {
		return fmt.Sprintf("0x%x", part)
	}
	return s
}

// formatTuple returns the values of the first parts of a tuple.
func formatTuple(k *codec.KeyType, part []byte) string {
	var texts []string
	for i := range k.Parts {
		if len(part) == 0 {
			break
		}
		s, rest, err := k.Parts[i].Format(part)
		if err != nil { // the first fields of a nested struct
			s, rest = formatTuple(&k.Parts[i], part), nil
		}
		texts, part = append(texts, s), rest
	}
	return "(" + strings.Join(texts, ", ") + ")"
}
