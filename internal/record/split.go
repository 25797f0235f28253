package record

import (
	"fmt"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// PrefixRange returns the range of all keys that start with prefix.
func PrefixRange(prefix []byte) store.Range {
	return store.Range{Lo: prefix, Hi: codec.PrefixEnd(prefix)}
}

// SplitEntry returns the key tuple of the record that an index entry is for. It
// is part of key, or of value where the entry is in the unique form. The error
// is a [CorruptError].
func SplitEntry(tb *schema.Table, ix *schema.Index, key, value []byte) ([]byte, error) {
	rest := key[min(len(tb.Prefix(ix.ID)), len(key)):]
	var err error
	for i := range ix.Parts {
		if rest, err = ix.Parts[i].Key.Skip(rest); err != nil {
			return nil, &CorruptError{Table: tb, Index: ix.Name, Err: err}
		}
	}
	switch {
	case len(rest) > 0:
		return rest, nil
	case ix.Unique:
		tuple, err := codec.OpenEntry(value, key)
		if err != nil {
			return nil, &CorruptError{Table: tb, Index: ix.Name, Err: err}
		}
		return tuple, nil
	}
	err = fmt.Errorf("%w: index entry without a primary key", codec.ErrCorrupt)
	return nil, &CorruptError{Table: tb, Index: ix.Name, Err: err}
}
