package studio

import (
	"cmp"
	"context"
	"slices"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/schema"
)

const (
	maxFacets = 8  // fields
	maxValues = 10 // values of one
)

// facet is how often the values of a field are among what a query finds.
type facet struct {
	Field  string  `json:"field"`
	Values []value `json:"values"`
	Others int     `json:"others,omitempty"` // how many more values there are
	Note   string  `json:"note,omitempty"`
}

// value is one value of a facet.
type value struct {
	Text  string `json:"value"` // as a filter has it
	Count int    `json:"count"`
	URL   string `json:"url"` // the page narrowed to it
}

// startedFacet is a facet that is being counted.
type startedFacet struct {
	field string
	panel panel[[]kivis.Group]
}

// startFacets counts the values of the fields that an index begins with: unique
// ones and elements are left out.
func (s *server) startFacets(ctx context.Context, tb *schema.Table, q kivis.NamedQuery) (list []startedFacet) {
	var seen []string
	for _, x := range tb.Indexes {
		p := &x.Parts[0]
		if p.Each || p.Column < 0 || x.Unique && len(x.Parts) == 1 || slices.Contains(seen, p.Name) || len(seen) == maxFacets {
			continue
		}
		seen = append(seen, p.Name)
		field := query.Operand{Field: &query.Field{Name: p.Name}}.String()
		list = append(list, startedFacet{p.Name, startPanel(ctx, s.opts.Deadline, func(ctx context.Context) ([]kivis.Group, error) {
			return q.GroupCount(ctx, field)
		})})
	}
	return list
}

// facets waits for the facets.
func (p *recordsPage) facets(started []startedFacet) []facet {
	list := []facet{}
	for _, f := range started {
		groups, note := f.panel.wait()
		slices.SortStableFunc(groups, func(a, b kivis.Group) int { return cmp.Compare(b.Count, a.Count) })
		one := facet{Field: f.field, Values: []value{}, Note: note, Others: max(0, len(groups)-maxValues)}
		for _, g := range groups[:min(len(groups), maxValues)] {
			where := query.Operand{Field: &query.Field{Name: f.field}}.String() + " = " + g.Text
			if p.Where != "" {
				where = "(" + p.Where + ") and " + where
			}
			text, _ := shorten(g.Text, maxCellText)
			one.Values = append(one.Values, value{text, g.Count, p.at("", "where", where, "order", p.Order)})
		}
		list = append(list, one)
	}
	return list
}
