package backup

import (
	"bytes"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

// sums checks the checksums that entries of a database have, one entry after
// the other in key order.
type sums struct {
	set    *schema.Set
	prefix []byte // of the entries that come, up to the index id; nil before the first
	table  *schema.Table
	index  *schema.Index // nil for records
}

// check returns a record.CorruptError where an entry is damaged. Entries that
// have no checksum, as of indexes that are not unique, pass.
func (s *sums) check(key, value []byte) error {
	if s.prefix == nil || !bytes.HasPrefix(key, s.prefix) {
		s.enter(key)
	}
	switch {
	case s.table == nil:
		return record.Corrupt(nil, nil, tables.CheckEntry(key, value))
	case s.index == nil:
		tuple := key[len(s.prefix):]
		_, _, err := codec.Open(value, s.table.ID, tuple)
		return record.Corrupt(s.table, tuple, err)
	case s.index.Unique:
		_, err := record.SplitEntry(s.table, s.index, key, value)
		return err
	}
	return nil
}

// enter finds out what the entries are that begin with key.
func (s *sums) enter(key []byte) {
	s.prefix, s.table, s.index = nil, nil, nil
	table, rest, err := codec.ConsumeUint(key)
	if err != nil {
		return
	}
	space, rest, err := codec.ConsumeUint(rest)
	if err != nil {
		return
	}
	s.prefix = append([]byte(nil), key[:len(key)-len(rest)]...)
	tb := s.set.ByID(uint32(table))
	if tb == nil || space == 0 {
		s.table = tb
		return
	}
	for _, ix := range tb.Indexes {
		if uint64(ix.ID) == space {
			s.table, s.index = tb, ix
		}
	}
}
