package studio

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/codec"
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
	out := csv.NewWriter(w)
	line := make([]string, len(tb.Columns))
	for i := range tb.Columns {
		line[i] = tb.Columns[i].Name
	}
	err := out.Write(line)
	out.Flush()
	return func(rec kivis.Record) error {
		if err != nil {
			return err
		}
		t := rec.Table()
		offs, err := codec.Split(rec.Raw(), len(t.Columns), nil)
		if err != nil {
			return err
		}
		for i := range line {
			if line[i], err = csvValue(t.Layout, &t.Layout.Fields[i].Type, rec.Raw()[offs[i]:offs[i+1]]); err != nil {
				return err
			}
		}
		if err := out.Write(line); err != nil {
			return err
		}
		out.Flush()
		return out.Error()
	}
}

// escaped is a text that would be taken for nil, or for another such text.
var escaped = regexp.MustCompile(`^\\+N$`)

// csvValue returns a value as CSV has it: nil is \N, texts, times and bytes are
// as in JSON without the quotes, all else is JSON.
func csvValue(l *codec.Layout, t *codec.Type, value []byte) (string, error) {
	text, err := l.AppendJSON(nil, t, value)
	switch {
	case err != nil:
		return "", err
	case string(text) == "null":
		return `\N`, nil
	case t.Kind == codec.Any || text[0] != '"':
		return string(text), nil
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return "", err
	}
	if escaped.MatchString(s) {
		s = `\` + s
	}
	return s, nil
}
