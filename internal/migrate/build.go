package migrate

import (
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

// chunkSize is how many records or entries one transaction of a schema change
// takes in hand.
const chunkSize = 1000

// build fills a new index from the records that are stored.
//
// Invariant: from the commit that added the index, every writer maintains it,
// as writers guard the catalog. A chunk's records, its entries and how far the
// build has come are one transaction. So once the last chunk has committed,
// the index equals the records.
type build struct {
	db *tables.DB
	tb *schema.Table
	ix *schema.Index

	size int  // how many records the next chunk takes
	more bool // there may be more
}

// run builds the index, going on where an earlier run was stopped.
func (b *build) run(ctx context.Context) error {
	b.size = chunkSize
	for {
		if _, err := b.db.Write(ctx, b); err != nil || !b.more {
			return err
		}
		b.size = min(2*b.size, chunkSize)
	}
}

// Run indexes up to size records, fewer at the next attempt.
func (b *build) Run(ctx context.Context, t *tables.Tx) error {
	b.more = false
	if err := ctx.Err(); err != nil {
		return err
	}
	if tb := t.Schema().ByID(b.tb.ID); tb == nil || tb.IndexByID(b.ix.ID) == nil {
		return nil // it has been dropped again
	}
	size := b.size
	b.size = max(size/2, 1)
	progress := tables.BuildKey(b.tb.ID, b.ix.ID)
	done, _, err := t.GetKey(progress)
	if err != nil {
		return err
	}
	n, last, err := b.records(t, done, size)
	if err != nil {
		return err
	}
	if b.more = n == size; b.more {
		return t.SetKey(progress, last)
	}
	return t.DeleteKey(progress)
}

// records indexes up to size records behind the store's key done, and returns
// how many, and the last one's key.
func (b *build) records(t *tables.Tx, done []byte, size int) (n int, last []byte, err error) {
	prefix := b.tb.Prefix(0)
	var after []byte
	if done != nil {
		after = done[len(prefix):]
	}
	for rec, err := range t.Records(b.tb, after) {
		if err != nil {
			return n, last, err
		}
		last = append(append(last[:0], prefix...), rec.Tuple...)
		if err := t.SetEntries(b.tb, b.ix, rec.Body, rec.Tuple); err != nil {
			return n, last, b.violation(rec.Tuple, err)
		}
		if n++; n == size {
			break
		}
	}
	return n, last, nil
}

// violation turns a UniqueError over stored data into a schema.ChangeError.
func (b *build) violation(tuple []byte, err error) error {
	var u *tables.UniqueError
	if !errors.As(err, &u) {
		return err
	}
	return schema.NewChangeError(b.tb.Name, schema.Difference{
		Kind: "stored data breaks a unique index", Index: b.ix.Name,
		Detail: fmt.Sprintf("records %s and %s have the same value", u.Holder, record.RefTo(b.tb, tuple)),
		Remedy: "change or delete one of each pair, or make it an ordinary index",
	})
}
