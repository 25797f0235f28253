package studio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// recordsPage is a page of a table's records.
type recordsPage struct {
	view
	Where   string            `json:"where,omitempty"`
	Order   string            `json:"order,omitempty"`
	Keys    []string          `json:"keys"`
	Records []json.RawMessage `json:"records"`
	Next    string            `json:"next,omitempty"`
	Prev    string            `json:"prev,omitempty"`
	Count   count             `json:"count"`
	Plan    string            `json:"plan"`
	Facets  []facet           `json:"facets"`

	Columns         []column   `json:"-"`
	Rows            []row      `json:"-"`
	NextURL         string     `json:"-"`
	PrevURL         string     `json:"-"`
	CSV, JSONL      string     `json:"-"` // where the same is as a file
	Words           []string   `json:"-"` // that a filter can have
	Zero            string     `json:"-"` // a new record
	Err             *markedErr `json:"-"`
	FirstURL, AsURL string     `json:"-"`
}

// column is the head of one column.
type column struct {
	Name, Type, URL, Mark string
	IsNumber              bool
}

// row is one record of the grid.
type row struct {
	Key, URL string
	Cells    []cell
}

// records makes the page of a table's records.
func (s *server) records(ctx context.Context, r *request, name string) (page, error) {
	form := r.URL.Query()
	v := shown{Table: name, Where: form.Get("where"), Order: form.Get("order"), After: form.Get("after"), Size: s.opts.PageSize}
	tb, err := kivis.TableNamed(s.db, name).Schema(ctx)
	if err != nil {
		return page{}, err
	}
	p := recordsPage{view: s.view(r, name), Where: v.Where, Order: v.Order, Keys: []string{}, Records: []json.RawMessage{}, Facets: []facet{}}
	p.Table = name
	q := v.query(s.db)
	counting := s.startCount(ctx, q)
	facets := s.startFacets(ctx, tb, q)
	found, err := v.page(ctx, s.db)
	if err != nil {
		_ = counted(counting) // ends it
		return s.mistaken(&p, tb, err)
	}
	p.Version = v.text()
	if plan, err := q.Explain(); err == nil {
		p.Plan = plan.String()
	}
	p.Next, p.Prev = found.Next, found.Prev
	p.Count, p.Facets = counted(counting), p.facets(facets)
	if r.asJSON {
		err = p.addJSON(found.Records)
	} else {
		s.addRows(&p, tb, found.Records)
	}
	return page{template: "records.html", data: p, links: p.paging(r.asJSON)}, err
}

// addJSON adds the records for the page as JSON.
func (p *recordsPage) addJSON(recs []kivis.Record) error {
	for _, rec := range recs {
		text, err := rec.MarshalJSON()
		if err != nil {
			return err
		}
		p.Keys = append(p.Keys, rec.Key().String())
		p.Records = append(p.Records, text)
	}
	return nil
}

// addRows adds the records for the page as HTML, and what stands around them.
func (s *server) addRows(p *recordsPage, tb *schema.Table, recs []kivis.Record) {
	for _, rec := range recs {
		key := keyText(rec.Key())
		cells := cellsOf(rec, maxCellText)
		s.link(&p.view, rec, cells)
		p.Rows = append(p.Rows, row{Key: key, URL: p.recordURL(p.Table, key), Cells: cells})
	}
	if text, err := kivis.TableNamed(s.db, p.Table).New().MarshalJSON(); err == nil {
		p.Zero = string(text)
	}
	p.frame(tb, kivis.TableNamed(s.db, p.Table).Query())
}

// frame sets what the page has whatever is found: heads, words and links.
func (p *recordsPage) frame(tb *schema.Table, query kivis.NamedQuery) {
	for i := range tb.Columns {
		c := &tb.Columns[i]
		order, mark := c.Name, ""
		switch p.Order {
		case c.Name:
			order, mark = "-"+c.Name, "↑"
		case "-" + c.Name:
			order, mark = "", "↓"
		}
		kind := c.Type.Kind
		head := column{Name: c.Name, Type: c.Type.String(), Mark: mark, IsNumber: kind == codec.Int || kind == codec.Uint || kind == codec.Float}
		if _, err := query.OrderBy(c.Name).Explain(); err == nil { // its values have an order
			head.URL = p.at("", "where", p.Where, "order", order)
		}
		p.Columns = append(p.Columns, head)
		p.Words = append(p.Words, c.Name)
	}
	for _, x := range tb.Indexes {
		for i := range x.Parts {
			if len(x.Parts[i].Path) > 0 {
				p.Words = append(p.Words, x.Parts[i].Name)
			}
		}
	}
	p.CSV, p.JSONL = p.at(".csv", "where", p.Where, "order", p.Order), p.at(".jsonl", "where", p.Where, "order", p.Order)
	p.FirstURL, p.AsURL = p.at("", "where", p.Where, "order", p.Order), p.at(".json", "where", p.Where, "order", p.Order)
}

// at returns the URL of the table's page with parameters, those that are empty
// left out.
func (p *recordsPage) at(suffix string, params ...string) string {
	form := url.Values{}
	for i := 0; i < len(params); i += 2 {
		if params[i+1] != "" {
			form.Set(params[i], params[i+1])
		}
	}
	to := p.tableURL(p.Table) + suffix
	if len(form) > 0 {
		to += "?" + form.Encode()
	}
	return to
}

// paging sets the URLs of the next page and of the one before, and returns them
// as links of the header.
func (p *recordsPage) paging(asJSON bool) (links []string) {
	suffix := ""
	if asJSON {
		suffix = ".json"
	}
	if p.Next != "" {
		p.NextURL = p.at(suffix, "where", p.Where, "order", p.Order, "after", p.Next)
		links = append(links, fmt.Sprintf("<%s>; rel=\"next\"", p.NextURL))
	}
	if p.Prev != "" {
		p.PrevURL = p.at(suffix, "where", p.Where, "order", p.Order, "after", p.Prev)
		links = append(links, fmt.Sprintf("<%s>; rel=\"prev\"", p.PrevURL))
	}
	return links
}

// markedErr is a mistake in the filter or the order, with the place.
type markedErr struct {
	Text         string
	Before, From string // the text at fault, cut where the mistake is; both "" where there is no place
}

// mistaken makes the page of a query with a mistake: what was written stays, to
// be mended.
func (s *server) mistaken(p *recordsPage, tb *schema.Table, err error) (page, error) {
	status := statusOf(err)
	if status != http.StatusBadRequest && status != http.StatusServiceUnavailable {
		return page{}, err
	}
	p.Err = &markedErr{Text: visible(s.message(err))}
	var e *kivis.QueryError
	if errors.As(err, &e) && e.Pos > 0 {
		text := p.Where
		if e.Clause == "order by" {
			text = p.Order
		}
		at := min(e.Pos-1, len(text))
		p.Err.Before, p.Err.From = visible(text[:at]), visible(text[at:])
	}
	p.frame(tb, kivis.TableNamed(s.db, p.Table).Query())
	return page{template: "records.html", status: status, data: mistakenPage{p, status}}, nil
}

// mistakenPage is the page of a mistake: as JSON it is the error alone.
type mistakenPage struct {
	*recordsPage
	status int
}

// MarshalJSON returns the mistake.
func (p mistakenPage) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"status": p.status, "error": p.Err.Text, "table": p.Table})
}
