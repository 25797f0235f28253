// Package record says what the bytes that are stored for a table mean: the body
// of a record and its columns, the entries that it has in each index, the keys
// that it refers to, its own primary key. All of it is computed from encoded
// bytes and the table's schema. Nothing here knows a Go type or a transaction.
package record
