package studio

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/cells"
	"github.com/kivisdb/kivis/schema"
)

// exportName returns the table and the format of the name of a file.
func exportName(file string) (table, format string, ok bool) {
	for _, format := range []string{"csv", "jsonl"} {
		if table, ok := strings.CutSuffix(file, "."+format); ok {
			return table, format, true
		}
	}
	return "", "", false
}

// export writes all that a query finds as a file, record by record.
func (s *server) export(r *request, name, format string) {
	form := r.URL.Query()
	v := shown{Table: name, Where: form.Get("where"), Order: form.Get("order")}
	tb, err := kivis.TableNamed(s.db, name).Schema(r.Context())
	if err == nil {
		_, err = v.query(s.db).Explain()
	}
	if err != nil {
		s.fail(r, err)
		return
	}
	r.w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name+"."+format))
	write := writeLines(r.w)
	r.w.Header().Set("Content-Type", "application/x-ndjson")
	if format == "csv" {
		r.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		write = writeCSV(r.w, tb)
	}
	for rec, err := range v.query(s.db).All(r.Context()) {
		if err == nil {
			err = write(rec)
		}
		if err != nil {
			s.opts.Logger.Warn("studio: an export has ended early", "table", name, "error", err)
			panic(http.ErrAbortHandler) // so that the browser does not take a part for the whole
		}
	}
}

// writeLines returns what writes a record as a line of JSON.
func writeLines(w io.Writer) func(kivis.Record) error {
	return func(rec kivis.Record) error {
		text, err := rec.MarshalJSON()
		if err == nil {
			_, err = w.Write(append(text, '\n'))
		}
		return err
	}
}

// writeCSV writes the heads and returns what writes a record as a line.
func writeCSV(w io.Writer, tb *schema.Table) func(kivis.Record) error {
	columns := make([]cells.Column, len(tb.Columns))
	for i := range tb.Columns {
		columns[i] = cells.Column{Name: tb.Columns[i].Name, Type: &tb.Columns[i].Type}
	}
	out, err := cells.NewCSV(w, ',', tb.Layout, columns)
	var offs []uint32
	row := make([][]byte, len(columns))
	return func(rec kivis.Record) error {
		switch {
		case err != nil:
			return err
		case rec.Table().Version != tb.Version:
			return errors.New("the table has become another meanwhile")
		}
		if offs, err = codec.Split(rec.Raw(), len(columns), offs); err != nil {
			return err
		}
		for i := range row {
			row[i] = rec.Raw()[offs[i]:offs[i+1]]
		}
		return out.Row(row)
	}
}
