package migrate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

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
	return schema.NewChangeError(tb.Name, schema.Difference{
		Kind: "stored data breaks a reference", Field: r.Name,
		Detail: fmt.Sprintf("record %s refers to %s %s, which is not there", record.RefTo(tb, tuple), r.Target.Name, record.RefTo(r.Target, target)),
		Remedy: "insert what is missing, or change or delete the record, or leave out the reference",
	})
}

// checkNils looks for stored records that hold a nil where tb has a value in the
// place of a pointer: others may have written one while the change was planned.
func checkNils(ctx context.Context, db *tables.DB, tb *schema.Table) error {
	s := stock{ctx: ctx, db: db}
	found := s.nils(tb.ID, tb.Layout)
	if s.err != nil {
		return s.err
	}
	var faults []schema.Difference
	for _, path := range slices.Sorted(maps.Keys(found)) {
		faults = append(faults, schema.Difference{Kind: "pointer is a value", Field: path, Records: found[path].Records,
			Detail: "it is nil in the stored records " + strings.Join(found[path].Keys, ", "), Remedy: "write a value into each of them"})
	}
	if faults == nil {
		return nil
	}
	return schema.NewChangeError(tb.Name, faults...)
}

// checkForms looks for stored records that do not come back the same from a tb
// whose Type has another type that marshals itself in the place of one.
func checkForms(ctx context.Context, db *tables.DB, tb *schema.Table) error {
	t, err := db.Begin(ctx, false)
	if err != nil {
		return err
	}
	defer t.Release()
	n := 0
	for rec, err := range t.Records(tb, nil) {
		if err != nil {
			return err
		}
		again, offs, err := tb.Rewrite(rec.Body.Bytes)
		if err == nil && sameForm(rec.Body, record.Body{Bytes: again, Offs: offs}) {
			if n++; n%chunkSize == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			continue
		}
		d := schema.Difference{Kind: "stored data has another form",
			Remedy: "keep the type that wrote it, or add a field of another name and fill it from this one"}
		d.Detail = fmt.Sprintf("record %s does not come back the same", record.RefTo(tb, rec.Tuple))
		if err != nil {
			d.Detail += ": " + err.Error()
		}
		return schema.NewChangeError(tb.Name, d)
	}
	return nil
}

// sameForm reports whether the columns of two bodies are the same. One that is
// nil in a stays for a field that came after the record, and may be anything.
func sameForm(a, b record.Body) bool {
	for i := range len(a.Offs) - 1 {
		if !a.IsNil(i) && !bytes.Equal(a.Column(i), b.Column(i)) {
			return false
		}
	}
	return true
}
