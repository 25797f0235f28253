package cells

import (
	"bytes"
	"io"

	"github.com/kivisdb/kivis/codec"
)

// Nil is what stands for nil in a CSV file.
const Nil = `\N`

// LikeNil reports whether a text is one or more backslashes and an N: what in a
// CSV file has one backslash more, so that it is not taken for nil.
func LikeNil(text []byte) bool {
	n := len(text)
	return n > 1 && text[n-1] == 'N' && len(bytes.Trim(text[:n-1], `\`)) == 0
}

// CSV writes rows of values as a CSV file: a line of names, then a line each. Nil
// is \N. All else is as in RFC 4180, but for lines that end in a newline alone.
type CSV struct {
	w      io.Writer
	comma  byte
	layout *codec.Layout
	types  []*codec.Type
	buf    []byte
	cell   []byte
}

// Column is a column of a CSV file.
type Column struct {
	Name string
	Type *codec.Type
}

// NewCSV writes the names of the columns to w, and returns a CSV that writes rows
// of their values in the layout. Cells are separated by comma.
func NewCSV(w io.Writer, comma byte, l *codec.Layout, columns []Column) (*CSV, error) {
	c := &CSV{w: w, comma: comma, layout: l, types: make([]*codec.Type, len(columns))}
	for i, col := range columns {
		c.types[i] = col.Type
		c.append(i, []byte(col.Name), false)
	}
	return c, c.end()
}

// Row writes one line, of the encoded value of each column.
func (c *CSV) Row(values [][]byte) error {
	for i, v := range values {
		text, isNil, err := Append(c.cell[:0], c.layout, c.types[i], v)
		if err != nil {
			c.buf = c.buf[:0]
			return err
		}
		c.cell = text
		c.append(i, text, isNil)
	}
	return c.end()
}

// append appends the cell of a column to the line.
func (c *CSV) append(i int, text []byte, isNil bool) {
	if i > 0 {
		c.buf = append(c.buf, c.comma)
	}
	switch {
	case isNil:
		c.buf = append(c.buf, Nil...)
	case LikeNil(text):
		c.buf = append(append(c.buf, '\\'), text...)
	case len(text) == 0 && len(c.types) == 1, bytes.IndexByte(text, c.comma) >= 0, bytes.ContainsAny(text, "\"\r\n"):
		c.buf = append(c.buf, '"')
		c.buf = append(c.buf, bytes.ReplaceAll(text, []byte(`"`), []byte(`""`))...)
		c.buf = append(c.buf, '"')
	default:
		c.buf = append(c.buf, text...)
	}
}

func (c *CSV) end() error {
	c.buf = append(c.buf, '\n')
	_, err := c.w.Write(c.buf)
	c.buf = c.buf[:0]
	return err
}

// Close does nothing: a CSV keeps nothing back.
func (c *CSV) Close() error { return nil }
