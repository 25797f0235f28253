package query

import (
	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// Row is one record that a query has found.
type Row struct {
	Table   *schema.Table
	Key     []byte // the key tuple, valid until the next row
	Body    []byte // the record in the table's newest layout; it never changes. Nil if not asked for
	Part    []byte // of Values: the field's key part, ascending and exact, valid until the next row
	Decoded any    // what a Func has decoded it to, if it wants to keep that
}

// open makes body the record that value holds.
func openRecord(table *schema.Table, value, key []byte) (body []byte, err error) {
	version, body, err := codec.Open(value, table.ID, key)
	if err != nil || version == table.Version {
		return body, err
	}
	conv, err := table.Converter(version)
	if err != nil || conv == nil {
		return body, err
	}
	return conv.Convert(nil, body)
}
