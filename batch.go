package kivis

import (
	"context"

	"github.com/kivisdb/kivis/schema"
)

// batch is a set of keys to read at once, without their types.
type batch struct {
	n   int
	key func(i int) keySlot
	got func(i int, tb *schema.Table, tuple, value []byte) error // called where there is one
}

// batchSize is how many records one call of the store's GetMany reads.
const batchSize = 256

// getMany reads a batch from one snapshot.
func getMany(ctx context.Context, conn Conn, ref tableRef, b batch) error {
	s, err := open(ctx, conn, "get", ref, untilClose)
	if err != nil {
		return err
	}
	defer s.abandoned()
	found := 0
	for from := 0; from < b.n && err == nil; from += batchSize {
		if err = ctx.Err(); err == nil {
			err = b.read(&s, from, min(from+batchSize, b.n), &found)
		}
	}
	return s.close(nil, Outcome{Rows: found, Entries: b.n}, err)
}

// read reads the keys from..to.
func (b *batch) read(s *session, from, to int, found *int) error {
	prefix := s.table.Prefix(0)
	keys := make([][]byte, to-from)
	values := make([][]byte, to-from)
	for i := range keys {
		key, err := b.key(from+i).encode(append([]byte(nil), prefix...), s.table)
		if err != nil {
			return err
		}
		keys[i] = key
	}
	if err := s.t.GetMany(keys, values); err != nil {
		return err
	}
	for i, value := range values {
		if value == nil {
			continue
		}
		if err := b.got(from+i, s.table, keys[i][len(prefix):], value); err != nil {
			return err
		}
		*found++
	}
	return nil
}
