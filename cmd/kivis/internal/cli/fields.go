package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/rows"
	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// fields are the fields of a table's records that a command prints.
type fields struct {
	paths []*codec.FieldPath
	shape *rows.Shape
	offs  []uint32
	row   [][]byte
}

// fieldsOf returns the fields with the names, or where there are none all of the
// table's, in the order of its layout.
func fieldsOf(tb *schema.Table, names []string) (*fields, error) {
	if len(names) == 0 {
		for _, c := range tb.Columns {
			names = append(names, c.Name)
		}
	}
	f := &fields{shape: &rows.Shape{Layout: tb.Layout}}
	for _, name := range names {
		p, err := tb.Layout.Path(strings.TrimSpace(name))
		if err != nil {
			var at *codec.Error
			if errors.As(err, &at) {
				err = at.Err
			}
			return nil, fmt.Errorf("fields: %w", err)
		}
		f.paths = append(f.paths, p)
		f.shape.Columns = append(f.shape.Columns, rows.Column{Name: p.Name, Type: typeOf(p, tb.Layout)})
	}
	return f, nil
}

// typeOf returns the type of a field, which may be nil where a pointer leads to it.
func typeOf(p *codec.FieldPath, l *codec.Layout) *codec.Type {
	for n := range len(p.Inner) {
		if l.TypeAt(p.Column, p.Inner[:n]).Kind == codec.Pointer && !p.Type.Nullable() {
			return &codec.Type{Kind: codec.Pointer, Elem: p.Type}
		}
	}
	return p.Type
}

// values returns the encoded values of the fields of a record, good until the
// next call.
func (f *fields) values(rec kivis.Record) (row [][]byte, err error) {
	f.offs, err = codec.Split(rec.Raw(), len(rec.Table().Columns), f.offs)
	if err != nil {
		return nil, err
	}
	f.row = f.row[:0]
	for _, p := range f.paths {
		v, err := p.Encoded(rec.Raw(), f.offs)
		if err != nil {
			return nil, err
		}
		f.row = append(f.row, v)
	}
	return f.row, nil
}

// write writes the fields of a record.
func (f *fields) write(w rows.Writer, rec kivis.Record) error {
	row, err := f.values(rec)
	if err != nil {
		return err
	}
	return w.Row(row)
}
