package kivis

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

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
// []byte, time.Time, time.Duration, or []any for a part that is a struct.
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
