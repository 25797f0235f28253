package query

import (
	"slices"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// bindFields bounds a part that is a nested struct by what the predicate says
// of the struct's fields. It reports whether that is to points.
func (p *planner) bindFields(c *candidate, root *node, part *schema.Part, i int) bool {
	if part.Key.Kind != codec.Struct || part.Key.Ptr || part.Each || part.Column < 0 {
		return false
	}
	b := fieldBinder{p: p, root: root, column: part.Column}
	set, ok := b.structure(part.Path, &part.Key)
	if !ok || len(set) == 0 {
		return false
	}
	on := &operand{table: p.table, name: part.Name, column: part.Column, path: part.Path, keyPart: i - c.keyAt(), key: part.Key.Base()}
	on.keyPart = max(on.keyPart, -1)
	for n := range root.conjuncts {
		if n.kind == nodeSet && !n.not && slices.Contains(b.used, n.on) {
			c.used = append(c.used, n)
		}
	}
	return c.bind(part, on, set)
}

// A fieldBinder makes a set of struct values out of sets of their fields.
type fieldBinder struct {
	p      *planner
	root   *node
	column int
	used   []*operand
}

// structure returns the values that a nested struct can have, from what is said
// of its first fields: points as far as they go, then one more set.
func (b *fieldBinder) structure(path []int, k *codec.KeyType) (spans, bool) {
	prefixes, bound := [][]byte{nil}, false
	for i := range k.Parts {
		set, ok := b.field(append(slices.Clip(path), i), &k.Parts[i])
		if !ok || len(set) == 0 {
			break
		}
		bound = true
		if !set.allPoints() || len(prefixes)*len(set) > maxRanges {
			return behind(prefixes, set), true
		}
		if prefixes = pointsBehind(prefixes, set); i == len(k.Parts)-1 {
			return points(prefixes), true
		}
	}
	return behind(prefixes, spans{everything}), bound
}

// field returns the values that one field can have.
func (b *fieldBinder) field(path []int, k *codec.KeyType) (spans, bool) {
	for _, on := range b.p.ops {
		if on.column != b.column || on.each || on.fold || on.order != nil || !slices.Equal(on.path, path) {
			continue
		}
		set, ok := b.root.implied(on)
		if ok && len(set) > 0 {
			b.used = append(b.used, on)
		}
		return set, ok
	}
	if k.Kind == codec.Struct && !k.Ptr {
		return b.structure(path, k)
	}
	return nil, false
}

// pointsBehind returns each of the prefixes with each of the set's points.
func pointsBehind(prefixes [][]byte, set spans) [][]byte {
	out := make([][]byte, 0, len(prefixes)*len(set))
	for _, prefix := range prefixes {
		for _, s := range set {
			out = append(out, append(slices.Clip(prefix), s.lo.v...))
		}
	}
	return out
}

// behind returns the set of the values that begin with one of the prefixes and
// go on with one in the set.
func behind(prefixes [][]byte, set spans) spans {
	out := make(spans, 0, len(prefixes)*len(set))
	for _, prefix := range prefixes {
		for _, s := range set {
			out = append(out, span{s.lo.behind(prefix), s.hi.behind(prefix)})
		}
	}
	return out
}

// behind returns the endpoint at the same place among the values that begin with
// prefix. Another field may follow, so it is of no whole value.
func (a endpoint) behind(prefix []byte) endpoint {
	return endpoint{append(slices.Clip(prefix), a.v...), a.after, true}
}
