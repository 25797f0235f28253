package kivis

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"reflect"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
)

// All returns the records that the query finds, one after the other, as they
// are read. On an error it yields that once, with a zero record, and ends: so
// test the error first. Breaking off frees everything, as does the end of ctx.
//
// Inside a transaction the records are those of the moment at which the loop
// began: writes in the loop's body change neither which come nor their order.
// Such a write reads into memory what is left of them; where that is over the
// limit of [query.MaxSortBytes] the loop ends with an error, and Query.Modify
// or a Bulk is the way.
func (q Query[R, K]) All(ctx context.Context) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var none R
		a, run := q.ask("all"), reading{}
		if err := run.start(ctx, &a, query.Want{Kind: query.Records}, untilClose); err != nil {
			yield(none, err)
			return
		}
		defer run.close(nil)
		rec := new(R)
		for run.rows.Next() {
			*rec = none
			if err := decodeRow(run.rows.Row(), rec); err != nil {
				yield(none, run.close(err))
				return
			}
			if !yield(*rec, nil) {
				return
			}
		}
		if err := run.close(run.rows.Err()); err != nil {
			yield(none, err)
		}
	}
}

// Keys is All for the primary keys alone. It reads no records where an index
// has all that the query asks for.
func (q Query[R, K]) Keys(ctx context.Context) iter.Seq2[K, error] {
	return func(yield func(K, error) bool) {
		var none K
		a, run := q.ask("keys"), reading{}
		if err := run.start(ctx, &a, query.Want{Kind: query.Keys}, untilClose); err != nil {
			yield(none, err)
			return
		}
		defer run.close(nil)
		for run.rows.Next() {
			var key K
			if err := slot(&key).decode(run.s.table, run.rows.Row().Key); err != nil {
				yield(none, run.close(err))
				return
			}
			if !yield(key, nil) {
				return
			}
		}
		if err := run.close(run.rows.Err()); err != nil {
			yield(none, err)
		}
	}
}

// All returns all records in primary-key order; see [Query.All].
func (t Table[R, K]) All(ctx context.Context) iter.Seq2[R, error] { return t.Query().All(ctx) }

// Count returns the number of records.
func (t Table[R, K]) Count(ctx context.Context) (int, error) { return t.Query().Count(ctx) }

// Collect returns the records that the query finds, in a slice.
func (q Query[R, K]) Collect(ctx context.Context) ([]R, error) {
	return q.collect(ctx, "collect")
}

func (q Query[R, K]) collect(ctx context.Context, op string) ([]R, error) {
	a, run := q.ask(op), reading{}
	if err := run.start(ctx, &a, query.Want{Kind: query.Records}, untilReturn); err != nil {
		return nil, err
	}
	defer run.close(nil)
	recs := []R{}
	var none R
	for run.rows.Next() {
		recs = append(recs, none)
		if err := decodeRow(run.rows.Row(), &recs[len(recs)-1]); err != nil {
			return nil, run.close(err)
		}
	}
	if err := run.close(run.rows.Err()); err != nil {
		return nil, err
	}
	return recs, nil
}

// First returns the first record, or ErrNotFound.
func (q Query[R, K]) First(ctx context.Context) (R, error) { return q.only(ctx, "first", 1) }

// One returns the only record, or ErrNotFound where there is none, or
// ErrManyFound where there are several.
func (q Query[R, K]) One(ctx context.Context) (R, error) { return q.only(ctx, "one", 2) }

// only reads up to n records and returns the first, if it is the only one.
func (q Query[R, K]) only(ctx context.Context, op string, n int) (R, error) {
	var none R
	a, run := q.ask(op), reading{}
	a.cap(n)
	if err := run.start(ctx, &a, query.Want{Kind: query.Records}, untilReturn); err != nil {
		return none, err
	}
	defer run.close(nil)
	if !run.rows.Next() {
		return none, run.close(cmp.Or(run.rows.Err(), ErrNotFound))
	}
	rec := new(R)
	if err := decodeRow(run.rows.Row(), rec); err != nil {
		return none, run.close(err)
	}
	if n > 1 && run.rows.Next() {
		return none, run.close(ErrManyFound)
	}
	if err := run.close(run.rows.Err()); err != nil {
		return none, err
	}
	return *rec, nil
}

// none names the call and the table in an error about what was found.
func (a *ask) none(err error) error {
	return wrap(a.op, a.conn.base().core.Schema().ByType(a.typ), nil, err)
}

// Count returns how many records the query finds. It reads index entries
// alone where they have what the query asks for.
func (q Query[R, K]) Count(ctx context.Context) (int, error) {
	a := q.ask("count")
	return a.count(ctx)
}

// Exists reports whether the query finds anything.
func (q Query[R, K]) Exists(ctx context.Context) (bool, error) {
	a := q.ask("exists")
	a.cap(1)
	n, err := a.count(ctx)
	return n > 0, err
}

// Explain returns how All would read the records, without reading any. Its
// String says it at a glance.
func (q Query[R, K]) Explain() (query.Plan, error) {
	a := q.ask("explain")
	return a.explain()
}

// Analyze runs the query to its end and returns the plan with what it has
// read, and how long that took.
func (q Query[R, K]) Analyze(ctx context.Context) (query.Plan, error) {
	a := q.ask("analyze")
	return a.analyze(ctx)
}

// cap makes n the limit of the query, if it has no lower one.
func (a *ask) cap(n int) {
	if a.q.Limit < 0 || a.q.Limit > n {
		a.q.Limit = n
	}
}

// ask returns the query without its types.
func (q Query[R, K]) ask(op string) ask {
	return ask{conn: q.table.conn, typ: reflect.TypeFor[R](), key: reflect.TypeFor[K](), op: op, q: q.q, after: q.after, err: q.err}
}

// decodeRow sets rec, which is zero, to the record of a row.
func decodeRow[R any](row *query.Row, rec *R) error {
	if have, ok := row.Decoded.(*R); ok {
		*rec = *have
		return nil
	}
	if err := row.Table.Decoder().Decode(row.Body, reflectx.To(rec)); err != nil {
		return record.Corrupt(row.Table, row.Key, err)
	}
	return nil
}

// ask is a query on its way to be run, without its types.
type ask struct {
	conn     Conn
	typ, key reflect.Type
	op       string
	q        query.Query
	after    string
	err      error
}

// reading is a query that is being run.
type reading struct {
	s      session
	plan   *query.Plan
	rows   *query.Rows
	closed bool
}

// start plans a query and begins to run it. If it fails there is nothing to
// close.
func (r *reading) start(ctx context.Context, a *ask, want query.Want, life lifetime) (err error) {
	if r.s, err = open(ctx, a.conn, a.op, a.typ, life); err != nil {
		return err
	}
	s := &r.s
	r.plan, err = a.plan(s, want)
	if err == nil {
		err = s.db.admit(r.plan)
	}
	if err != nil {
		return s.close(nil, Result{}, err)
	}
	r.rows = s.t.Run(s.call.ctx, r.plan)
	return nil
}

// plan returns the plan of the query on a table.
func (a *ask) plan(s *session, want query.Want) (*query.Plan, error) {
	return a.planIn(s.db, s.table, want)
}

// planIn returns the plan of the query on a table of db.
func (a *ask) planIn(db *DB, tb *schema.Table, want query.Want) (*query.Plan, error) {
	if a.err != nil {
		return nil, inTable(a.err, tb)
	}
	if _, err := tb.KeyPlan(a.key); err != nil {
		return nil, err
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
	return query.Make(tb, &a.q, want)
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

// close ends the run, once, and returns err with the call and the table in it.
// The rows and the plan, whose memory goes to others, are not used afterwards.
func (r *reading) close(err error) error {
	if r.closed {
		return err
	}
	r.closed = true
	r.s.t.CloseRows(r.rows)
	result := r.s.db.result(r.plan, r.rows.Stats())
	r.rows.Release()
	r.plan.Release()
	return r.s.close(nil, result, fromQuery(err))
}

// result is what the tracer gets to know of a query.
func (db *DB) result(plan *query.Plan, stats query.Stats) Result {
	r := Result{Rows: stats.Rows, Entries: stats.Entries + stats.Records}
	if db.opts.Tracer != nil {
		r.Plan = plan.String()
	}
	return r
}

// fromQuery turns damage that a plan has met into that of a record.
func fromQuery(err error) error {
	if err == nil {
		return nil
	}
	var d *query.Damage
	if !errors.As(err, &d) {
		return err
	}
	return &record.CorruptError{Table: d.Table, Index: d.Index, Tuple: d.Key, Err: d.Err}
}

func (a *ask) count(ctx context.Context) (n int, err error) {
	s, err := open(ctx, a.conn, a.op, a.typ, untilReturn)
	if err != nil {
		return 0, err
	}
	defer s.abandoned()
	plan, err := a.plan(&s, query.Want{Kind: query.Count})
	if err == nil {
		err = s.db.admit(plan)
	}
	if err != nil {
		return 0, s.close(nil, Result{}, err)
	}
	n, stats, err := plan.Count(s.call.ctx, s.t.Reader())
	result := s.db.result(plan, stats)
	plan.Release()
	return n, s.close(nil, result, fromQuery(err))
}

func (a *ask) explain() (plan query.Plan, err error) {
	s, err := open(context.Background(), a.conn, a.op, a.typ, untilReturn)
	if err != nil {
		return plan, err
	}
	p, err := a.plan(&s, query.Want{Kind: query.Records})
	if err == nil {
		plan = *p
	}
	return plan, s.close(nil, Result{}, err)
}

func (a *ask) analyze(ctx context.Context) (plan query.Plan, err error) {
	s, err := open(ctx, a.conn, a.op, a.typ, untilReturn)
	if err != nil {
		return plan, err
	}
	defer s.abandoned()
	p, err := a.plan(&s, query.Want{Kind: query.Records})
	if err == nil {
		err = s.db.admit(p)
	}
	if err == nil {
		plan, err = p.Analyze(s.call.ctx, s.t.Reader())
	}
	return plan, s.close(nil, Result{}, fromQuery(err))
}
