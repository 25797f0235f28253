package query

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kivisdb/kivis/schema"
)

// Stats are what running a plan has read.
type Stats struct {
	Entries int // index entries
	Records int // records
	Rows    int // of the result

	Look Look // at two indexes, where the plan has a second one
}

// Analysis is what Analyze adds to a plan.
type Analysis struct {
	Stats
	Took time.Duration
}

// WithAnalysis returns the plan with what running it has read.
func (p *Plan) WithAnalysis(a Analysis) Plan {
	q := *p
	q.analysis = &a
	return q
}

// Analysis returns what running the plan has read, where it has been run.
func (p Plan) Analysis() (Analysis, bool) {
	if p.analysis == nil {
		return Analysis{}, false
	}
	return *p.analysis, true
}

// String returns the plan as text: first how the records are found, then
// what is done with them, one step a line.
func (p Plan) String() string {
	var b strings.Builder
	w := explainer{b: &b, p: &p}
	switch {
	case p.boundQuery == nil:
		return "no plan"
	case p.nothing != "":
		fmt.Fprintf(&b, "nothing of %s: %s", p.table.Name, p.nothing)
	case len(p.reads) == 0:
		fmt.Fprintf(&b, "nothing of %s: no record can come after the position", p.table.Name)
	case len(p.reads) == 1:
		w.access(p.reads[0], "")
	default:
		w.union()
	}
	if p.nothing == "" {
		w.rest()
	}
	if a := p.analysis; a != nil {
		if a.Look.Choice != NotLooked {
			w.line("", "looked", w.lookText(&a.Look))
		}
		w.line("", "read", fmt.Sprintf("%s, %s; %s in %v", count(a.Entries, "entry", "entries"),
			count(a.Records, "record", "records"), count(a.Rows, "row", "rows"), a.Took.Round(time.Microsecond)))
	}
	return b.String()
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

type explainer struct {
	b *strings.Builder
	p *Plan
}

// line writes one step.
func (w *explainer) line(indent, step, text string) {
	fmt.Fprintf(w.b, "\n%s  %-7s %s", indent, step, text)
}

// access writes one way of reading: where, by what bounds, and what of it is
// kept.
func (w *explainer) access(a *accessPath, indent string) {
	if len(a.with) == 0 {
		w.b.WriteString(w.headline(a))
		w.where(a, indent)
		w.sieves(a, indent)
	} else {
		w.intersection(a, indent)
	}
	if w.p.why != "" {
		w.line(indent, "why", w.p.why)
	}
	w.after(a, indent)
}

// after writes what is done with each entry and record.
func (w *explainer) after(a *accessPath, indent string) {
	switch a.match.ties {
	case tiesFlip:
		w.line(indent, "ties", "turned round, into key order")
	case tiesSort:
		w.line(indent, "ties", "sorted by key")
	}
	if len(a.entry) > 0 {
		w.line(indent, "filter", joinNodes(a.entry, " and ")+", by the entries")
	}
	if a.fetch {
		w.line(indent, "fetch", "records")
	}
	if a.first != nil {
		w.line(indent, "once", "each record at its first entry")
	}
	if len(a.filter) > 0 {
		w.line(indent, "filter", joinNodes(a.filter, " and "))
	}
}

// headline says where an access path reads.
func (w *explainer) headline(a *accessPath) string {
	name, x := w.p.table.Name, a.c.index
	switch {
	case a.kind == accessGet && len(a.ranges) > 1:
		return fmt.Sprintf("get of %d keys of %s", len(a.ranges), name)
	case a.kind == accessGet:
		return "get of " + name
	case a.kind == accessUnique && len(a.ranges) > 1:
		return fmt.Sprintf("%sunique get of %d keys on %s", w.covering(a), len(a.ranges), indexText(name, x))
	case a.kind == accessUnique:
		return w.covering(a) + "unique get on " + indexText(name, x)
	}
	s := "key range of " + name
	switch {
	case w.p.scan && x == nil:
		s = w.covering(a) + "full scan of " + name
	case w.p.scan:
		s = w.covering(a) + "full scan through index " + indexText(name, x)
	case x == nil && a.full:
		s = w.covering(a) + "full scan of " + name
	case x == nil:
		s = w.covering(a) + s
	case x != nil:
		s = w.covering(a) + "index range on " + indexText(name, x)
	}
	if a.match.reverse {
		s += ", backwards"
	}
	return s
}

// covering says that no record is read.
func (w *explainer) covering(a *accessPath) string {
	if a.fetch || w.p.fetch || !w.p.keysOnly(a) {
		return ""
	}
	return "covering "
}

// keysOnly reports whether the access path needs no record's value.
func (p *Plan) keysOnly(a *accessPath) bool {
	return a.c.index != nil || p.want.Kind != Records && !p.fetch && len(a.filter) == 0 && (!p.merge && !p.sort || p.keyTerms())
}

// keyTerms reports whether the order is made of parts of the key.
func (p *Plan) keyTerms() bool {
	for _, t := range p.order {
		if t.on.keyPart < 0 {
			return false
		}
	}
	return true
}

func indexText(table string, x *schema.Index) string {
	parts := make([]string, len(x.Parts))
	for i := range x.Parts {
		p := &x.Parts[i]
		if p.Key.Desc {
			parts[i] = "-"
		}
		parts[i] += p.Name
		if p.Each {
			parts[i] += ":each"
		}
		if p.Key.Fold {
			parts[i] += ":fold"
		}
	}
	if len(parts) == 1 && parts[0] == x.Name {
		return table + "." + x.Name
	}
	return table + "." + x.Name + "(" + strings.Join(parts, ", ") + ")"
}

// where writes the bounds of an access path.
func (w *explainer) where(a *accessPath, indent string) {
	if text := w.boundsText(a); text != "" {
		w.line(indent, "where", text)
	}
	if w.p.boundQuery.after != nil && a.match.quality > 0 {
		w.line(indent, "from", "the position of the page or record before")
	}
}

// sieves writes which other indexes may decide some of the filters.
func (w *explainer) sieves(a *accessPath, indent string) {
	if !w.p.sieves(a) {
		return
	}
	for i := range a.sieves {
		other := a.sieves[i].other
		w.line(indent, "sieve", w.headline(other)+" where "+w.boundsText(other)+", if a look says so")
	}
}

// boundsText is the bounds of an access path.
func (w *explainer) boundsText(a *accessPath) string {
	var texts []string
	for i := range a.c.bounds {
		b := &a.c.bounds[i]
		s := formatSet(b.on, b.set)
		if len(b.set) > 1 && !b.set.allPoints() && !excludesValue(b) {
			s = "(" + s + ")"
		}
		texts = append(texts, s)
	}
	if a.c.whole != nil {
		texts = append(texts, formatSet(wholeKey(w.p.table), a.c.whole))
	}
	return strings.Join(texts, ", ")
}

// excludesValue reports whether the bounds are all but one value.
func excludesValue(b *partBounds) bool { return len(b.set) == 2 && isHole(b.on, b.set) }

// wholeKey is the operand of a primary key of several parts.
func wholeKey(table *schema.Table) *operand {
	return &operand{table: table, name: "key()", column: -1, keyPart: -1, whole: true, key: table.Key.Tuple}
}

func (w *explainer) intersection(a *accessPath, indent string) {
	fmt.Fprintf(w.b, "intersection of %s, by key", w.p.table.Name)
	for _, one := range append([]*accessPath{a}, a.with...) {
		fmt.Fprintf(w.b, "\n%s  - %s", indent, w.headline(one))
		w.where(one, indent+"    ")
	}
	w.sieves(a, indent)
}

// union writes several ways of reading. Those that differ in one value only
// are one.
func (w *explainer) union() {
	groups := [][]*accessPath{}
	for i, a := range w.p.reads {
		if i > 0 && w.p.reads[i-1].c == a.c {
			groups[len(groups)-1] = append(groups[len(groups)-1], a)
			continue
		}
		groups = append(groups, []*accessPath{a})
	}
	how := ", one after the other"
	if w.p.merge {
		how = ", merged by " + w.p.orderText()
	}
	if len(groups) == 1 {
		w.access(groups[0][0], "")
		w.line("", "union", fmt.Sprintf("of %d ranges%s", len(w.p.reads), how))
		return
	}
	fmt.Fprintf(w.b, "union of %s%s", w.p.table.Name, how)
	for _, g := range groups {
		w.b.WriteString("\n  - ")
		w.access(g[0], "    ")
	}
}

// orderText is the order of the plan.
func (p *Plan) orderText() string {
	var texts []string
	for _, t := range p.order {
		s := t.on.text()
		if t.desc {
			s += " desc"
		}
		texts = append(texts, s)
	}
	if len(texts) == 0 {
		if p.keyDesc {
			return "key desc"
		}
		return "key"
	}
	return strings.Join(texts, ", ")
}

// rest writes what is done with the records found.
func (w *explainer) rest() {
	p := w.p
	if p.sort {
		s := p.orderText()
		if n := p.top(); n >= 0 {
			s += fmt.Sprintf(", top %d", n)
		}
		w.line("", "sort", s)
	}
	if p.fetch && p.needsFetch() {
		w.line("", "fetch", "records")
	}
	if p.offset > 0 {
		w.line("", "skip", fmt.Sprint(p.offset))
	}
	if p.limit >= 0 && !p.sort {
		w.line("", "limit", fmt.Sprint(p.limit))
	}
}

// top is how many records a sort has to keep, or -1.
func (p *Plan) top() int {
	if p.limit < 0 || p.limit+p.offset < p.limit {
		return -1
	}
	return p.limit + p.offset
}

// needsFetch reports whether some access path gives entries without records.
func (p *Plan) needsFetch() bool {
	for _, a := range p.reads {
		if a.c.index != nil && !a.fetch {
			return true
		}
	}
	return false
}

// mayNeedFetch is needsFetch, whatever a look at another index says.
func (p *Plan) mayNeedFetch() bool {
	return p.needsFetch() || slices.ContainsFunc(p.reads, func(a *accessPath) bool {
		return p.sieves(a) && slices.ContainsFunc(a.sieves, func(v sieve) bool { return !(v.both.fetch && v.other.fetch) })
	})
}
