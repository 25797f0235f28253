package tables

// A Write is one write of a transaction, kept to be made again in another.
type Write struct {
	table  uint32
	remove bool
	mode   Mode
	tuple  []byte
	value  []byte // with its checksum
	expect []byte // what must be there still; nil where anything may
}
