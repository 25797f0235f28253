package files

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// csvScanner reads lines of CSV, as RFC 4180 has them. Package encoding/csv makes
// newlines of a carriage return and a newline inside of quotes, and skips lines
// that are empty, which a record of one empty text is; here all is as it is
// written, but for what ends a line.
type csvScanner struct {
	r     *bufio.Reader
	comma byte
	line  int      // of the record's beginning
	lines int      // that have been read
	end   int64    // bytes that have been read
	cells [][]byte // of the record; they share the memory of raw's copy
	raw   []byte
	buf   []byte
	open  bool // what was read ends inside of quotes: the record goes on in the next line
}

// maxRecord bounds one record of a file: more is a quote that does not end.
const maxRecord = 64 << 20

func newCSVScanner(r io.Reader, comma byte) *csvScanner {
	s := &csvScanner{r: bufio.NewReaderSize(r, 1<<16), comma: comma}
	if mark, err := s.r.Peek(3); err == nil && string(mark) == "\ufeff" {
		s.r.Discard(3)
		s.end = 3
	}
	return s
}

// cellError is a record that is no CSV. The next one can be read.
type cellError struct{ err error }

func (e *cellError) Error() string { return e.err.Error() }

// next reads a record into cells and raw, both good until the next call. The
// error is io.EOF at the end, and a *cellError for a record that is none.
func (s *csvScanner) next() error {
	s.raw, s.line, s.open = s.raw[:0], s.lines+1, false
	for {
		line, err := s.r.ReadSlice('\n')
		s.raw = append(s.raw, line...)
		s.end += int64(len(line))
		s.open = s.open != (bytes.Count(line, []byte{'"'})%2 == 1)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return err
		case err != nil && len(s.raw) == 0:
			return io.EOF
		}
		s.lines++
		if s.open && err == nil && len(s.raw) < maxRecord {
			continue
		}
		return s.split()
	}
}

// split splits the record into cells.
func (s *csvScanner) split() error {
	s.raw = bytes.TrimSuffix(s.raw, []byte("\n"))
	rest := bytes.TrimSuffix(s.raw, []byte("\r"))
	s.cells, s.buf = s.cells[:0], s.buf[:0]
	for {
		cell, after, err := s.cell(rest)
		if err != nil {
			return &cellError{fmt.Errorf("cell %d %w", len(s.cells)+1, err)}
		}
		s.cells = append(s.cells, cell)
		if len(after) == 0 {
			return nil
		}
		rest = after[1:]
	}
}

// cell takes a cell off the beginning of a line. What is left is nothing, or
// begins with a comma.
func (s *csvScanner) cell(line []byte) (cell, rest []byte, err error) {
	if len(line) == 0 || line[0] != '"' {
		end := bytes.IndexByte(line, s.comma)
		if end < 0 {
			end = len(line)
		}
		if bytes.IndexByte(line[:end], '"') >= 0 {
			return nil, nil, errors.New(`has a quotation mark, and does not begin with one: a text with quotation marks stands in them, each inside twice`)
		}
		return line[:end], line[end:], nil
	}
	from := len(s.buf)
	for line = line[1:]; ; {
		end := bytes.IndexByte(line, '"')
		if end < 0 {
			return nil, nil, errors.New("begins with a quotation mark and has none at its end")
		}
		s.buf = append(s.buf, line[:end]...)
		line = line[end+1:]
		if len(line) == 0 || line[0] != '"' {
			break
		}
		s.buf = append(s.buf, '"')
		line = line[1:]
	}
	if len(line) > 0 && line[0] != s.comma {
		return nil, nil, fmt.Errorf("has %q behind its closing quotation mark; want the end or %q", line[:1], s.comma)
	}
	return s.buf[from:], line, nil
}
