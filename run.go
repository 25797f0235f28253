package kivis

import (
	"cmp"
	"context"
	"errors"
	"reflect"

	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/schema"
)

// queryCall is a query on its way to be run, without its types.
type queryCall struct {
	conn  Conn
	ref   tableRef
	key   reflect.Type // K; nil where records go by name
	op    string
	q     query.Query
	after string
	err   error

	dropped []query.Order // an order that makes no difference: only its mistakes count
}

// order has the query find its records in another order than it says, or in any.
func (a *queryCall) order(terms ...query.Order) {
	if a.dropped == nil {
		a.dropped = a.q.Order
	}
	a.q.Order, a.q.ByKey = terms, false
}

// queryRun is a query that is being run.
type queryRun struct {
	s      session
	plan   *query.Plan
	found  found       // what it is about, if it is a point
	rows   *query.Rows // else
	closed bool
	busy   error // why the rows could not go on
	paused bool  // the caller is at work, and may use the transaction
}

// start plans a query and begins to run it. If it fails there is nothing to
// close.
func (r *queryRun) start(ctx context.Context, a *queryCall, want query.Want, life lifetime) (err error) {
	if r.s, err = open(ctx, a.conn, a.op, a.ref, life); err != nil {
		return err
	}
	s := &r.s
	if r.plan, err = a.prepare(s, want, &r.found); err != nil {
		return s.close(nil, Outcome{}, err)
	}
	if !r.found.done {
		r.rows = s.t.Run(s.call.ctx, r.plan)
	}
	return nil
}

// plan returns the plan of the query as the session sees its table, if it may
// be run.
func (a *queryCall) plan(s *session, want query.Want) (*query.Plan, error) {
	return a.planIn(s.db, s.table, want)
}

// planIn returns the plan of the query on a table of db, if it may be run, and
// counts it.
func (a *queryCall) planIn(db *DB, tb *schema.Table, want query.Want) (*query.Plan, error) {
	plan, err := a.make(db, tb, want)
	if err == nil {
		err = db.admit(plan)
	}
	return plan, err
}

// make returns the plan of the query on a table of db.
func (a *queryCall) make(db *DB, tb *schema.Table, want query.Want) (*query.Plan, error) {
	if a.err != nil {
		return nil, inTable(a.err, tb)
	}
	if a.key != nil {
		if _, err := tb.KeyPlan(a.key); err != nil {
			return nil, err
		}
	}
	if len(a.dropped) > 0 {
		if err := query.CheckOrder(tb, a.dropped); err != nil {
			return nil, err
		}
	}
	if a.after != "" {
		shape, err := shapeOf(tb, &a.q)
		if err != nil {
			return nil, err
		}
		at, err := db.readCursor(shape, a.after)
		if err != nil {
			return nil, err
		}
		a.q.After = at.place
	}
	return query.Compile(tb, &a.q, want)
}

// inTable names the table in a mistake that was made before it was known.
func inTable(err error, tb *schema.Table) error {
	var e *QueryError
	if !errors.As(err, &e) || e.Table != "" {
		return err
	}
	named := *e
	named.Table = tb.Name
	return &named
}

// admit refuses or counts a plan that reads a whole table for want of an index.
func (db *DB) admit(plan *query.Plan) error {
	if !plan.FullScan() {
		return nil
	}
	if db.opts.RefuseScans {
		return ErrFullScan
	}
	db.fullScans.Add(1)
	return nil
}

// cap makes n the limit of the query, if it has no lower one.
func (a *queryCall) cap(n int) {
	if a.q.Limit < 0 || a.q.Limit > n {
		a.q.Limit = n
	}
}

// named names the call and the table in an error about what was found.
func (a *queryCall) named(err error) error {
	return wrap(a.op, a.ref.find(a.conn.base().core.Schema()), nil, err)
}

// next goes on to the next row. Within it and until pause no other call may use
// the transaction.
func (r *queryRun) next() bool {
	if r.paused {
		if r.busy = r.s.t.Enter(); r.busy != nil {
			return false
		}
		r.paused = false
	}
	return r.rows.Next()
}

// pause lets the caller use the transaction until the next row.
func (r *queryRun) pause() {
	if !r.s.own {
		r.s.t.Leave()
		r.paused = true
	}
}

// fetch is next for a query that the caller does not let go of before its end, and
// that may be a point.
func (r *queryRun) fetch() bool {
	if r.found.done {
		return r.found.take()
	}
	return r.rows.Next()
}

// row returns the current row, which the next call changes.
func (r *queryRun) row() *query.Row {
	if r.found.done {
		return &r.found.row
	}
	return r.rows.Row()
}

// err returns what has ended the rows.
func (r *queryRun) err() error {
	if r.found.done {
		return r.found.err
	}
	return cmp.Or(r.busy, r.rows.Err())
}

// close ends the run, once, and returns err with the call and the table in it.
// The rows and the plan, whose memory goes to others, are not used afterwards.
func (r *queryRun) close(err error) error {
	if r.closed {
		return err
	}
	r.closed = true
	if r.paused && r.s.t.Enter() != nil {
		// Others are using the transaction, which can only be discarded now.
		return wrap(r.s.call.op, r.s.table, nil, ErrTxBusy)
	}
	stats := r.found.stats
	if !r.found.done {
		r.s.t.CloseRows(r.rows)
		stats = r.rows.Stats()
		r.rows.Release()
	}
	result := r.s.db.result(r.plan, stats)
	r.plan.Release()
	return r.s.close(nil, result, err)
}

// result is what the tracer gets to know of a query.
func (db *DB) result(plan *query.Plan, stats query.Stats) Outcome {
	r := Outcome{Rows: stats.Rows, Entries: stats.Entries + stats.Records}
	if db.opts.Tracer != nil {
		r.Plan = plan.String()
	}
	return r
}

func (a *queryCall) count(ctx context.Context) (n int, err error) {
	s, err := open(ctx, a.conn, a.op, a.ref, a.lifetime())
	if err != nil {
		return 0, err
	}
	defer s.abandoned()
	var found found
	plan, err := a.prepare(&s, query.Want{Kind: query.Count}, &found)
	if err != nil {
		return 0, s.close(nil, Outcome{}, err)
	}
	n, stats, err := found.stats.Rows, found.stats, found.err
	if !found.done {
		n, stats, err = plan.Count(s.call.ctx, s.t.Reader())
	}
	result := s.db.result(plan, stats)
	plan.Release()
	return n, s.close(nil, result, err)
}

func (a *queryCall) explain() (plan query.Plan, err error) {
	s, err := open(context.Background(), a.conn, a.op, a.ref, untilReturn)
	if err != nil {
		return plan, err
	}
	p, err := a.make(s.db, s.table, query.Want{Kind: query.Records})
	if err == nil {
		plan = *p
	}
	return plan, s.close(nil, Outcome{}, err)
}

func (a *queryCall) analyze(ctx context.Context) (plan query.Plan, err error) {
	s, err := open(ctx, a.conn, a.op, a.ref, untilReturn)
	if err != nil {
		return plan, err
	}
	defer s.abandoned()
	p, err := a.plan(&s, query.Want{Kind: query.Records})
	if err == nil {
		plan, err = p.Analyze(s.call.ctx, s.t.Reader())
	}
	return plan, s.close(nil, Outcome{}, err)
}
