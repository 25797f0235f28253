package schema

import (
	"reflect"
	"regexp"
	"strings"

	"github.com/kivisdb/kivis/reflectx"
)

// defaultName returns the name of a type as that of a table. Of a generic type
// such as Box[pkg.Item] it is Box_Item, and of Box[[]pkg.Item] Box_slice_Item,
// so that two instances have two names.
func defaultName(t reflect.Type) string {
	return joinWords(strings.NewReplacer("[]", " slice ", "*", " ptr ").Replace(bareName(t)))
}

// formerName returns the name that releases gave which took Box[[]Item] and
// Box[*Item] for Box[Item].
func formerName(t reflect.Type) string { return joinWords(bareName(t)) }

// bareName returns the name of a type without packages.
func bareName(t reflect.Type) string {
	return packageNames.ReplaceAllString(reflectx.ShortName(t.Name()), "")
}

// joinWords joins the names in a text.
func joinWords(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return checkName("_"+string(r)) != nil }), "_")
}

var packageNames = regexp.MustCompile(`[^\[\],* ]*\.`)

// in returns the model for a catalog: m itself, or, where the catalog has its
// table by the name that earlier releases gave it, a copy with that name. The
// name must be free among models, and the table one that can be m's.
func (m *Model) in(c *Catalog, models []*Model) *Model {
	if c == nil || m.formerly == "" || c.byName(m.Name) != nil {
		return m
	}
	for _, o := range models {
		if o.Name == m.formerly {
			return m
		}
	}
	e := c.byName(m.formerly)
	if e == nil || !m.suits(e) {
		return m
	}
	d := *m
	d.Name = m.formerly
	return &d
}

// suits reports whether a table can become the model's without loss.
func (m *Model) suits(e *Entry) bool {
	if m.layout == nil || m.key.kind != e.Key.Kind {
		return false
	}
	refused := false
	v := evolver{old: e.newest().Layout, model: m.layout, next: e.NextField, report: func(d Difference) { refused = refused || d.Refused }}
	v.holds, v.count = func(int) bool { return false }, func(int) int { return 0 }
	v.evolve()
	return !refused || e.version(m) != nil
}
