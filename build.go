package kivis

import (
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
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
	db *DB
	tb *schema.Table
	ix *schema.Index
}

// run builds the index, going on where an earlier run was stopped.
func (b *build) run(ctx context.Context) error {
	size := chunkSize
	for more := true; more; {
		_, err := b.db.retry(ctx, attemptFunc(func(ctx context.Context) (err error) {
			more, err = b.chunk(ctx, size)
			if err != nil {
				size = max(size/2, 1)
			}
			return err
		}))
		if err != nil {
			return err
		}
		size = min(2*size, chunkSize)
	}
	return nil
}

// chunk indexes up to size records and says whether there may be more.
func (b *build) chunk(ctx context.Context, size int) (more bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	t, err := b.db.begin(ctx, true)
	if err != nil {
		return false, err
	}
	defer t.release()
	if tb := t.set.ByID(b.tb.ID); tb == nil || tb.IndexByID(b.ix.ID) == nil {
		return false, nil // it has been dropped again
	}
	progress := buildKey(b.tb.ID, b.ix.ID)
	r := prefixRange(b.tb.Prefix(0))
	done, err := t.kv.Get(progress)
	switch {
	case err == nil:
		r.Lo = append(append([]byte(nil), done...), 0)
	case !errors.Is(err, store.ErrNotFound):
		return false, err
	}
	n, last, err := b.records(t, r, size)
	if err != nil {
		return false, err
	}
	if n == size {
		err = t.kv.Set(progress, last)
	} else {
		err = t.kv.Delete(progress)
	}
	if err != nil {
		return false, err
	}
	return n == size, commitFault(t.commit(ctx))
}

// records indexes up to size records of r, and returns how many, and the last
// one's key.
func (b *build) records(t *txn, r store.Range, size int) (n int, last []byte, err error) {
	c, err := t.kv.Scan(r)
	if err != nil {
		return 0, nil, err
	}
	defer c.Close()
	var rec body
	var buf []byte
	for n < size && c.Next() {
		last = append(last[:0], c.Key()...)
		tuple := last[len(b.tb.Prefix(0)):]
		if rec, buf, err = openBody(b.tb, tuple, c.Value(), buf, rec.offs); err != nil {
			return n, last, err
		}
		if err := b.index(t, rec, tuple); err != nil {
			return n, last, err
		}
		n++
	}
	return n, last, c.Err()
}

// index writes the entries of one record.
func (b *build) index(t *txn, rec body, tuple []byte) error {
	want := &t.buf.want
	if err := want.fill(b.tb, b.ix, rec, tuple); err != nil {
		return err
	}
	w := write{tb: b.tb, tuple: tuple}
	for i := range want.list {
		if want.list[i].unique {
			if err := t.checkUnique(&w, b.ix, want.key(i)); err != nil {
				return b.violation(tuple, err)
			}
		}
		if err := t.setEntry(want, i, tuple); err != nil {
			return err
		}
	}
	return nil
}

// violation turns a UniqueError over stored data into a SchemaChangeError.
func (b *build) violation(tuple []byte, err error) error {
	var u *UniqueError
	if !errors.As(err, &u) {
		return err
	}
	return &SchemaChangeError{Table: b.tb.Name, Changes: []schema.Difference{{
		Table: b.tb.Name, Kind: "stored data breaks a unique index", Index: b.ix.Name, Refused: true,
		Detail: fmt.Sprintf("records %s and %s have the same value", u.at, refTo(b.tb, tuple)),
		Remedy: "change or delete one of each pair, or make it an ordinary index",
	}}}
}

// checkStored looks for stored records whose reference r points to nothing.
func (db *DB) checkStored(ctx context.Context, tb *schema.Table, r *schema.Ref) error {
	kv, err := db.kv.Begin(ctx, false)
	if err != nil {
		return err
	}
	defer kv.Discard()
	c, err := kv.Scan(prefixRange(tb.Prefix(0)))
	if err != nil {
		return err
	}
	defer c.Close()
	var rec body
	var buf, key []byte
	for c.Next() {
		tuple := c.Key()[len(tb.Prefix(0)):]
		if rec, buf, err = openBody(tb, tuple, c.Value(), buf, rec.offs); err != nil {
			return err
		}
		null := false
		if key, null, err = rec.target(append(key[:0], r.Target.Prefix(0)...), r); err != nil {
			return err
		}
		if null {
			continue
		}
		if _, err := kv.Get(key); errors.Is(err, store.ErrNotFound) {
			return danglingStored(tb, r, tuple, key[len(r.Target.Prefix(0)):])
		} else if err != nil {
			return err
		}
	}
	return c.Err()
}

func danglingStored(tb *schema.Table, r *schema.Ref, tuple, target []byte) error {
	return &SchemaChangeError{Table: tb.Name, Changes: []schema.Difference{{
		Table: tb.Name, Kind: "stored data breaks a reference", Field: r.Name, Refused: true,
		Detail: fmt.Sprintf("record %s refers to %s %s, which is not there", refTo(tb, tuple), r.Target.Name, refTo(r.Target, target)),
		Remedy: "insert what is missing, or change or delete the record, or leave out the reference",
	}}}
}

// indexPrefix returns what the keys of an index start with.
func indexPrefix(ref schema.IndexRef) []byte {
	return codec.AppendUint(codec.AppendUint(nil, uint64(ref.Table)), uint64(ref.Index))
}
