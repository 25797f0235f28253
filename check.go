package kivis

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// CheckOptions are the settings of a Check. A nil *CheckOptions means all
// defaults.
type CheckOptions struct {
	// Repair mends indexes: it writes entries that are missing and deletes
	// those that should not be there. Damaged records and references it only
	// reports.
	Repair bool

	// MaxFaults ends the check once so many have been found; 0 means 1,000.
	MaxFaults int
}

// Kinds of Fault.
const (
	FaultStore     = "store damaged"       // the store's own verification failed
	FaultRecord    = "record damaged"      // a record cannot be read
	FaultMissing   = "entry missing"       // an index lacks a record's entry
	FaultWrong     = "entry wrong"         // a unique entry names another record
	FaultDangling  = "entry dangling"      // an index entry that no record has
	FaultReference = "reference dangling"  // a reference to a record that is not there
	FaultNoAction  = "reference unchecked" // the same, where ondelete=noaction allows it
)

// Fault is one thing that Check found wrong.
type Fault struct {
	Table string // stored name
	Index string // of the entry, or the referring field
	Kind  string // one of the Fault constants
	Key   any    // primary key of the record
	Err   error  // the cause, where there is one
	Fixed bool   // Repair mended it
}

// String returns the fault as a line of text.
func (f Fault) String() string {
	s := f.Kind + ": " + f.Table
	if f.Index != "" {
		s += "." + f.Index
	}
	if f.Key != nil {
		s += fmt.Sprintf(" %v", f.Key)
	}
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	if f.Fixed {
		s += " (mended)"
	}
	return s
}

// Report is what Check found.
type Report struct {
	Faults  []Fault
	Records int // records read
	Entries int // index entries read
}

// Clean reports whether nothing is wrong. Danglers under ondelete=noaction
// are not: the rule allows them.
func (r Report) Clean() bool {
	for _, f := range r.Faults {
		if f.Kind != FaultNoAction {
			return false
		}
	}
	return true
}

// Check has the store verify itself, then reads one snapshot of the whole
// database and reports every record that is damaged, every index entry that
// is missing, wrong or left over, and every reference to nothing. The error is
// about the check itself; what is wrong with the data is in the report.
func (db *DB) Check(ctx context.Context, opts *CheckOptions) (Report, error) {
	if err := db.outside(ctx); err != nil {
		return Report{}, wrap("check", nil, nil, err)
	}
	k := checker{ctx: ctx, db: db}
	if opts != nil {
		k.opts = *opts
	}
	if k.opts.MaxFaults == 0 {
		k.opts.MaxFaults = 1000
	}
	c := db.startCall(ctx, "check", "")
	err := k.run()
	if errors.Is(err, errEnough) {
		err = nil
	}
	err = wrap("check", nil, nil, err)
	c.end(Result{Rows: len(k.report.Faults), Entries: k.report.Records + k.report.Entries}, err)
	return k.report, err
}

// errEnough ends a check that has found MaxFaults.
var errEnough = errors.New("enough faults")

type checker struct {
	ctx    context.Context
	db     *DB
	opts   CheckOptions
	t      *tables.Tx
	report Report
	want   record.Entries
	rec    record.Body
	buf    []byte
	target []byte
}

func (k *checker) run() error {
	if err := k.db.core.Verify(k.ctx); err != nil {
		if !errors.Is(err, store.ErrCorrupt) {
			return err
		}
		if err := k.add(Fault{Kind: FaultStore, Err: err}); err != nil {
			return err
		}
	}
	t, err := k.db.core.Begin(k.ctx, false)
	if err != nil {
		return err
	}
	defer t.Release()
	k.t = t
	for _, tb := range t.Schema().Tables() {
		if err := k.records(tb); err != nil {
			return err
		}
		for _, ix := range tb.Indexes {
			if ix.State != schema.Ready {
				continue
			}
			if err := k.index(tb, ix); err != nil {
				return err
			}
		}
	}
	return nil
}

// add reports a fault.
func (k *checker) add(f Fault) error {
	k.report.Faults = append(k.report.Faults, f)
	if len(k.report.Faults) >= k.opts.MaxFaults {
		return errEnough
	}
	return nil
}

// scan calls fn with each entry of r.
func (k *checker) scan(r store.Range, fn func(key, value []byte) error) error {
	c, err := k.t.Scan(r)
	if err != nil {
		return err
	}
	defer c.Close()
	for n := 0; c.Next(); n++ {
		if n%256 == 0 && k.ctx.Err() != nil {
			return k.ctx.Err()
		}
		if err := fn(c.Key(), c.Value()); err != nil {
			return err
		}
	}
	if err := c.Err(); err != nil {
		if errors.Is(err, store.ErrCorrupt) {
			return k.add(Fault{Kind: FaultStore, Err: err})
		}
		return err
	}
	return nil
}

// records checks each record of a table, that it has its index entries, and
// what it refers to.
func (k *checker) records(tb *schema.Table) error {
	return k.scan(record.PrefixRange(tb.Prefix(0)), func(key, value []byte) error {
		k.report.Records++
		tuple := key[len(tb.Prefix(0)):]
		if !k.open(tb, tuple, value) {
			return k.add(Fault{Table: tb.Name, Kind: FaultRecord, Key: keyValue(record.RefTo(tb, tuple)), Err: codec.ErrCorrupt})
		}
		for _, ix := range tb.Indexes {
			if ix.State != schema.Ready {
				continue
			}
			if err := k.entriesOf(tb, ix, tuple); err != nil {
				return err
			}
		}
		return k.references(tb, tuple)
	})
}

// open reads a record into k.rec and says whether that could be done.
func (k *checker) open(tb *schema.Table, tuple, value []byte) bool {
	var err error
	k.rec, k.buf, err = record.Open(tb, tuple, value, k.buf, k.rec.Offs)
	return err == nil
}

// entriesOf checks that the record in k.rec has its entries in ix.
func (k *checker) entriesOf(tb *schema.Table, ix *schema.Index, tuple []byte) error {
	if err := k.want.Compute(tb, ix, k.rec, tuple); err != nil {
		return k.add(Fault{Table: tb.Name, Index: ix.Name, Kind: FaultRecord, Key: keyValue(record.RefTo(tb, tuple)), Err: err})
	}
	for i := range k.want.Len() {
		key := k.want.Key(i)
		value := k.want.Value(i, nil, tuple)
		have, found, err := k.t.GetKey(key)
		f := Fault{Table: tb.Name, Index: ix.Name}
		switch {
		case err != nil:
			return err
		case !found:
			f.Kind = FaultMissing
		case !bytes.Equal(have, value):
			f.Kind = FaultWrong
		default:
			continue
		}
		f.Key = keyValue(record.RefTo(tb, tuple))
		f.Fixed, f.Err = k.repair(tb, ix, key, tuple)
		if err := k.add(f); err != nil {
			return err
		}
	}
	return nil
}

// references checks that what the record in k.rec refers to is there.
func (k *checker) references(tb *schema.Table, tuple []byte) error {
	for _, r := range tb.Refs {
		to, null, err := k.rec.Target(append(k.target[:0], r.Target.Prefix(0)...), r)
		k.target = to
		if err != nil || null {
			continue // an undecodable field has been reported with its index
		}
		_, found, err := k.t.GetKey(to)
		if err != nil {
			return err
		}
		if found {
			continue
		}
		f := Fault{Table: tb.Name, Index: r.Name, Kind: FaultReference, Key: keyValue(record.RefTo(tb, tuple))}
		if r.OnDelete == schema.NoAction {
			f.Kind = FaultNoAction
		}
		if err := k.add(f); err != nil {
			return err
		}
	}
	return nil
}

// index checks that each entry of an index is one of its record's.
func (k *checker) index(tb *schema.Table, ix *schema.Index) error {
	return k.scan(record.PrefixRange(tb.Prefix(ix.ID)), func(key, value []byte) error {
		k.report.Entries++
		tuple, err := record.SplitEntry(tb, ix, key, value)
		if err == nil {
			ok, err := k.belongs(tb, ix, key, tuple)
			if ok || err != nil {
				return err
			}
		}
		f := Fault{Table: tb.Name, Index: ix.Name, Kind: FaultDangling, Err: err}
		if err == nil {
			f.Key = keyValue(record.RefTo(tb, tuple))
		}
		var failed error
		if f.Fixed, failed = k.repair(tb, ix, key, tuple); failed != nil {
			f.Err = failed
		}
		return k.add(f)
	})
}

// belongs reports whether the record with the tuple has the entry key in ix. A
// damaged record, reported as such, is taken to have it.
func (k *checker) belongs(tb *schema.Table, ix *schema.Index, key, tuple []byte) (bool, error) {
	value, err := k.t.Get(tb, tuple)
	switch {
	case errors.Is(err, ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case !k.open(tb, tuple, value):
		return true, nil
	}
	if err := k.want.Compute(tb, ix, k.rec, tuple); err != nil {
		return true, nil
	}
	return k.want.Has(key), nil
}

// repair makes one index entry what the record says, as of now, in a
// transaction of its own, if that is asked for.
func (k *checker) repair(tb *schema.Table, ix *schema.Index, key, tuple []byte) (bool, error) {
	if !k.opts.Repair {
		return false, nil
	}
	key, tuple = bytes.Clone(key), bytes.Clone(tuple)
	_, err := k.db.core.Write(k.ctx, &mending{tb, ix, key, tuple})
	return err == nil, err
}

// mending is the repair of one index entry.
type mending struct {
	tb         *schema.Table
	ix         *schema.Index
	key, tuple []byte
}

// Run mends the entry.
func (m *mending) Run(ctx context.Context, t *tables.Tx) error {
	fix := checker{ctx: ctx, t: t}
	return fix.mend(m.tb, m.ix, m.key, m.tuple)
}

// mend writes the entry key if the record with the tuple should have it, and
// deletes it unless the record that it names should.
func (k *checker) mend(tb *schema.Table, ix *schema.Index, key, tuple []byte) error {
	if tuple != nil {
		belongs, err := k.belongs(tb, ix, key, tuple)
		if err != nil {
			return err
		}
		if belongs {
			return k.t.RestoreEntry(&k.want, k.want.Find(key), tuple)
		}
	}
	value, _, err := k.t.GetKey(key)
	if err != nil {
		return err
	}
	if named, err := record.SplitEntry(tb, ix, key, value); err == nil {
		if ok, err := k.belongs(tb, ix, key, named); ok || err != nil {
			return err
		}
	}
	return k.t.DeleteKey(key)
}
