package kivis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kivisdb/kivis/internal/check"
	"github.com/kivisdb/kivis/internal/record"
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

	// Progress is called now and then with how much has been read so far.
	Progress func(records, entries int)
}

// Kinds of Fault.
const (
	FaultStore     = check.StoreDamaged  // the store's own verification failed
	FaultRecord    = check.RecordDamaged // a record cannot be read
	FaultMissing   = check.EntryMissing  // an index lacks a record's entry
	FaultWrong     = check.EntryWrong    // a unique entry names another record
	FaultDangling  = check.EntryDangling // an index entry that no record has
	FaultReference = check.RefDangling   // a reference to a record that is not there
	FaultNoAction  = check.RefUnchecked  // the same, where ondelete=noaction allows it
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
	var o CheckOptions
	if opts != nil {
		o = *opts
	}
	if o.MaxFaults == 0 {
		o.MaxFaults = 1000
	}
	c := db.startCall(ctx, "check", "")
	report, err := db.check(ctx, &o)
	err = wrap("check", nil, nil, err)
	c.end(Outcome{Rows: len(report.Faults), Entries: report.Records + report.Entries}, err)
	return report, err
}

// errEnough ends a check that has found MaxFaults.
var errEnough = errors.New("enough faults")

func (db *DB) check(ctx context.Context, o *CheckOptions) (r Report, err error) {
	run := check.Options{Repair: o.Repair, Found: func(f check.Fault) error {
		r.Faults = append(r.Faults, faultOf(f))
		if len(r.Faults) >= o.MaxFaults {
			return errEnough
		}
		return nil
	}}
	if o.Progress != nil {
		run.Progress = func(c check.Counts) { o.Progress(c.Records, c.Entries) }
	}
	counts, err := check.Run(ctx, db.core, run)
	r.Records, r.Entries = counts.Records, counts.Entries
	if errors.Is(err, errEnough) {
		err = nil
	}
	return r, err
}

// faultOf returns a fault with its key as a Go value.
func faultOf(f check.Fault) Fault {
	g := Fault{Index: f.Index, Kind: f.Kind, Err: f.Err, Fixed: f.Fixed}
	if f.Table != nil {
		g.Table = f.Table.Name
		if f.Tuple != nil {
			g.Key = keyValue(&record.Ref{Table: f.Table, Tuple: f.Tuple})
		}
	}
	return g
}

// Stats are counts since the database was opened.
type Stats struct {
	Commits   uint64 // write transactions committed
	Conflicts uint64 // commits refused with ErrConflict
	Retries   uint64 // attempts made again after a conflict
	FullScans uint64 // queries that read a whole table for want of an index

	FailedBuilds int // index builds in the background that have failed; the next Register says how

	OpenTx         int           // transactions and iterators open now, single calls left out
	OldestSnapshot time.Duration // how long the oldest of them has been open
}

// Stats returns what the database has done since it was opened, and what is
// open now.
func (db *DB) Stats() Stats {
	if db.usable() != nil {
		return Stats{}
	}
	s := db.core.Stats()
	return Stats{
		Commits:        s.Commits,
		Conflicts:      s.Conflicts,
		Retries:        s.Retries,
		FullScans:      db.fullScans.Load(),
		FailedBuilds:   db.migrator.FailedBuilds(),
		OpenTx:         s.OpenTx,
		OldestSnapshot: s.Oldest,
	}
}
