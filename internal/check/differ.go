package check

import (
	"bytes"
	"errors"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
)

// missing looks for entries that records should have in an index whose tally
// differs, and that are not there or name another record.
func (c *checker) missing(tb *schema.Table, y *tally) error {
	for rec, err := range c.t.Records(tb, nil) {
		var damaged *record.CorruptError
		switch {
		case errors.As(err, &damaged):
			continue // it has been reported
		case err != nil:
			return c.storeFault(err)
		}
		if err := c.missingOf(tb, y, rec.Body, rec.Tuple); err != nil {
			return err
		}
		if err := c.step(); err != nil {
			return err
		}
	}
	return nil
}

// missingOf looks for the entries of one record.
func (c *checker) missingOf(tb *schema.Table, y *tally, b record.Body, tuple []byte) error {
	want := &c.judge.want
	if want.Compute(tb, y.ix, b, tuple) != nil {
		return nil // it has been reported
	}
	for i := 0; i < want.Len(); i++ {
		key := want.Key(i)
		if !y.differs(key) {
			continue
		}
		have, found, err := c.t.GetKey(key)
		f := Fault{Table: tb, Index: y.ix.Name}
		switch {
		case err != nil:
			return err
		case !found:
			f.Kind = EntryMissing
		case !bytes.Equal(have, want.Value(i, nil, tuple)):
			f.Kind = EntryWrong
		default:
			continue
		}
		f.Tuple = bytes.Clone(tuple)
		f.Fixed, f.Err = c.repair(tb, y.ix, key, tuple)
		if err := c.opts.Found(f); err != nil {
			return err
		}
	}
	return nil
}

// dangling looks for entries that no record has, in an index whose tally
// differs.
func (c *checker) dangling(tb *schema.Table, y *tally) error {
	return c.entries(tb, y.ix, func(key, value []byte) error {
		if !y.differs(key) {
			return nil
		}
		tuple, err := record.SplitEntry(tb, y.ix, key, value)
		if err == nil {
			ok, err := c.judge.belongs(tb, y.ix, key, tuple)
			if ok || err != nil {
				return err
			}
		}
		f := Fault{Table: tb, Index: y.ix.Name, Kind: EntryDangling, Err: err, Tuple: bytes.Clone(tuple)}
		var failed error
		if f.Fixed, failed = c.repair(tb, y.ix, key, tuple); failed != nil {
			f.Err = failed
		}
		return c.opts.Found(f)
	})
}

// repair makes one index entry what the record says, as of now, in a
// transaction of its own, if that is asked for.
func (c *checker) repair(tb *schema.Table, ix *schema.Index, key, tuple []byte) (bool, error) {
	if !c.opts.Repair {
		return false, nil
	}
	_, err := c.db.Write(c.ctx, &mending{tb, ix, bytes.Clone(key), bytes.Clone(tuple)})
	return err == nil, err
}
