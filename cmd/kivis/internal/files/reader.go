// Package files reads records from files: CSV, JSON, JSON Lines and Parquet.
package files

import (
	"fmt"
	"io"
	"os"

	"github.com/kivisdb/kivis/cmd/kivis/internal/rows"
	"github.com/kivisdb/kivis/schema"
)

// Item is one record of a file.
type Item struct {
	Number int    // from 1
	Line   int    // where it begins, from 1; 0 where the file has no lines
	End    int64  // the bytes of the file up to its end
	JSON   []byte // the record as an object; the Item's own
	Raw    []byte // the record as the file has it, where that is another text
	Err    error  // why it is none; the next record can be read all the same
}

// Where returns the place of the record, for a message.
func (i *Item) Where() string {
	if i.Line == 0 {
		return fmt.Sprintf("record %d", i.Number)
	}
	return fmt.Sprintf("line %d", i.Line)
}

// Reader reads the records of a file, one after the other.
type Reader interface {
	// Next returns the next record, or io.EOF. Other errors end the reading.
	Next() (Item, error)
	// Columns returns the names of the file's columns, or nil where each record
	// has its own.
	Columns() []string
}

// FormatOf returns the format that a file's name says it has.
func FormatOf(name string) (rows.Format, error) {
	f, err := rows.FormatOf(name)
	if err != nil || f == rows.Markdown {
		return "", fmt.Errorf("the name %q does not say which format the file has, of those that are read: .csv, .tsv, .jsonl, .json and .parquet; use --format", name)
	}
	return f, nil
}

// NewReader returns a Reader of a file for the records of a table. Parquet needs a
// file that can be read anywhere, *os.File.
func NewReader(f io.Reader, format rows.Format, tb *schema.Table) (Reader, error) {
	switch format {
	case rows.CSV:
		return newCSVReader(f, ',', tb)
	case rows.TSV:
		return newCSVReader(f, '\t', tb)
	case rows.JSONL, rows.JSON:
		return newJSONReader(f, format == rows.JSONL), nil
	case rows.Parquet:
		file, ok := f.(*os.File)
		if !ok {
			return nil, fmt.Errorf("a Parquet file is read from its end: give the name of a file, not standard input")
		}
		return newParquetReader(file, tb)
	}
	return nil, fmt.Errorf("records are not read from the format %s; they are from csv, tsv, json, jsonl and parquet", format)
}
