package kivis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Options are the settings of a database. A nil *Options means all defaults.
type Options struct {
	// RefuseScans turns a query that would read a whole table for want of an
	// index into ErrFullScan.
	RefuseScans bool

	// MaxAttempts bounds how often a transaction is run when it conflicts with
	// others. 0 means 100.
	MaxAttempts int

	// BackgroundBuilds has Register return before new indexes over stored
	// records are built. Until an index is ready it is kept up to date, but
	// queries do without it. What goes wrong is logged, and a unique index that
	// stored records break stays unready until a Register reports it.
	BackgroundBuilds bool

	// AllowOlder lets a program register record types older than the stored
	// ones: what it writes drops the newer fields.
	AllowOlder bool

	// AllowUntyped lets tables by name write records whose Go type is not
	// registered, though the program that registered it has a method Validate
	// or PrimaryKey for them: the first is not called, and records keep the key
	// that they have. Without it such writes are ErrUntyped.
	AllowUntyped bool

	// Feed has the database keep what it knows of its changes, within bounds, for
	// [Table.Changes]; see [Feed] for what zero means. It is kept with the data,
	// where the store lasts. Nil leaves it to the consumers; see [DB.Consumer].
	Feed *Feed

	// Logger receives warnings and slow calls; nil means silence. Logs never
	// hold values of records.
	Logger *slog.Logger

	// Slow is how long a call may take before it is logged; 0 logs none.
	Slow time.Duration

	// Tracer is told of every call; nil costs nothing.
	Tracer Tracer
}

// Op is a call as a [Tracer] sees it begin.
type Op struct {
	Table string // stored name; "" for a transaction
	Call  string // such as "get" or "update"
}

// Outcome is how a call ended.
type Outcome struct {
	Plan     string // of a query: what was read, as Explain says it
	Rows     int    // records returned or changed
	Entries  int    // index entries and records read by a query
	Attempts int    // of a transaction: how often it ran
	Err      error
}

// Tracer is told when each call begins and ends. Start may return a context
// with a span in it, which End receives and which the call goes on with; nil
// stands for the one it was given.
type Tracer interface {
	Start(ctx context.Context, op Op) context.Context
	End(ctx context.Context, r Outcome)
}

// defaultAttempts is MaxAttempts where it is not set.
const defaultAttempts = 100

// settings returns o with its defaults filled in, or all its faults.
func (o *Options) settings() (Options, error) {
	var s Options
	if o != nil {
		s = *o
	}
	var faults []error
	if s.MaxAttempts < 0 {
		faults = append(faults, fmt.Errorf("option MaxAttempts (%d) must not be negative", s.MaxAttempts))
	}
	if s.Slow < 0 {
		faults = append(faults, fmt.Errorf("option Slow (%v) must not be negative", s.Slow))
	}
	if s.Feed != nil {
		if _, _, err := s.Feed.Bounds(); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) > 0 {
		return s, fmt.Errorf("kivis: %w", errors.Join(faults...))
	}
	if s.MaxAttempts == 0 {
		s.MaxAttempts = defaultAttempts
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// call is one public call as the tracer and the log of slow calls see it. The
// zero call, where neither is set, costs nothing.
type call struct {
	db    *DB
	ctx   context.Context
	op    string
	table string
	began time.Time
	ended bool
}

// errAbandoned is how a call ends that does not return.
var errAbandoned = errors.New("ended by a panic or runtime.Goexit")

// startCall notes the begin of a call and tells the tracer.
func (db *DB) startCall(ctx context.Context, op, table string) call {
	c := call{ctx: ctx, op: op, table: table}
	if db.opts.Tracer == nil && db.opts.Slow == 0 {
		return c
	}
	c.db, c.began = db, time.Now()
	if db.opts.Tracer != nil {
		if traced := db.opts.Tracer.Start(ctx, Op{Table: table, Call: op}); traced != nil {
			c.ctx = traced
		}
	}
	return c
}

// abandoned ends a call that has not ended: deferred by those that run a user's
// function.
func (c *call) abandoned() {
	if !c.ended {
		c.end(Outcome{}, errAbandoned)
	}
}

// end tells the tracer, and logs the call if it was slow.
func (c *call) end(r Outcome, err error) {
	c.ended = true
	if c.db == nil {
		return
	}
	r.Err = err
	if c.db.opts.Tracer != nil {
		c.db.opts.Tracer.End(c.ctx, r)
	}
	took := time.Since(c.began)
	if slow := c.db.opts.Slow; slow > 0 && took >= slow {
		c.db.opts.Logger.LogAttrs(c.ctx, slog.LevelWarn, "slow call",
			slog.String("call", c.op), slog.String("table", c.table), slog.Duration("took", took),
			slog.Int("rows", r.Rows), slog.Int("entries", r.Entries), slog.Int("attempts", r.Attempts),
			slog.Bool("failed", err != nil))
	}
}
