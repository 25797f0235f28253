package kivis

import (
	"fmt"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// Table id 0 is the catalog's. Its spaces:
const (
	catalogTable = 0

	headerSpace   = 0 // the header: format, counters, catalog version
	tableSpace    = 1 // one entry for each table, by id
	sequenceSpace = 2 // high-water marks of auto-increment keys, by table id
	secretSpace   = 3 // the key that signs page cursors
	buildSpace    = 4 // how far an index build has come, by table and index id
)

// headerKey is the catalog's header, which every write transaction guards.
var (
	headerKey = catalogKey(headerSpace)
	headerEnd = append(catalogKey(headerSpace), 0)
	secretKey = catalogKey(secretSpace)
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

func tableKey(id uint32) []byte           { return catalogKey(tableSpace, id) }
func sequenceKey(table uint32) []byte     { return catalogKey(sequenceSpace, table) }
func buildKey(table, index uint32) []byte { return catalogKey(buildSpace, table, index) }

// prefixRange returns the range of all keys that start with prefix.
func prefixRange(prefix []byte) store.Range {
	return store.Range{Lo: prefix, Hi: codec.PrefixEnd(prefix)}
}

// entryTuple returns the key tuple of the record that an index entry is for: a
// part of key, or of value for the unique form.
func entryTuple(tb *schema.Table, ix *schema.Index, key, value []byte) ([]byte, error) {
	rest := key[min(len(tb.Prefix(ix.ID)), len(key)):]
	var err error
	for i := range ix.Parts {
		if rest, err = ix.Parts[i].Key.Skip(rest); err != nil {
			return nil, &CorruptError{Table: tb.Name, Index: ix.Name, Err: err}
		}
	}
	switch {
	case len(rest) > 0:
		return rest, nil
	case ix.Unique:
		tuple, err := codec.OpenEntry(value, key)
		if err != nil {
			return nil, &CorruptError{Table: tb.Name, Index: ix.Name, Err: err}
		}
		return tuple, nil
	}
	return nil, &CorruptError{Table: tb.Name, Index: ix.Name, Err: fmt.Errorf("%w: index entry without a primary key", codec.ErrCorrupt)}
}

// openBody opens a stored value and finds its fields. The buffers are reused
// where they are large enough; the body may alias value.
func openBody(tb *schema.Table, tuple, value, buf []byte, offs []uint32) (b body, grown []byte, err error) {
	b.bytes, grown, err = openRecord(tb, tuple, value, buf)
	if err == nil {
		b.offs, err = codec.Split(b.bytes, len(tb.Columns), offs[:0])
	}
	if err != nil {
		return b, grown, asCorrupt(tb, refTo(tb, tuple), err)
	}
	return b, grown, nil
}
