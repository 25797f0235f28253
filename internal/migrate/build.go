package migrate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

// build fills new indexes of one table from the records that are stored, in one
// scan.
//
// Invariant: from the commit that added an index, every writer maintains it,
// as writers guard the catalog. A chunk's records, its entries and how far the
// build has come are one transaction. So once the last chunk has committed,
// the index equals the records. How far it has come goes with the commit that makes
// the index ready; for a unique index it stays in front of the first duplicate: the
// next build begins there.
type build struct {
	db   *tables.DB
	tb   *schema.Table
	ixs  []*schema.Index
	jobs []*job // one for each index; nil in none

	pace  pacer
	more  bool          // there may be more
	at    [][]byte      // for each index, the store's key of the last record that it has; nil before the first chunk
	dups  [][]Duplicate // for each index, what the chunks so far have found
	chunk buildChunk
}

// buildChunk is what an attempt at a chunk has come to.
type buildChunk struct {
	n    int
	last []byte
	dups [][]Duplicate
}

// run builds the indexes, going on where an earlier run was stopped. It returns
// what is wrong with each.
func (b *build) run(ctx context.Context) []error {
	faults := make([]error, len(b.ixs))
	for b.more = true; b.more; {
		_, err := b.db.Write(ctx, b)
		if err == nil {
			b.advance()
			err = b.pace.end(ctx)
		}
		if err != nil { // also of the last chunk: it may not be there
			for i := range faults {
				faults[i] = err
			}
			return faults
		}
	}
	for i := range b.ixs {
		faults[i] = b.violation(i)
	}
	return faults
}

// Run indexes a chunk of records, fewer at the next attempt.
func (b *build) Run(ctx context.Context, t *tables.Tx) error {
	b.pace.db = b.db
	size := b.pace.begin()
	b.more, b.chunk = false, buildChunk{dups: make([][]Duplicate, len(b.ixs))}
	if err := ctx.Err(); err != nil {
		b.more = true
		return err
	}
	tb := t.Schema().ByID(b.tb.ID)
	if tb == nil || !b.load(t, tb) {
		return nil // it has been dropped again
	}
	if err := b.records(t, size); err != nil {
		b.more = true
		return err
	}
	b.more = b.chunk.n == size
	return b.save(t)
}

// load finds how far each index has come, at the first chunk, and reports
// whether any index is still there.
func (b *build) load(t *tables.Tx, tb *schema.Table) bool {
	if b.at == nil {
		at := make([][]byte, len(b.ixs))
		for i, ix := range b.ixs {
			at[i], _, _ = t.GetKey(tables.BuildKey(b.tb.ID, ix.ID)) // from the beginning where it cannot be read
		}
		b.at, b.dups = at, make([][]Duplicate, len(b.ixs))
	}
	for _, ix := range b.ixs {
		if tb.IndexByID(ix.ID) != nil {
			return true
		}
	}
	return false
}

// records indexes up to size records behind the last that all indexes have.
func (b *build) records(t *tables.Tx, size int) error {
	prefix := b.tb.Prefix(0)
	from := b.at[0]
	for _, at := range b.at {
		if bytes.Compare(at, from) < 0 {
			from = at
		}
	}
	var after []byte
	if from != nil {
		after = from[len(prefix):]
	}
	c := &b.chunk
	for rec, err := range t.Records(b.tb, after) {
		if err != nil {
			return err
		}
		c.last = append(append(c.last[:0], prefix...), rec.Tuple...)
		for i, ix := range b.ixs {
			if bytes.Compare(b.at[i], c.last) >= 0 {
				continue
			}
			if err := t.SetEntries(b.tb, ix, rec.Body, rec.Tuple); err != nil {
				if err = b.duplicate(i, rec.Tuple, err); err != nil {
					return err
				}
			}
		}
		if c.n++; c.n == size {
			break
		}
	}
	return nil
}

// duplicate notes a value that is taken, or returns another error.
func (b *build) duplicate(i int, tuple []byte, err error) error {
	var u *tables.UniqueError
	if !errors.As(err, &u) {
		return err
	}
	b.chunk.dups[i] = append(b.chunk.dups[i], Duplicate{u.Holder, record.RefTo(b.tb, tuple)})
	return nil
}

// save stores how far the indexes have come.
func (b *build) save(t *tables.Tx) error {
	for i, ix := range b.ixs {
		key := tables.BuildKey(b.tb.ID, ix.ID)
		var err error
		switch {
		case len(b.dups[i])+len(b.chunk.dups[i]) > 0:
		case bytes.Compare(b.at[i], b.chunk.last) < 0:
			err = t.SetKey(key, b.chunk.last)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// advance follows the commit of a chunk.
func (b *build) advance() {
	for i := range b.at {
		if bytes.Compare(b.at[i], b.chunk.last) < 0 {
			b.at[i] = bytes.Clone(b.chunk.last)
		}
		b.dups[i] = append(b.dups[i], b.chunk.dups[i]...)
		if b.jobs == nil {
			continue
		}
		b.jobs[i].step(b.chunk.n)
		for _, d := range b.chunk.dups[i] {
			b.jobs[i].duplicate(d)
		}
	}
}

// violation returns a schema.ChangeError of the duplicates of an index, or nil.
func (b *build) violation(i int) error {
	if b.dups == nil || len(b.dups[i]) == 0 {
		return nil
	}
	var pairs []string
	for _, d := range b.dups[i] {
		if len(pairs) == maxKeys {
			pairs = append(pairs, fmt.Sprintf("and %d more pairs, which Builds lists", len(b.dups[i])-maxKeys))
			break
		}
		pairs = append(pairs, fmt.Sprintf("records %s and %s have the same value", d.Holder, d.Record))
	}
	return schema.NewChangeError(b.tb.Name, schema.Difference{
		Kind: "stored data breaks a unique index", Index: b.ixs[i].Name, Records: len(b.dups[i]),
		Detail: strings.Join(pairs, "; "),
		Remedy: "change or delete one of each pair, or make it an ordinary index; to give a table with records a unique field: add it as a pointer, since nil is " +
			"never taken, with the tag unique; fill it; and then make it a value",
	})
}
