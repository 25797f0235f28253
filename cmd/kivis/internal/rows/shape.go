// Package rows writes rows of values in the forms that the command line offers:
// boxes for people, JSON, CSV, Markdown and Parquet for programs.
//
// A row is its values as Kivis stores them. So one writer serves records, fields
// of records and what a command has to tell, and none loses anything of a value.
package rows

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kivisdb/kivis/codec"
)

// Shape is what the values of rows mean.
type Shape struct {
	Layout  *codec.Layout // has the nested structs that types refer to
	Columns []Column
	Plain   bool // a box has no types under the names
}

// Column is a column of rows.
type Column struct {
	Name string
	Type *codec.Type
	Raw  bool // its texts are JSON already
}

// Of returns the shape of the fields of a layout.
func Of(l *codec.Layout) *Shape {
	s := &Shape{Layout: l, Columns: make([]Column, len(l.Fields))}
	for i := range l.Fields {
		s.Columns[i] = Column{Name: l.Fields[i].Name, Type: &l.Fields[i].Type}
	}
	return s
}

// Values returns values of Go as a row: such as codec.Layout.AppendValue takes,
// one for each column.
func (s *Shape) Values(values ...any) ([][]byte, error) {
	row := make([][]byte, len(s.Columns))
	for i, c := range s.Columns {
		var err error
		if row[i], err = s.Layout.AppendValue(nil, c.Type, values[i]); err != nil {
			return nil, err
		}
	}
	return row, nil
}

// TypeText returns a stored type in the words of a program.
func TypeText(t *codec.Type, l *codec.Layout) string {
	return typeText(t, l, 0)
}

func typeText(t *codec.Type, l *codec.Layout, depth int) string {
	switch t.Kind {
	case codec.Pointer:
		return "*" + typeText(t.Elem, l, depth)
	case codec.Slice:
		return "[]" + typeText(t.Elem, l, depth)
	case codec.Array:
		return "[" + strconv.Itoa(t.Len) + "]" + typeText(t.Elem, l, depth)
	case codec.Map:
		return "map[" + typeText(t.Key, l, depth) + "]" + typeText(t.Elem, l, depth)
	case codec.Bytes:
		return "[]byte"
	case codec.Time:
		return "time"
	case codec.Struct:
		return structText(l.Structs[t.Struct], l, depth)
	case codec.Binary, codec.Text, codec.Custom, codec.JSON:
		if t.Name != "" {
			return t.Name
		}
	}
	return t.String()
}

// structText returns the fields of a struct, or dots for one inside of others,
// which may be itself.
func structText(fields []codec.Field, l *codec.Layout, depth int) string {
	if depth > 1 {
		return "struct{…}"
	}
	parts := make([]string, len(fields))
	for i := range fields {
		parts[i] = fields[i].Name + " " + typeText(&fields[i].Type, l, depth+1)
	}
	return "struct{" + strings.Join(parts, "; ") + "}"
}

// label is the type of a column as it stands under its name: a struct without
// its fields, which may be many.
func label(t *codec.Type, l *codec.Layout) string { return typeText(t, l, 2) }

// plain returns the type without the pointers around it.
func plain(t *codec.Type) *codec.Type {
	for t.Kind == codec.Pointer {
		t = t.Elem
	}
	return t
}

// Writer takes rows.
type Writer interface {
	// Row writes one row, the encoded value of each column, which the writer does
	// not keep.
	Row(values [][]byte) error
	// Close writes what is still to be written. It does not close what the
	// Writer writes to.
	Close() error
}

// Format is a form of rows.
type Format string

// The formats.
const (
	Box      Format = "box"
	JSON     Format = "json"
	JSONL    Format = "jsonl"
	CSV      Format = "csv"
	TSV      Format = "tsv"
	Markdown Format = "markdown"
	Parquet  Format = "parquet"
)

// UnmarshalText sets the format to the one with the name.
func (f *Format) UnmarshalText(text []byte) error {
	switch Format(text) {
	case Box, JSON, JSONL, CSV, TSV, Markdown, Parquet:
		*f = Format(text)
		return nil
	}
	return fmt.Errorf("there is no format %q; there are box, json, jsonl, csv, tsv, markdown, parquet", text)
}

// FormatOf returns the format that a file's name asks for.
func FormatOf(name string) (Format, error) {
	for ext, f := range map[string]Format{
		".json": JSON, ".jsonl": JSONL, ".ndjson": JSONL, ".csv": CSV, ".tsv": TSV, ".md": Markdown, ".parquet": Parquet,
	} {
		if strings.HasSuffix(strings.ToLower(name), ext) {
			return f, nil
		}
	}
	return "", fmt.Errorf("the name %q does not say which format the file has; end it in .csv, .tsv, .jsonl, .json, .md or .parquet, or use --format", name)
}
