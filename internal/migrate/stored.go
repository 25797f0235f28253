package migrate

import (
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

// checkStored looks for stored records whose reference r points to nothing.
func checkStored(ctx context.Context, db *tables.DB, tb *schema.Table, r *schema.Ref) error {
	t, err := db.Begin(ctx, false)
	if err != nil {
		return err
	}
	defer t.Release()
	var to []byte
	for rec, err := range t.Records(tb, nil) {
		if err != nil {
			return err
		}
		null := false
		if to, null, err = rec.Body.Target(to[:0], r); err != nil {
			return err
		}
		if null {
			continue
		}
		if _, err := t.Get(r.Target, to); errors.Is(err, tables.ErrNotFound) {
			return danglingStored(tb, r, rec.Tuple, to)
		} else if err != nil {
			return err
		}
	}
	return nil
}

func danglingStored(tb *schema.Table, r *schema.Ref, tuple, target []byte) error {
	return &schema.ChangeError{Table: tb.Name, Changes: []schema.Difference{{
		Table: tb.Name, Kind: "stored data breaks a reference", Field: r.Name, Refused: true,
		Detail: fmt.Sprintf("record %s refers to %s %s, which is not there", record.RefTo(tb, tuple), r.Target.Name, record.RefTo(r.Target, target)),
		Remedy: "insert what is missing, or change or delete the record, or leave out the reference",
	}}}
}
