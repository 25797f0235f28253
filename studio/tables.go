package studio

import (
	"context"

	"github.com/kivisdb/kivis"
)

// tablesPage lists the tables.
type tablesPage struct {
	view
	List []tableRow `json:"tables"`
}

// tableRow is one table of the list.
type tableRow struct {
	Name       string   `json:"table"`
	Records    count    `json:"records"`
	Fields     int      `json:"fields"`
	Key        string   `json:"key"`
	Indexes    []string `json:"indexes"`
	References []string `json:"references"`
}

// tables makes the first page.
func (s *server) tables(ctx context.Context, r *request) (page, error) {
	p := tablesPage{view: s.view(r, "tables"), List: []tableRow{}}
	all := s.db.Tables()
	v := shown{Hash: hashOfTables(all)}
	counts := make([]panel[int], len(all))
	for i, tb := range all {
		counts[i] = s.startCount(ctx, kivis.TableNamed(s.db, tb.Name).Query())
	}
	for i, tb := range all {
		row := tableRow{
			Name: tb.Name, Records: counted(counts[i]), Fields: len(tb.Columns), Key: partNames(tb.Key.Parts),
			Indexes: []string{}, References: []string{},
		}
		for _, x := range tb.Indexes {
			row.Indexes = append(row.Indexes, x.Name)
		}
		for _, ref := range tb.Refs {
			row.References = append(row.References, ref.Target.Name)
		}
		p.List = append(p.List, row)
		v.note(row.Records)
	}
	p.Version = v.text()
	return page{template: "tables.html", data: p}, nil
}
