package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// csvReader reads records from CSV: a line of column names, then a line each.
type csvReader struct {
	scan  *csvScanner
	names []string
	types []*codec.Type
	n     int
}

func newCSVReader(f io.Reader, comma byte, tb *schema.Table) (*csvReader, error) {
	r := &csvReader{scan: newCSVScanner(f, comma)}
	switch err := r.scan.next(); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty; want a line with the names of the columns")
	case err != nil:
		return nil, fmt.Errorf("line 1: %w", err)
	}
	for _, cell := range r.scan.cells {
		r.names = append(r.names, string(cell))
	}
	var err error
	r.types, err = typesOf(r.names, tb)
	return r, err
}

// typesOf returns the types of a table's columns with the names. Each must be
// one, and be there once.
func typesOf(names []string, tb *schema.Table) ([]*codec.Type, error) {
	seen := make(map[string]bool)
	types := make([]*codec.Type, len(names))
	for i, name := range names {
		at, ok := tb.Column(name)
		switch {
		case !ok:
			_, err := tb.Layout.Path(name)
			var at *codec.Error
			if errors.As(err, &at) {
				err = at.Err
			} else if err == nil {
				err = errors.New("it is nested in a column: give that as JSON")
			}
			return nil, fmt.Errorf("column %d of the file is %q: %w", i+1, name, err)
		case seen[name]:
			return nil, fmt.Errorf("the file has the column %q twice", name)
		}
		seen[name] = true
		types[i] = &tb.Columns[at].Type
	}
	return types, nil
}

func (r *csvReader) Columns() []string { return r.names }

// Next reads a record. Empty lines are passed over, unless there is one column, of
// which such a line is an empty text.
func (r *csvReader) Next() (Item, error) {
	err := r.scan.next()
	for err == nil && len(r.names) > 1 && len(bytes.TrimSuffix(r.scan.raw, []byte("\r"))) == 0 {
		err = r.scan.next()
	}
	var bad *cellError
	if err != nil && !errors.As(err, &bad) {
		return Item{}, err
	}
	r.n++
	item := Item{Number: r.n, Line: r.scan.line, End: r.scan.end, Raw: bytes.Clone(r.scan.raw), Err: err}
	if bad == nil {
		item.JSON, item.Err = r.object()
	}
	return item, nil
}

// object returns the cells that were read as a JSON object.
func (r *csvReader) object() ([]byte, error) {
	cells := r.scan.cells
	if len(cells) != len(r.names) {
		return nil, fmt.Errorf("there are %d cells, want %d, as in the first line", len(cells), len(r.names))
	}
	b := make([]byte, 0, 2*len(r.scan.raw)+16*len(cells))
	for i, cell := range cells {
		b = append(b, ",{"[bit(i == 0)])
		b = append(appendQuoted(b, r.names[i]), ':')
		b = appendCell(b, r.types[i], cell)
	}
	return append(b, '}'), nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
