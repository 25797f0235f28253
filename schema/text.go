package schema

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kivisdb/kivis/codec"
)

// text returns the part as a tag lists it: "-Address.City:fold".
func (p *Part) text() string {
	s := p.Name
	if p.Key.Desc {
		s = "-" + s
	}
	if p.Each {
		s += ":each"
	}
	if p.Key.Fold {
		s += ":fold"
	}
	if p.NilEqual {
		s += ":nilequal"
	}
	return s
}

func partsText(parts []Part) string {
	texts := make([]string, len(parts))
	for i := range parts {
		texts[i] = parts[i].text()
	}
	return "(" + strings.Join(texts, ",") + ")"
}

// text returns an index as a tag lists it.
func (x *IndexEntry) text(l *codec.Layout) string {
	kind := "index="
	if x.Unique {
		kind = "unique="
	}
	return kind + x.Name + partsText(findParts(x.Parts, l))
}

// text returns a key as its kind and parts, with their types.
func (k *KeyEntry) text(l *codec.Layout) string {
	parts := findParts(k.Parts, l)
	texts := make([]string, len(parts))
	for i := range parts {
		texts[i] = parts[i].Name + " " + parts[i].Key.String()
	}
	return k.Kind.String() + " (" + strings.Join(texts, ", ") + ")"
}

// findParts returns the parts of an entry as those of a layout.
func findParts(list []PartEntry, l *codec.Layout) []Part {
	parts := make([]Part, len(list))
	for i := range list {
		parts[i], _ = list[i].find(l)
	}
	return parts
}

// String returns the difference on one line: what it is, its class, how many
// records it concerns where that has been counted, and what to do about it.
func (d Difference) String() string {
	var b strings.Builder
	b.WriteString(d.Table + ": " + d.Kind)
	for _, name := range []string{d.Field, d.Index} {
		if name != "" {
			b.WriteString(" " + name)
		}
	}
	if d.Detail != "" {
		b.WriteString(": " + d.Detail)
	}
	class := d.Class
	if d.Refused {
		class = Refused
	}
	b.WriteString(" (" + class.String() + recordsText(d.Records) + ")")
	if d.Remedy != "" {
		b.WriteString("; " + d.Remedy)
	}
	return b.String()
}

// recordsText returns a number of records behind a comma, or nothing for none.
func recordsText(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return ", 1 record"
	}
	return ", " + strconv.Itoa(n) + " records"
}

// String returns the differences as text, one to a line.
func (d Diff) String() string {
	var b strings.Builder
	for _, c := range d.Changes {
		b.WriteString(c.String() + "\n")
	}
	return b.String()
}

// String returns the table as canonical text: its columns, key, indexes and
// references, one to a line.
func (t *Table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "table %s #%d version %d\n", t.Name, t.ID, t.Version)
	for i := range t.Columns {
		c := &t.Columns[i]
		fmt.Fprintf(&b, "\tcolumn %s %v #%d", c.Name, c.Type, c.ID)
		if c.GoName != "" && c.GoName != c.Name {
			fmt.Fprintf(&b, " as %s", c.GoName)
		}
		b.WriteByte('\n')
	}
	for i, fields := range t.Layout.Structs {
		fmt.Fprintf(&b, "\tstruct %d\n", i)
		for _, f := range fields {
			fmt.Fprintf(&b, "\t\t%s %v #%d\n", f.Name, f.Type, f.ID)
		}
	}
	fmt.Fprintf(&b, "\tkey %v %s %v", t.Key.Kind, partsText(t.Key.Parts), t.Key.Tuple)
	if t.Key.GoType != nil {
		fmt.Fprintf(&b, " of type %v", typeName(t.Key.GoType))
	}
	if t.Key.Method {
		b.WriteString(" by method")
	}
	b.WriteByte('\n')
	for _, x := range t.Indexes {
		fmt.Fprintf(&b, "\t%v\n", x)
	}
	for _, r := range t.Refs {
		fmt.Fprintf(&b, "\t%v\n", r)
	}
	for _, r := range t.Incoming {
		fmt.Fprintf(&b, "\tincoming %s.%s\n", r.Table.Name, r.Name)
	}
	return b.String()
}

// String returns the index on one line.
func (x *Index) String() string {
	kind := "index"
	if x.Unique {
		kind = "unique"
	}
	s := fmt.Sprintf("%s %s %s %v #%d", kind, x.Name, partsText(x.Parts), x.Tuple, x.ID)
	if x.State != Ready {
		s += " " + x.State.String()
	}
	if x.Ref {
		s += " for a reference"
	}
	return s
}

// String returns the reference on one line.
func (r *Ref) String() string {
	s := fmt.Sprintf("ref %s -> %s %v", partsText(r.Parts), r.Target.Name, r.OnDelete)
	if r.Optional {
		s += " optional"
	}
	if r.Deferred {
		s += " deferred"
	}
	if r.Index != nil {
		s += " by index " + r.Index.Name
	}
	return s
}

// text returns the types that a chain leads through.
func (c *chain) text() string {
	names := typeName(c.hops[0].Old)
	for _, g := range c.hops {
		names += " to " + typeName(g.New)
	}
	return names
}
