package query

import "github.com/kivisdb/kivis/schema"

// Row is one record that a query has found.
type Row struct {
	Table   *schema.Table
	Key     []byte // the key tuple, valid until the next row
	Body    []byte // the record in the table's newest layout; it never changes. Nil where it was not asked for
	Part    []byte // of Values: the field's key part, ascending and exact, valid until the next row
	Group   []byte // of Values with a Want.Group: that field's key part, likewise
	Decoded any    // what a Func has decoded the record to, for the caller to use again
}
