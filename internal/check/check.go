package check

import (
	"bytes"
	"context"
	"errors"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// Options are the settings of a Run.
type Options struct {
	Repair   bool              // mend index entries
	Found    func(Fault) error // called with each fault; an error ends the run
	Progress func(Counts)      // called now and then; nil for never
}

// Counts are how much a run has read so far.
type Counts struct {
	Records int // records
	Entries int // index entries
}

// Run has the store verify itself, and compares one snapshot of all tables with
// the schema. The error is about the run itself, or one of Found.
func Run(ctx context.Context, db *tables.DB, o Options) (Counts, error) {
	c := checker{ctx: ctx, db: db, opts: o}
	err := c.run()
	return c.counts, err
}

type checker struct {
	ctx     context.Context
	db      *tables.DB
	opts    Options
	t       *tables.Tx
	counts  Counts
	steps   int // since the context was looked at
	targets targets
	judge   judge
	to      []byte
	value   []byte
}

func (c *checker) run() error {
	if err := c.db.Verify(c.ctx); err != nil {
		if !errors.Is(err, store.ErrCorrupt) {
			return err
		}
		if err := c.opts.Found(Fault{Kind: StoreDamaged, Err: err}); err != nil {
			return err
		}
	}
	t, err := c.db.Begin(c.ctx, false)
	if err != nil {
		return err
	}
	defer t.Release()
	c.t, c.judge.t = t, t
	for _, tb := range t.Schema().Tables() {
		if err := c.table(tb); err != nil {
			return err
		}
	}
	return nil
}

// table checks one table with its indexes.
func (c *checker) table(tb *schema.Table) error {
	var tallies []*tally
	for _, ix := range tb.Indexes {
		if ix.State == schema.Ready {
			tallies = append(tallies, newTally(ix))
		}
	}
	if err := c.records(tb, tallies); err != nil {
		return err
	}
	for _, y := range tallies {
		if err := c.index(tb, y); err != nil {
			return err
		}
	}
	for _, y := range tallies {
		if y.equal() {
			continue
		}
		if err := c.missing(tb, y); err != nil {
			return err
		}
		if err := c.dangling(tb, y); err != nil {
			return err
		}
	}
	return nil
}

// step counts a step and looks at the context now and then.
func (c *checker) step() error {
	if c.steps++; c.steps%1024 != 0 {
		return nil
	}
	if c.opts.Progress != nil {
		c.opts.Progress(c.counts)
	}
	return c.ctx.Err()
}

// storeFault reports damage that the store itself has met, and returns any
// other error.
func (c *checker) storeFault(err error) error {
	if !errors.Is(err, store.ErrCorrupt) {
		return err
	}
	return c.opts.Found(Fault{Kind: StoreDamaged, Err: err})
}

// records reads each record of a table, adds up its entries, and checks what
// it refers to.
func (c *checker) records(tb *schema.Table, tallies []*tally) error {
	for rec, err := range c.t.Records(tb, nil) {
		var damaged *record.CorruptError
		switch {
		case errors.As(err, &damaged):
			c.counts.Records++
			err = c.opts.Found(Fault{Table: tb, Kind: RecordDamaged, Tuple: bytes.Clone(rec.Tuple), Err: codec.ErrCorrupt})
		case err != nil:
			return c.storeFault(err)
		default:
			c.counts.Records++
			err = c.record(tb, tallies, rec)
		}
		if err == nil {
			err = c.step()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// record adds up the entries of one record and checks its references.
func (c *checker) record(tb *schema.Table, tallies []*tally, rec tables.Record) error {
	want := &c.judge.want
	for _, y := range tallies {
		if err := want.Compute(tb, y.ix, rec.Body, rec.Tuple); err != nil {
			f := Fault{Table: tb, Index: y.ix.Name, Kind: RecordDamaged, Tuple: bytes.Clone(rec.Tuple), Err: err}
			if err := c.opts.Found(f); err != nil {
				return err
			}
			continue
		}
		c.value = y.addRecord(want, c.value, rec.Tuple)
	}
	return c.references(tb, rec)
}

// references checks that what a record refers to is there.
func (c *checker) references(tb *schema.Table, rec tables.Record) error {
	for _, r := range tb.Refs {
		to, null, err := rec.Body.Target(append(c.to[:0], r.Target.Prefix(0)...), r)
		c.to = to
		if err != nil || null || c.targets.has(to) {
			continue // an undecodable column has been reported with its index
		}
		_, found, err := c.t.GetKey(to)
		if err != nil {
			return err
		}
		if found {
			c.targets.add(to)
			continue
		}
		f := Fault{Table: tb, Index: r.Name, Kind: RefDangling, Tuple: bytes.Clone(rec.Tuple)}
		if r.OnDelete == schema.NoAction {
			f.Kind = RefUnchecked
		}
		if err := c.opts.Found(f); err != nil {
			return err
		}
	}
	return nil
}

// entries calls fn with each entry of an index, in order.
func (c *checker) entries(tb *schema.Table, ix *schema.Index, fn func(key, value []byte) error) error {
	cur, err := c.t.Scan(record.PrefixRange(tb.Prefix(ix.ID)))
	if err != nil {
		return err
	}
	defer cur.Close()
	for cur.Next() {
		if err := fn(cur.Key(), cur.Value()); err != nil {
			return err
		}
		if err := c.step(); err != nil {
			return err
		}
	}
	if err := cur.Err(); err != nil {
		return c.storeFault(err)
	}
	return nil
}

// index adds up the entries that an index has.
func (c *checker) index(tb *schema.Table, y *tally) error {
	return c.entries(tb, y.ix, func(key, value []byte) error {
		c.counts.Entries++
		y.add(&y.have, key, value)
		return nil
	})
}
