package studio

import (
	"context"
	"encoding/json"

	"github.com/kivisdb/kivis"
)

// recordPage is one record, with what it refers to and what refers to it.
type recordPage struct {
	view
	Key        string          `json:"key"`
	Record     json.RawMessage `json:"record"`
	References []reference     `json:"references"`
	Referrers  []referrers     `json:"referrers"`

	KeyText  string `json:"-"` // as in the path
	TableURL string `json:"-"`
	AsURL    string `json:"-"`
	Cells    []cell `json:"-"`
}

// record makes the page of one record.
func (s *server) record(ctx context.Context, r *request, table, key string) (page, error) {
	if _, err := kivis.TableNamed(s.db, table).Schema(ctx); err != nil {
		return page{}, err
	}
	v := shown{Table: table, Key: key}
	rec, err := v.record(ctx, s.db)
	if err != nil {
		return page{}, err
	}
	p := recordPage{view: s.view(r, table+" "+key), Key: rec.Key().String(), KeyText: keyText(rec.Key())}
	p.References, p.Referrers = s.references(&p.view, rec), s.referrers(ctx, &p.view, rec)
	for i := range p.Referrers {
		v.note(p.Referrers[i].Records)
	}
	p.Table, p.Version = table, v.text()
	if r.asJSON {
		p.Record, err = rec.MarshalJSON()
		return page{data: p}, err
	}
	p.TableURL, p.AsURL = p.tableURL(table), p.recordURL(table, p.KeyText)+".json"
	p.Cells = cellsOf(rec, maxPageText)
	s.link(&p.view, rec, p.Cells)
	return page{template: "record.html", data: p}, nil
}
