package kivis

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

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
