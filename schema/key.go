package schema

import (
	"reflect"

	"github.com/kivisdb/kivis/codec"
)

// KeyKind is how a table's records get their primary keys.
type KeyKind uint8

// The kinds of keys. Their numbers are on disk, in the catalog.
const (
	KeyPlain   KeyKind = iota // from fields that the caller sets
	KeyAuto                   // the last part is drawn from the table's sequence
	KeyUUID                   // the last part is a UUID of version 7 where it is zero
	KeyContent                // the SHA-256 of the other stored fields
	KeyCustom                 // computed by the method PrimaryKey alone
)

// A Key is the primary key of a table.
type Key struct {
	Kind       KeyKind
	Parts      []Part        // in order; of KeyCustom they have no column
	GoType     reflect.Type  // the type of the one key field, of the embedded key struct, or of what PrimaryKey returns; nil for several fields
	Tuple      codec.KeyType // a Struct of the parts' types
	AutoColumn int           // the column that is generated, or -1
	Method     bool          // the record has a method PrimaryKey
}
