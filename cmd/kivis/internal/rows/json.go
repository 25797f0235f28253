package rows

import (
	"encoding/json"
	"io"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/cells"
)

// jsonWriter writes each row as an object, one a line: all of them in an array,
// or as JSON Lines.
type jsonWriter struct {
	w     io.Writer
	shape *Shape
	names [][]byte // of columns, as JSON with a colon
	array bool
	rows  int
	buf   []byte
}

func newJSONWriter(w io.Writer, s *Shape, array bool) *jsonWriter {
	j := &jsonWriter{w: w, shape: s, array: array}
	for _, c := range s.Columns {
		j.names = append(j.names, append(quoteJSON(c.Name), ':'))
	}
	return j
}

// quoteJSON returns a text as JSON.
func quoteJSON(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // unreachable: every string has a form
	}
	return b
}

func (j *jsonWriter) Row(values [][]byte) (err error) {
	b := j.buf[:0]
	if j.array {
		b = append(b, j.between()...)
	}
	b = append(b, '{')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, j.names[i]...)
		if b, err = j.value(b, &j.shape.Columns[i], v); err != nil {
			return err
		}
	}
	b = append(b, '}')
	if !j.array {
		b = append(b, '\n')
	}
	j.rows++
	j.buf = b
	_, err = j.w.Write(b)
	return err
}

func (j *jsonWriter) value(dst []byte, c *Column, v []byte) ([]byte, error) {
	if c.Raw && !codec.IsNil(v) {
		dst, _, err := cells.Append(dst, j.shape.Layout, c.Type, v)
		return dst, err
	}
	return j.shape.Layout.AppendJSON(dst, c.Type, v)
}

// between returns what stands before a row of an array.
func (j *jsonWriter) between() string {
	if j.rows == 0 {
		return "[\n"
	}
	return ",\n"
}

func (j *jsonWriter) Close() error {
	end := ""
	switch {
	case j.array && j.rows == 0:
		end = "[]\n"
	case j.array:
		end = "\n]\n"
	}
	_, err := io.WriteString(j.w, end)
	return err
}
