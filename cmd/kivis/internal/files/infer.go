package files

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/kivisdb/kivis/cmd/kivis/internal/rows"
	"github.com/kivisdb/kivis/internal/cells"
)

// Guess is what the values of a column of a file seem to be.
type Guess struct {
	Name   string
	Type   string // in Go
	Nil    int    // how many are missing
	Unique bool   // no two are equal, and none is missing
}

// Infer reads a file and returns what its columns seem to be, and how many
// records it has.
func Infer(f *os.File, format rows.Format) ([]Guess, int, error) {
	switch format {
	case rows.CSV:
		return inferCSV(f, ',')
	case rows.TSV:
		return inferCSV(f, '\t')
	case rows.JSON, rows.JSONL:
		return inferJSON(newJSONReader(f, format == rows.JSONL))
	case rows.Parquet:
		return inferParquet(f)
	}
	return nil, 0, fmt.Errorf("columns are not read from the format %s; they are from csv, tsv, json, jsonl and parquet", format)
}

// kinds are types that values may have, the most special first.
type kinds uint8

const (
	boolKind kinds = 1 << iota
	intKind
	floatKind
	timeKind
	allKinds = boolKind | intKind | floatKind | timeKind
)

// column collects what the values of a column are.
type column struct {
	name   string
	could  kinds // be
	texts  bool  // some is a text that is none of these
	nested bool
	n      int
	seen   map[uint64]bool // hashes of values; nil once two were equal
}

var seed = maphash.MakeSeed()

// saw notes a value that is not nil.
func (c *column) saw(s string, could kinds) {
	if c.n == 0 {
		c.could = allKinds
	}
	c.n++
	c.could &= could
	if c.seen == nil && c.n > 1 {
		return
	}
	if c.seen == nil {
		c.seen = make(map[uint64]bool)
	}
	h := maphash.String(seed, s)
	if c.seen[h] {
		c.seen = nil
		return
	}
	c.seen[h] = true
}

// guess returns what the column is, of a file with so many records.
func (c *column) guess(records int) Guess {
	g := Guess{Name: c.name, Type: "string", Nil: records - c.n, Unique: c.seen != nil && c.n == records}
	switch {
	case c.nested:
		g.Type, g.Nil = "any", 0
	case c.n == 0:
	case c.could&boolKind != 0:
		g.Type = "bool"
	case c.could&intKind != 0:
		g.Type = "int64"
	case c.could&floatKind != 0:
		g.Type = "float64"
	case c.could&timeKind != 0:
		g.Type = "time.Time"
	}
	return g
}

// kindsOf returns what a text could be.
func kindsOf(s string) (k kinds) {
	if l := strings.ToLower(s); l == "true" || l == "false" {
		k |= boolKind
	}
	if _, err := strconv.ParseInt(s, 10, 64); err == nil && (s == "0" || s[0] != '0') {
		k |= intKind
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil && !strings.ContainsAny(s, "xXpP_") && (len(s) < 2 || s[0] != '0' || s[1] == '.') {
		k |= floatKind
	}
	if _, err := time.Parse(time.RFC3339, timeText(s)); err == nil {
		k |= timeKind
	}
	return k
}

func inferCSV(f *os.File, comma byte) ([]Guess, int, error) {
	scan := newCSVScanner(f, comma)
	if err := scan.next(); err != nil {
		return nil, 0, fmt.Errorf("the names of the columns, in the first line: %w", err)
	}
	cols := make([]*column, len(scan.cells))
	for i, cell := range scan.cells {
		for _, c := range cols[:i] {
			if c.name == string(cell) {
				return nil, 0, fmt.Errorf("the file has the column %q twice", c.name)
			}
		}
		cols[i] = &column{name: string(cell)}
	}
	empty := make([]int, len(cols))
	for n := 0; ; n++ {
		err := scan.next()
		if errors.Is(err, io.EOF) {
			return guesses(cols, n), n, nil
		}
		if err == nil && len(scan.cells) != len(cols) {
			err = fmt.Errorf("there are %d cells, want %d, as in the first line", len(scan.cells), len(cols))
		}
		if err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", scan.line, err)
		}
		for i, cell := range scan.cells {
			cols[i].cell(cell, &empty[i])
		}
	}
}

// cell notes a cell of CSV. Empty ones are missing, unless others are texts, which
// these are then, too.
func (c *column) cell(cell []byte, empty *int) {
	s := string(cell)
	switch {
	case s == cells.Nil:
	case s == "":
		if *empty++; c.texts {
			c.saw(s, 0)
		}
	default:
		k := kindsOf(s)
		if c.saw(s, k); c.could == 0 && !c.texts {
			c.texts = true
			for range *empty {
				c.saw("", 0)
			}
		}
	}
}

func guesses(cols []*column, records int) []Guess {
	list := make([]Guess, len(cols))
	for i, c := range cols {
		list[i] = c.guess(records)
	}
	return list
}

func inferJSON(r *jsonReader) ([]Guess, int, error) {
	var cols []*column
	byName := make(map[string]*column)
	for n := 0; ; n++ {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			return guesses(cols, n), n, nil
		}
		if err == nil {
			err = eachMember(item.JSON, func(name string, value json.RawMessage) {
				c := byName[name]
				if c == nil {
					c = &column{name: name}
					byName[name], cols = c, append(cols, c)
				}
				c.value(value)
			})
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", item.Where(), err)
		}
	}
}

// value notes a value of JSON.
func (c *column) value(v json.RawMessage) {
	var s string
	switch {
	case string(v) == "null":
	case v[0] == '{' || v[0] == '[':
		c.nested = true
	case json.Unmarshal(v, &s) == nil:
		c.saw(s, kindsOf(s)&timeKind)
	default:
		c.saw(string(v), kindsOf(string(v)))
	}
}

// eachMember calls fn for each member of an object, in order.
func eachMember(text []byte, fn func(name string, value json.RawMessage)) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(err, errors.New("it is no object of JSON"))
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return err
		}
		fn(name.(string), v)
	}
	return nil
}

func inferParquet(f *os.File) ([]Guess, int, error) {
	file, cols, err := OpenParquet(f)
	if err != nil {
		return nil, 0, err
	}
	all := make([]*column, len(cols))
	for i, c := range cols {
		all[i] = &column{name: c.Name}
	}
	r := &parquetReader{file: file, groups: file.RowGroups(), buf: make([]parquet.Row, 64)}
	for {
		switch err := r.fill(); {
		case errors.Is(err, io.EOF):
			list := guesses(all, int(file.NumRows()))
			for i := range list {
				list[i].Type = cols[i].goType()
			}
			return list, int(file.NumRows()), nil
		case err != nil:
			return nil, 0, err
		}
		for _, row := range r.left {
			for _, v := range row {
				if !v.IsNull() {
					all[v.Column()].saw(v.String(), 0)
				}
			}
		}
	}
}

// goType returns the type of Go that has the values of the column.
func (c *ParquetColumn) goType() string {
	switch l := c.Logical.(type) {
	case *format.TimestampType, *format.DateType:
		return "time.Time"
	case *format.TimeType:
		return "time.Duration"
	case *format.StringType, *format.EnumType, *format.DecimalType: // a float would round decimals
		return "string"
	case *format.JsonType:
		return "any"
	case *format.UUIDType:
		return "[16]byte"
	case *format.IntType:
		if l.IsSigned {
			return "int" + strconv.Itoa(int(l.BitWidth))
		}
		return "uint" + strconv.Itoa(int(l.BitWidth))
	}
	switch c.Kind {
	case parquet.Boolean:
		return "bool"
	case parquet.Int96:
		return "time.Time"
	case parquet.Int32:
		return "int32"
	case parquet.Int64:
		return "int64"
	case parquet.Float:
		return "float32"
	case parquet.Double:
		return "float64"
	case parquet.FixedLenByteArray:
		return "[" + strconv.Itoa(c.Length) + "]byte"
	}
	return "[]byte"
}
