package kivis

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
)

// Record is one record of a table by name: the values of its columns, encoded,
// and what they mean. It is a value; Set changes one copy and no other.
//
// Values are, by the kind of the column: bool, int64, uint64, float64, string,
// []byte, time.Time, time.Duration, nil, []any for slices and arrays,
// []codec.Pair for maps, codec.Members for structs. Types that marshal themselves
// are the bytes or the text that they have stored.
type Record struct {
	tb    *schema.Table
	tuple []byte // the key that it is stored under; nil for a new one
	body  []byte // in tb's layout; never changed in place
	offs  []uint32
	err   error // why there is none
}

// newRecord returns a record of zero values.
func newRecord(tb *schema.Table) Record {
	r := Record{tb: tb, offs: make([]uint32, 0, len(tb.Columns)+1)}
	for i := range tb.Columns {
		r.offs = append(r.offs, uint32(len(r.body)))
		r.body = codec.AppendZero(r.body, tb.Columns[i].Type, tb.Layout)
	}
	r.offs = append(r.offs, uint32(len(r.body)))
	return r
}

// openRecord returns the record that is stored as value, which never changes.
func openRecord(tb *schema.Table, tuple, value []byte) (Record, error) {
	b, _, err := record.Open(tb, tuple, value, nil, nil)
	if err != nil {
		return Record{}, err
	}
	return Record{tb: tb, tuple: bytes.Clone(tuple), body: b.Bytes, offs: b.Offs}, nil
}

// ready returns why the record has no values, if that is so.
func (r *Record) ready() error {
	switch {
	case r.err != nil:
		return r.err
	case r.tb == nil:
		return errNoRecord
	}
	return nil
}

// Table returns what the record's values mean: the table as it was when the
// record was read or made; nil for a zero Record.
func (r Record) Table() *schema.Table { return r.tb }

// Key returns the record's primary key: that it is stored under, or for a new
// record the one that its columns make. It is zero where the key is still to be
// generated, or is computed by a method.
func (r Record) Key() Key {
	switch {
	case r.ready() != nil:
		return Key{}
	case r.tuple != nil:
		return keyFrom(r.tb, r.tuple)
	case r.tb.Key.Kind == schema.KeyCustom:
		return Key{}
	case r.tb.Key.AutoColumn >= 0 && !record.Drawn(r.tb, r.columns()):
		return Key{}
	}
	tuple, _, err := record.AppendKey(nil, r.tb, r.columns())
	if err != nil {
		return Key{}
	}
	return keyFrom(r.tb, tuple)
}

func (r *Record) columns() record.Body { return record.Body{Bytes: r.body, Offs: r.offs} }

// Get returns the value of a field, by its stored name, dotted where it lies in
// a nested struct: nil where a pointer on the way is nil. Slices are the
// caller's; strings share memory with the record.
func (r Record) Get(path string) (any, error) {
	if err := r.ready(); err != nil {
		return nil, err
	}
	p, err := r.tb.Layout.Path(path)
	if err != nil {
		return nil, failed("get", tableRef{name: r.tb.Name}, err)
	}
	v, err := p.Get(r.body, r.offs)
	return v, wrap("get", r.tb, nil, err)
}

// Set sets the value of a field. v is what Get returns, or any Go value that
// holds the same: an integer of another type that is in range, a map by names
// for a struct, and so on; see codec.Layout.AppendValue. The error says what
// the field wants; then nothing has changed.
func (r *Record) Set(path string, v any) error {
	if err := r.ready(); err != nil {
		return err
	}
	p, err := r.tb.Layout.Path(path)
	if err != nil {
		return failed("set", tableRef{name: r.tb.Name}, err)
	}
	body, offs, err := p.Set(nil, r.body, r.offs, v)
	if err != nil {
		return failed("set", tableRef{name: r.tb.Name}, err)
	}
	r.body, r.offs = body, offs
	return nil
}

// All returns the columns by name with their values, in the order of the stored
// layout. A value that is damaged is nil.
func (r Record) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		if r.ready() != nil {
			return
		}
		for i := range r.tb.Columns {
			c := &r.tb.Columns[i]
			v, err := r.tb.Layout.Value(&r.tb.Layout.Fields[i].Type, r.columns().Column(i))
			if err != nil {
				v = nil
			}
			if !yield(c.Name, v) {
				return
			}
		}
	}
}

// Raw returns the record's body, one msgpack value for each column in order. It
// must not be changed.
func (r Record) Raw() []byte { return r.body }

// MarshalJSON returns the record as an object of its columns in the order of the
// stored layout. It is lossless: UnmarshalJSON gives the same bytes. The forms
// are those of codec.Layout.AppendJSON: integers exact, times in RFC 3339, bytes
// in base64, NaN and infinities as strings.
func (r Record) MarshalJSON() ([]byte, error) {
	if err := r.ready(); err != nil {
		return nil, err
	}
	b, err := r.tb.Layout.AppendRecordJSON(nil, r.body)
	return b, wrap("json", r.tb, nil, err)
}

// UnmarshalJSON sets all columns from an object, which MarshalJSON has made or a
// person: columns that are missing become zero, and unknown names, fractions of
// integers and numbers out of range are errors. The record must be one of a
// table: begin with [NamedTable.New]. It keeps the key that it is stored under.
func (r *Record) UnmarshalJSON(text []byte) error {
	if err := r.ready(); err != nil {
		return err
	}
	body, offs, err := r.tb.Layout.AppendRecordFromJSON(nil, text, nil)
	if err != nil {
		return failed("json", tableRef{name: r.tb.Name}, err)
	}
	r.body, r.offs = body, offs
	return nil
}

// String returns the record as JSON.
func (r Record) String() string {
	b, err := r.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Equal reports whether two records have the same values in the same table.
func (r Record) Equal(o Record) bool {
	if r.tb == nil || o.tb == nil {
		return r.tb == o.tb
	}
	return r.tb.ID == o.tb.ID && r.tb.Version == o.tb.Version && bytes.Equal(r.body, o.body) && slices.Equal(r.offs, o.offs)
}

// Key is a primary key of a table by name. Keys compare with ==, and a Key can
// be that of a map. The zero Key is none.
type Key struct {
	table string
	form  string // how the tuple is encoded
	tuple string
}

// keyFrom returns the key with a copy of the tuple.
func keyFrom(tb *schema.Table, tuple []byte) Key {
	return Key{tb.Name, tb.KeyForm(), string(tuple)}
}

// Table returns the stored name of the table that the key was made for.
func (k Key) Table() string { return k.table }

// IsZero reports whether the key is none.
func (k Key) IsZero() bool { return k == Key{} }

// String returns the key as text: `8`, or `(8, "ORD")` where it has several
// parts. NamedTable.Key reads it back.
func (k Key) String() string {
	typ, ok := k.typ()
	if !ok {
		return ""
	}
	if len(typ.Parts) == 1 {
		typ = typ.Parts[0]
	}
	text, _, err := typ.Format([]byte(k.tuple))
	if err != nil {
		return fmt.Sprintf("%x", k.tuple)
	}
	return text
}

// MarshalText returns what String does.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Values returns the parts of the key: nil, bool, int64, uint64, float64, string,
// []byte, time.Time, time.Duration, or []any for a part that is a struct; of a
// type that has an order of its own, such as netip.Addr, a value for KeyOf alone.
func (k Key) Values() []any {
	typ, ok := k.typ()
	if !ok {
		return nil
	}
	parts, err := typ.Values([]byte(k.tuple))
	if err != nil {
		return nil // unreachable: the tuple was read or made as one of the type
	}
	return parts
}

// Compare returns -1, 0 or 1: whether k comes before o, is o, or comes after it in
// the order of primary keys. Keys of different tables are ordered by the names
// of these, and keys that are made otherwise by how.
func (k Key) Compare(o Key) int {
	return cmp.Or(strings.Compare(k.table, o.table), strings.Compare(k.form, o.form), strings.Compare(k.tuple, o.tuple))
}

// typ returns the type of the tuple; there is none of the zero Key.
func (k Key) typ() (codec.KeyType, bool) {
	typ, _, err := codec.ConsumeKeyType([]byte(k.form))
	return typ, err == nil
}

// appendTuple appends the key's tuple as one of tb.
func (k Key) appendTuple(dst []byte, tb *schema.Table) ([]byte, error) {
	switch {
	case k.IsZero():
		return dst, fmt.Errorf("the key is the zero Key: make one with Key or KeyOf")
	case k.table != tb.Name:
		return dst, fmt.Errorf("the key %s is one of table %s", k, k.table)
	case k.form != tb.KeyForm():
		return dst, fmt.Errorf("the key %s was made before the table's key changed", k)
	}
	return append(dst, k.tuple...), nil
}
