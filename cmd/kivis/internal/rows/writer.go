package rows

import (
	"fmt"
	"io"

	"github.com/kivisdb/kivis/internal/cells"
)

// Options say how rows are written.
type Options struct {
	Width int  // of the terminal, which boxes are made to fit; 0 is no limit
	Nanos bool // Parquet: times to the nanosecond, in place of the microsecond
}

// NewWriter returns a Writer of the format to w.
func NewWriter(w io.Writer, f Format, s *Shape, o Options) (Writer, error) {
	switch f {
	case Box:
		return &boxWriter{w: w, shape: s, limit: o.Width}, nil
	case JSON:
		return newJSONWriter(w, s, true), nil
	case JSONL:
		return newJSONWriter(w, s, false), nil
	case CSV:
		return newCSV(w, s, ',')
	case TSV:
		return newCSV(w, s, '\t')
	case Parquet:
		return newParquetWriter(w, s, o.Nanos)
	case Markdown:
		return newMarkdownWriter(w, s)
	}
	return nil, fmt.Errorf("format %q is not written here", f)
}

func newCSV(w io.Writer, s *Shape, comma byte) (Writer, error) {
	columns := make([]cells.Column, len(s.Columns))
	for i, c := range s.Columns {
		columns[i] = cells.Column{Name: c.Name, Type: c.Type}
	}
	return cells.NewCSV(w, comma, s.Layout, columns)
}
