package migrate

import (
	"bytes"
	"context"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
)

// A stock says what stored records hold: it answers what [schema.PlanOptions]
// asks. It keeps the first error.
type stock struct {
	ctx context.Context
	db  *tables.DB
	err error
}

// holds reports whether a record of the table holds a value in a column,
// neither nil nor zero, or, for a negative column, whether there is a record.
// A damaged record counts as one that does.
func (s *stock) holds(table uint32, column int) bool {
	if s.err != nil {
		return false
	}
	found, err := s.look(table, column)
	s.err = err
	return found
}

func (s *stock) look(table uint32, column int) (bool, error) {
	t, err := s.db.Begin(s.ctx, false)
	if err != nil {
		return false, err
	}
	defer t.Release()
	tb := t.Schema().ByID(table)
	if tb == nil || column >= len(tb.Columns) {
		return false, nil // unreachable: the catalog is that of the schema
	}
	var zero []byte
	if column >= 0 {
		zero = record.Zero(tb, column)
	}
	n := 0
	for rec, err := range t.Records(tb, nil) {
		if rec.Tuple == nil && err != nil {
			return false, err
		}
		if column < 0 || err != nil || !bytes.Equal(rec.Body.Column(column), zero) {
			return true, nil
		}
		if n++; n%chunkSize == 0 && s.ctx.Err() != nil {
			return false, s.ctx.Err()
		}
	}
	return false, nil
}
