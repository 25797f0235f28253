package files

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// parquetReader reads records from a Parquet file, whose columns are scalars.
type parquetReader struct {
	file  *parquet.File
	size  int64
	names []string
	cols  []ParquetColumn
	types []*codec.Type // of the table's columns

	groups []parquet.RowGroup
	rows   parquet.Rows
	buf    []parquet.Row
	left   []parquet.Row
	n      int
}

// ParquetColumn is a column of a Parquet file.
type ParquetColumn struct {
	Name     string
	Optional bool
	Kind     parquet.Kind
	Length   int // of arrays of bytes
	Logical  format.LogicalTypeValue
}

// OpenParquet opens a Parquet file and returns its columns.
func OpenParquet(f *os.File) (*parquet.File, []ParquetColumn, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	file, err := parquet.OpenFile(f, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, nil, err
	}
	var cols []ParquetColumn
	for _, field := range file.Schema().Fields() {
		if !field.Leaf() || field.Repeated() {
			return nil, nil, fmt.Errorf("the column %q has values inside of others: %s; only plain columns are read", field.Name(), field)
		}
		col := ParquetColumn{Name: field.Name(), Optional: field.Optional(), Kind: field.Type().Kind(), Length: field.Type().Length()}
		if lt := field.Type().LogicalType(); lt != nil {
			col.Logical = lt.Value
		}
		cols = append(cols, col)
	}
	return file, cols, nil
}

func newParquetReader(f *os.File, tb *schema.Table) (*parquetReader, error) {
	file, cols, err := OpenParquet(f)
	if err != nil {
		return nil, err
	}
	r := &parquetReader{file: file, size: file.Size(), cols: cols, groups: file.RowGroups(), buf: make([]parquet.Row, 64)}
	for _, c := range cols {
		r.names = append(r.names, c.Name)
	}
	r.types, err = typesOf(r.names, tb)
	return r, err
}

func (r *parquetReader) Columns() []string { return r.names }

// Next returns the next row. Its End is that of the file: the rows of a Parquet
// file have no place of their own.
func (r *parquetReader) Next() (Item, error) {
	for len(r.left) == 0 {
		if err := r.fill(); err != nil {
			return Item{}, err
		}
	}
	row := r.left[0]
	r.left = r.left[1:]
	r.n++
	item := Item{Number: r.n, End: r.size}
	item.JSON, item.Err = r.object(row)
	return item, nil
}

// fill reads more rows.
func (r *parquetReader) fill() error {
	if r.rows == nil {
		if len(r.groups) == 0 {
			return io.EOF
		}
		r.rows, r.groups = r.groups[0].Rows(), r.groups[1:]
	}
	n, err := r.rows.ReadRows(r.buf)
	r.left = r.buf[:n]
	if errors.Is(err, io.EOF) {
		err = r.rows.Close()
		r.rows = nil
	}
	return err
}

// object returns a row as a JSON object.
func (r *parquetReader) object(row parquet.Row) (b []byte, err error) {
	b = append(b, '{')
	for i, v := range row {
		if i > 0 {
			b = append(b, ',')
		}
		at := v.Column()
		b = append(appendQuoted(b, r.names[at]), ':')
		if b, err = r.cols[at].appendJSON(b, v, r.types[at]); err != nil {
			return nil, fmt.Errorf("%s: %w", r.names[at], err)
		}
	}
	return append(b, '}'), nil
}

// appendJSON appends a value of the column as the JSON that a column of the type
// takes.
func (c *ParquetColumn) appendJSON(dst []byte, v parquet.Value, t *codec.Type) ([]byte, error) {
	for t.Kind == codec.Pointer {
		t = t.Elem
	}
	if v.IsNull() {
		return append(dst, "null"...), nil
	}
	switch c.Kind {
	case parquet.Boolean:
		return strconv.AppendBool(dst, v.Boolean()), nil
	case parquet.Int32, parquet.Int64:
		return c.appendInteger(dst, v, t)
	case parquet.Int96:
		return append(timeOf96(v.Int96()).AppendFormat(append(dst, '"'), time.RFC3339Nano), '"'), nil
	case parquet.Float:
		return appendFloat(dst, float64(v.Float()), 32), nil
	case parquet.Double:
		return appendFloat(dst, v.Double(), 64), nil
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return c.appendBytes(dst, v.ByteArray(), t)
	}
	return dst, fmt.Errorf("values of the type %v are not read", c.Kind)
}

func (c *ParquetColumn) appendInteger(dst []byte, v parquet.Value, t *codec.Type) ([]byte, error) {
	n := v.Int64()
	if c.Kind == parquet.Int32 {
		n = int64(v.Int32())
	}
	switch l := c.Logical.(type) {
	case *format.TimestampType:
		return append(timeOf(n, &l.Unit).AppendFormat(append(dst, '"'), time.RFC3339Nano), '"'), nil
	case *format.DateType:
		return append(time.Unix(n*86400, 0).UTC().AppendFormat(append(dst, '"'), time.RFC3339), '"'), nil
	case *format.TimeType:
		return strconv.AppendInt(dst, int64(timeOf(n, &l.Unit).Sub(time.Unix(0, 0))), 10), nil
	case *format.DecimalType:
		return appendDecimal(dst, big.NewInt(n), l, t)
	case *format.IntType:
		if !l.IsSigned && c.Kind == parquet.Int32 {
			return strconv.AppendUint(dst, uint64(uint32(n)), 10), nil
		} else if !l.IsSigned {
			return strconv.AppendUint(dst, uint64(n), 10), nil
		}
	}
	return strconv.AppendInt(dst, n, 10), nil
}

// timeOf returns the time so many units after 1970.
func timeOf(n int64, unit *format.TimeUnit) time.Time {
	switch unit.Value.(type) {
	case *format.MilliSeconds:
		return time.UnixMilli(n).UTC()
	case *format.MicroSeconds:
		return time.UnixMicro(n).UTC()
	}
	return time.Unix(0, n).UTC()
}

// timeOf96 returns the time that Spark, Hive and Impala wrote before there were
// timestamps: the nanosecond of a day, and the day by the Julian calendar.
func timeOf96(v deprecated.Int96) time.Time {
	const day1970 = 2440588
	nanos := int64(uint64(v[1])<<32 | uint64(v[0]))
	return time.Unix((int64(v[2])-day1970)*86400, nanos).UTC()
}

func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case f != f:
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, bits)
}

func (c *ParquetColumn) appendBytes(dst, b []byte, t *codec.Type) ([]byte, error) {
	if d, ok := c.Logical.(*format.DecimalType); ok {
		return appendDecimal(dst, twosComplement(b), d, t)
	}
	switch t.Kind {
	case codec.Bytes, codec.ByteArray, codec.Binary, codec.Custom:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"'), nil
	case codec.Slice, codec.Array, codec.Map, codec.Struct, codec.Any:
		if json.Valid(b) {
			return append(dst, b...), nil
		}
	}
	return appendQuoted(dst, string(b)), nil
}
