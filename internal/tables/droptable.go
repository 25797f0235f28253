package tables

import (
	"context"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
)

// A DroppedTable is a table that is no longer in the catalog, and whose records
// and entries may remain.
type DroppedTable struct {
	ID   uint32
	Name string
	Keys [][]byte // of the catalog, which speak of it: to be deleted last
}

// DroppedTables returns the tables whose records are still to be deleted.
func (db *DB) DroppedTables(ctx context.Context) (list []DroppedTable, err error) {
	t, err := db.Begin(ctx, false)
	if err != nil {
		return nil, err
	}
	defer t.Release()
	c, err := t.Scan(record.PrefixRange(catalogKey(buildSpace)))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for c.Next() {
		table, rest, ok := takeID(c.Key()[len(catalogKey(buildSpace)):])
		index, _, ok2 := takeID(rest)
		if !ok || !ok2 {
			continue
		}
		if n := len(list); n > 0 && list[n-1].ID == table && index > 0 {
			list[n-1].Keys = append([][]byte{BuildKey(table, index)}, list[n-1].Keys...)
		} else if index == 0 {
			list = append(list, DroppedTable{table, string(c.Value()), [][]byte{sequenceKey(table), dropKey(table)}})
		}
	}
	return list, c.Err()
}

// takeID takes an id from a key.
func takeID(b []byte) (id uint32, rest []byte, ok bool) {
	v, rest, err := codec.ConsumeUint(b)
	return uint32(v), rest, err == nil
}

// TablePrefix returns what all keys of a table start with.
func TablePrefix(table uint32) []byte { return codec.AppendUint(nil, uint64(table)) }
