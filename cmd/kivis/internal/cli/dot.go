package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kivisdb/kivis/cmd/kivis/internal/rows"
	"github.com/kivisdb/kivis/schema"
)

// dot returns a drawing of tables and the references between them, in the
// language of Graphviz.
func dot(list []*schema.Table) string {
	var b strings.Builder
	b.WriteString("digraph schema {\n\trankdir=LR\n\tnode [shape=plain, fontname=\"sans-serif\"]\n")
	for _, tb := range list {
		b.WriteString(dotTable(tb))
	}
	for _, tb := range list {
		for _, r := range tb.Refs {
			if slices.Contains(list, r.Target) || len(list) > 1 {
				fmt.Fprintf(&b, "\t%s:%s -> %s:key [label=%s]\n",
					quoteDot(tb.Name), quoteDot(port(r.Parts[0].Column)), quoteDot(r.Target.Name), quoteDot(r.OnDelete.String()))
			}
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// dotTable returns a table as a node: its name and its fields with their types.
func dotTable(tb *schema.Table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\t%s [label=<<table border=\"0\" cellborder=\"1\" cellspacing=\"0\">\n", quoteDot(tb.Name))
	fmt.Fprintf(&b, "\t\t<tr><td colspan=\"2\" port=\"key\"><b>%s</b></td></tr>\n", html(tb.Name))
	for i, c := range tb.Columns {
		name := html(c.Name)
		if inKey(tb, i) {
			name = "<u>" + name + "</u>"
		}
		fmt.Fprintf(&b, "\t\t<tr><td align=\"left\" port=\"%s\">%s</td><td align=\"left\">%s</td></tr>\n",
			port(i), name, html(rows.TypeText(&c.Type, tb.Layout)))
	}
	b.WriteString("\t</table>>]\n")
	return b.String()
}

// inKey reports whether a column is part of the primary key.
func inKey(tb *schema.Table, column int) bool {
	return slices.ContainsFunc(tb.Key.Parts, func(p schema.Part) bool { return p.Column == column })
}

func port(column int) string { return "f" + strconv.Itoa(column) }

var htmlSigns = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func html(s string) string { return htmlSigns.Replace(rows.Escape(s)) }

func quoteDot(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }
