package rows

import (
	"bytes"
	"io"
)

// Nil is what stands for nil in a CSV file.
const Nil = `\N`

// csvWriter writes rows as CSV: a line of names, then a line each. Nil is \N, and
// a text that would be taken for it, backslashes and an N, gets one backslash
// more. All else is as in RFC 4180, but for lines that end in a newline alone.
type csvWriter struct {
	w     io.Writer
	shape *Shape
	comma byte
	buf   []byte
	cell  []byte
}

func newCSVWriter(w io.Writer, s *Shape, comma byte) (*csvWriter, error) {
	c := &csvWriter{w: w, shape: s, comma: comma}
	for i, col := range s.Columns {
		c.append(i, []byte(col.Name), false)
	}
	return c, c.end()
}

func (c *csvWriter) Row(values [][]byte) error {
	for i, v := range values {
		text, isNil, err := appendText(c.cell[:0], c.shape.Layout, c.shape.Columns[i].Type, v)
		if err != nil {
			return err
		}
		c.cell = text
		c.append(i, text, isNil)
	}
	return c.end()
}

// append appends the cell of a column to the line.
func (c *csvWriter) append(i int, text []byte, isNil bool) {
	if i > 0 {
		c.buf = append(c.buf, c.comma)
	}
	switch {
	case isNil:
		c.buf = append(c.buf, Nil...)
	case LikeNil(text):
		c.buf = append(append(c.buf, '\\'), text...)
	case len(text) == 0 && len(c.shape.Columns) == 1, bytes.IndexByte(text, c.comma) >= 0, bytes.ContainsAny(text, "\"\r\n"):
		c.buf = append(c.buf, '"')
		c.buf = append(c.buf, bytes.ReplaceAll(text, []byte(`"`), []byte(`""`))...)
		c.buf = append(c.buf, '"')
	default:
		c.buf = append(c.buf, text...)
	}
}

func (c *csvWriter) end() error {
	c.buf = append(c.buf, '\n')
	_, err := c.w.Write(c.buf)
	c.buf = c.buf[:0]
	return err
}

func (c *csvWriter) Close() error { return nil }

// LikeNil reports whether a text is one or more backslashes and an N.
func LikeNil(text []byte) bool {
	n := len(text)
	return n > 1 && text[n-1] == 'N' && len(bytes.Trim(text[:n-1], `\`)) == 0
}
