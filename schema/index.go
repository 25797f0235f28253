package schema

import "github.com/kivisdb/kivis/codec"

// IndexState is whether an index may be read.
type IndexState uint8

// The states of an index. Their numbers are on disk, in the catalog.
const (
	Ready    IndexState = iota // read and written
	Building                   // written, but not read
)

// An Index is one secondary index of a table.
type Index struct {
	ID     uint32 // its space among the table's keys
	Name   string
	Unique bool
	Parts  []Part
	State  IndexState
	Ref    bool          // made for a reference alone, not declared
	Tuple  codec.KeyType // a Struct of the parts' types
}

// Each reports whether the index has an entry per element of one of its parts.
func (x *Index) Each() bool {
	for i := range x.Parts {
		if x.Parts[i].Each {
			return true
		}
	}
	return false
}
