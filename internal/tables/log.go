package tables

import (
	"bytes"

	"github.com/kivisdb/kivis/schema"
)

// Mode is what a write expects of the record that may be there.
type Mode uint8

// The modes.
const (
	Insert  Mode = iota // none
	Upsert              // any
	Replace             // one
)

// A Write is one write of a transaction, kept to be made again in another.
type Write struct {
	table  uint32
	remove bool
	mode   Mode
	tuple  []byte
	value  []byte // with its checksum
}

// Of reports whether the write is to the record of tb with the key tuple.
func (w *Write) Of(tb *schema.Table, tuple []byte) bool {
	return w.table == tb.ID && bytes.Equal(w.tuple, tuple)
}

// writeLog keeps the writes of a transaction, if it is on.
type writeLog struct {
	on     bool
	writes []Write
}

// put keeps a record that is written, with its sealed value.
func (l *writeLog) put(tb *schema.Table, m Mode, tuple, value []byte) {
	if l.on {
		l.writes = append(l.writes, Write{table: tb.ID, mode: m, tuple: bytes.Clone(tuple), value: bytes.Clone(value)})
	}
}

// remove keeps the delete of a record.
func (l *writeLog) remove(tb *schema.Table, tuple []byte) {
	if l.on {
		l.writes = append(l.writes, Write{table: tb.ID, remove: true, tuple: bytes.Clone(tuple)})
	}
}
