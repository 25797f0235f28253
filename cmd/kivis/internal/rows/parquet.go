package rows

import (
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"github.com/kivisdb/kivis/codec"
)

// parquetBatch is how many rows go to the Parquet writer at once, and
// parquetGroup how many a row group has at most.
const (
	parquetBatch = 256
	parquetGroup = 100_000
)

// parquetWriter writes rows as Parquet, the columns in their order: scalars as
// what they are, values with others inside as JSON.
type parquetWriter struct {
	w     *parquet.GenericWriter[any]
	shape *Shape
	cols  []parquetColumn
	rows  []parquet.Row
	cells []parquet.Value // of all rows of a batch
	n     int
}

// parquetColumn is a column as Parquet has it.
type parquetColumn struct {
	name     string
	optional bool
	typ      *codec.Type // without pointers
	value    func(v any) (parquet.Value, error)
	json     bool
}

func newParquetWriter(w io.Writer, s *Shape, nanos bool) (*parquetWriter, error) {
	p := &parquetWriter{shape: s}
	group, order := parquet.Group{}, make([]string, len(s.Columns))
	for i, c := range s.Columns {
		node, col := parquetNode(c, nanos)
		if col.optional {
			node = parquet.Optional(node)
		}
		if group[c.Name] != nil {
			return nil, fmt.Errorf("a Parquet file cannot have the column %q twice", c.Name)
		}
		group[c.Name], order[i] = parquet.Compressed(node, &parquet.Zstd), c.Name
		p.cols = append(p.cols, col)
	}
	schema := parquet.NewSchema("records", orderedGroup(group, order))
	p.w = parquet.NewGenericWriter[any](w, schema, parquet.MaxRowsPerRowGroup(parquetGroup), parquet.PageBufferSize(64<<10),
		parquet.CreatedBy("github.com/kivisdb/kivis", "1", ""))
	return p, nil
}

// ordered is a group whose fields have the order that they were given, and not
// that of their names.
type ordered struct {
	parquet.Group
	fields []parquet.Field
}

func (o ordered) Fields() []parquet.Field { return o.fields }

func orderedGroup(g parquet.Group, order []string) ordered {
	o := ordered{Group: g, fields: make([]parquet.Field, len(order))}
	for _, f := range g.Fields() {
		for i, name := range order {
			if name == f.Name() {
				o.fields[i] = f
			}
		}
	}
	return o
}

func (p *parquetWriter) Row(values [][]byte) error {
	if p.cells == nil {
		p.cells = make([]parquet.Value, parquetBatch*len(values))
	}
	at := len(p.rows) * len(values)
	row := parquet.Row(p.cells[at : at+len(values) : at+len(values)])
	for i := range p.cols {
		v, err := p.cols[i].of(p.shape, i, values[i])
		if err != nil {
			return fmt.Errorf("row %d, %s: %w", p.n+1, p.cols[i].name, err)
		}
		level := 0
		if p.cols[i].optional && !v.IsNull() {
			level = 1
		}
		row[i] = v.Level(0, level, i)
	}
	p.n++
	if p.rows = append(p.rows, row); len(p.rows) < parquetBatch {
		return nil
	}
	return p.flush()
}

func (p *parquetWriter) flush() error {
	_, err := p.w.WriteRows(p.rows)
	p.rows = p.rows[:0]
	return err
}

func (p *parquetWriter) Close() error {
	if err := p.flush(); err != nil {
		return err
	}
	return p.w.Close()
}

// of returns an encoded value of the column.
func (c *parquetColumn) of(s *Shape, i int, value []byte) (parquet.Value, error) {
	t := s.Columns[i].Type
	if c.optional && codec.IsNil(value) {
		return parquet.NullValue(), nil
	}
	if c.json {
		b, err := s.Layout.AppendJSON(nil, t, value)
		return parquet.ByteArrayValue(b), err
	}
	v, err := s.Layout.Value(t, value)
	if err != nil {
		return parquet.Value{}, err
	}
	return c.value(v)
}

// parquetNode returns how a column is stored.
func parquetNode(c Column, nanos bool) (parquet.Node, parquetColumn) {
	t := plain(c.Type)
	col := parquetColumn{name: c.Name, typ: t, optional: c.Type.Nullable() || t.Nullable()}
	node, value := scalarNode(t, nanos)
	switch t.Kind {
	case codec.Binary, codec.Text, codec.Custom, codec.Any: // nil where nothing was stored
		col.optional = true
	}
	if node == nil {
		col.json = true
		return parquet.JSON(), col
	}
	col.value = value
	return node, col
}

// scalarNode returns how a type without others inside is stored, and how its
// values are made; nil for other types.
func scalarNode(t *codec.Type, nanos bool) (parquet.Node, func(any) (parquet.Value, error)) {
	switch t.Kind {
	case codec.Bool:
		return parquet.Leaf(parquet.BooleanType), func(v any) (parquet.Value, error) { return parquet.BooleanValue(v.(bool)), nil }
	case codec.Int:
		return parquet.Int(int(t.Bits)), integerOf(t)
	case codec.Uint:
		return parquet.Uint(int(t.Bits)), integerOf(t)
	case codec.Duration: // in nanoseconds: TIME ends after a day
		return parquet.Int(64), integerOf(t)
	case codec.Float:
		if t.Bits == 32 {
			return parquet.Leaf(parquet.FloatType), func(v any) (parquet.Value, error) { return parquet.FloatValue(float32(v.(float64))), nil }
		}
		return parquet.Leaf(parquet.DoubleType), func(v any) (parquet.Value, error) { return parquet.DoubleValue(v.(float64)), nil }
	case codec.String, codec.Text:
		return parquet.String(), textOf
	case codec.JSON:
		return parquet.JSON(), textOf
	case codec.Bytes, codec.Binary, codec.Custom:
		return parquet.Leaf(parquet.ByteArrayType), bytesOf
	case codec.ByteArray:
		return byteArrayNode(t)
	case codec.Time:
		return timeNode(nanos)
	}
	return nil, nil
}

// integerOf returns what makes values of integers.
func integerOf(t *codec.Type) func(any) (parquet.Value, error) {
	return func(v any) (parquet.Value, error) {
		var n int64
		switch v := v.(type) {
		case int64:
			n = v
		case uint64:
			n = int64(v)
		case time.Duration:
			n = int64(v)
		}
		if t.Kind != codec.Duration && t.Bits <= 32 {
			return parquet.Int32Value(int32(n)), nil
		}
		return parquet.Int64Value(n), nil
	}
}

func textOf(v any) (parquet.Value, error) {
	s := v.(string)
	if !utf8.ValidString(s) {
		return parquet.Value{}, fmt.Errorf("the text %q is not UTF-8, which Parquet wants; export it as CSV or JSON", s)
	}
	return parquet.ByteArrayValue([]byte(s)), nil
}

func bytesOf(v any) (parquet.Value, error) {
	switch v := v.(type) {
	case []byte:
		return parquet.ByteArrayValue(v), nil
	case codec.Raw:
		return parquet.ByteArrayValue(v), nil
	}
	return parquet.Value{}, fmt.Errorf("a %T is not bytes", v) // unreachable: such are the values of the kinds
}

func byteArrayNode(t *codec.Type) (parquet.Node, func(any) (parquet.Value, error)) {
	value := func(v any) (parquet.Value, error) { return parquet.FixedLenByteArrayValue(v.([]byte)), nil }
	switch t.Len {
	case 0:
		return parquet.Leaf(parquet.ByteArrayType), bytesOf
	case 16:
		return parquet.UUID(), value
	}
	return parquet.Leaf(parquet.FixedLenByteArrayType(t.Len)), value
}

// The times that Parquet has in nanoseconds.
var (
	firstNano = time.Unix(0, -1<<63)
	lastNano  = time.Unix(0, 1<<63-1)
)

// timeNode returns how times are stored. What does not fit is an error: nothing is
// rounded.
func timeNode(nanos bool) (parquet.Node, func(any) (parquet.Value, error)) {
	if nanos {
		return parquet.Timestamp(parquet.Nanosecond), func(v any) (parquet.Value, error) {
			t := v.(time.Time)
			if t.Before(firstNano) || t.After(lastNano) {
				return parquet.Value{}, fmt.Errorf("the time %s is not between %s and %s, as times in nanoseconds have to be; leave out --nanos, or export it as CSV or JSON",
					t.Format(time.RFC3339Nano), firstNano.UTC().Format(time.RFC3339), lastNano.UTC().Format(time.RFC3339))
			}
			return parquet.Int64Value(t.UnixNano()), nil
		}
	}
	return parquet.Timestamp(parquet.Microsecond), func(v any) (parquet.Value, error) {
		t := v.(time.Time)
		if t.Nanosecond()%1000 != 0 {
			return parquet.Value{}, fmt.Errorf("the time %s is finer than microseconds; --nanos keeps all of it, as do CSV and JSON", t.Format(time.RFC3339Nano))
		}
		return parquet.Int64Value(t.UnixMicro()), nil
	}
}
