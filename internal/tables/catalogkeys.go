package tables

import (
	"bytes"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
)

// Table id 0 is the catalog's. Its spaces:
const (
	catalogTable = 0

	headerSpace   = 0 // the header: format, counters, catalog version
	tableSpace    = 1 // one entry for each table, by id
	sequenceSpace = 2 // high-water marks of auto-increment keys, by table id
	secretSpace   = 3 // the key that signs page cursors
	buildSpace    = 4 // how far an index build has come, by table and index id
	// 5 is the incarnation's; see schema.IncarnationKey
	consumerSpace  = 6 // positions of consumers of changes, by name
	restoringSpace = 7 // there while a backup is being restored
	carriedSpace   = 8 // while keys are changed: the new key of a record, by the table's id and the old key
	noteSpace      = 9 // what programs keep beside their tables, by name
)

// headerKey is the catalog's header, which every write transaction guards.
var (
	headerKey = catalogKey(headerSpace)
	headerEnd = append(catalogKey(headerSpace), 0)
	secretKey = catalogKey(secretSpace)

	incarnationKey = schema.IncarnationKey()
	restoringKey   = catalogKey(restoringSpace)
)

// catalogKey returns the key of an entry of the catalog.
func catalogKey(space uint64, ids ...uint32) []byte {
	b := codec.AppendUint(nil, catalogTable)
	b = codec.AppendUint(b, space)
	for _, id := range ids {
		b = codec.AppendUint(b, uint64(id))
	}
	return b
}

func tableKey(id uint32) []byte       { return catalogKey(tableSpace, id) }
func sequenceKey(table uint32) []byte { return catalogKey(sequenceSpace, table) }

// TableWritten returns the id of the table whose entry in the catalog lies under a
// key, if it is one.
func TableWritten(key []byte) (id uint32, ok bool) {
	rest, ok := bytes.CutPrefix(key, catalogKey(tableSpace))
	if !ok {
		return 0, false
	}
	id, _, ok = takeID(rest)
	return id, ok
}

// BuildKey returns the key under which a build of the index keeps how far it
// has come.
func BuildKey(table, index uint32) []byte { return catalogKey(buildSpace, table, index) }

// CheckEntry returns an error that matches codec.ErrCorrupt where an entry of
// the catalog is damaged. Those that have no checksum pass.
func CheckEntry(key, value []byte) error {
	var err error
	switch {
	case bytes.Equal(key, headerKey):
		_, err = schema.DecodeHeader(value)
	case bytes.Equal(key, incarnationKey):
		_, err = schema.DecodeIncarnation(value)
	case bytes.HasPrefix(key, catalogKey(tableSpace)):
		_, err = schema.DecodeEntry(value)
	case bytes.HasPrefix(key, catalogKey(sequenceSpace)):
		_, err = codec.OpenEntry(value, key)
	}
	return err
}

// A table that is dropped leaves its name under the key of a build of its
// records: the index 0, which no table has. That key goes last.
func dropKey(table uint32) []byte { return BuildKey(table, 0) }
