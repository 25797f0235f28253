package kivis

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/reflectx"
)

// Query is a question to the table of the record R. It is a value: each method
// that builds returns a copy, so a query may be kept, shared and built upon.
// The first mistake sticks, and the call that runs the query returns it. What
// runs it reads through the table's [Conn].
type Query[R any, K comparable] struct {
	table Table[R, K]
	q     query.Query
	after string // what After was given
	err   error  // the first mistake
}

// Query starts a query for all records, in primary-key order.
func (t Table[R, K]) Query() Query[R, K] {
	return Query[R, K]{table: t, q: allRecords()}
}

// allRecords is the query for all records, in primary-key order.
func allRecords() query.Query { return query.Query{ByKey: true, Limit: -1} }

// Where starts a query for the records for which all of the predicates hold.
// Without OrderBy they come in the order of the plan, which is deterministic,
// but may change with the indexes. Where() is Query().
func (t Table[R, K]) Where(preds ...Pred[R]) Query[R, K] { return t.Query().Where(preds...) }

// Range starts a query for the records with keys from lo to before hi, in
// primary-key order. An inverted range is empty.
func (t Table[R, K]) Range(lo, hi K) Query[R, K] {
	q := t.Query()
	q.q.Where = t.Key().Range(lo, hi).expr
	return q
}

// Where narrows the query to records for which all of the predicates hold too.
func (q Query[R, K]) Where(preds ...Pred[R]) Query[R, K] {
	where := conjunction(q.q.Where, preds)
	if q.q.Where == nil && where != nil {
		q.q.ByKey = false
	}
	q.q.Where = where
	return q
}

// OrderBy orders the records, by the first term and then, where that is equal,
// by the next ones; ties are broken by the primary key. Nil comes first. It
// replaces an earlier OrderBy.
func (q Query[R, K]) OrderBy(terms ...Order[R]) Query[R, K] {
	q.q.Order = make([]query.Order, len(terms))
	for i, t := range terms {
		q.q.Order[i] = t.term
	}
	return q
}

// Limit ends the query after n records; 0 finds nothing.
func (q Query[R, K]) Limit(n int) Query[R, K] {
	if n < 0 {
		return q.fail("limit", fmt.Errorf("Limit(%d) is negative", n))
	}
	q.q.Limit = n
	return q
}

// Offset skips the first n records. It reads them, so for pages [Query.Page]
// is the better way.
func (q Query[R, K]) Offset(n int) Query[R, K] {
	if n < 0 {
		return q.fail("offset", fmt.Errorf("Offset(%d) is negative", n))
	}
	q.q.Offset = n
	return q
}

// After leaves out everything up to a cursor that a [Page] of the same query
// gave. "" is the beginning.
func (q Query[R, K]) After(cursor string) Query[R, K] {
	q.after = cursor
	return q
}

// Using has the plan use the index with the name. One that cannot bound the
// predicates is read as a whole. An unknown one is a [QueryError].
func (q Query[R, K]) Using(index string) Query[R, K] {
	q.q.Using = index
	return q
}

// fail notes a mistake, unless there is one already.
func (q Query[R, K]) fail(clause string, err error) Query[R, K] {
	if q.err == nil {
		q.err = &QueryError{Clause: clause, Err: err}
	}
	return q
}

// uniqueOf returns keys without repeats, in order of appearance.
func uniqueOf[K comparable](keys []K) []K {
	seen := make(map[K]bool, len(keys))
	return slices.DeleteFunc(slices.Clone(keys), func(k K) bool {
		again := seen[k]
		seen[k] = true
		return again
	})
}

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
	return eachRow(ctx, q.call("all"), query.Want{Kind: query.Records}, func(_ *queryRun, row *query.Row, rec *R) error { return decodeRow(row, rec) })
}

// Keys is All for the primary keys alone. It reads no records where an index
// has all that the query asks for.
func (q Query[R, K]) Keys(ctx context.Context) iter.Seq2[K, error] {
	return eachRow(ctx, q.call("keys"), query.Want{Kind: query.Keys}, func(run *queryRun, row *query.Row, key *K) error {
		return slot(key).decode(run.s.table, row.Key)
	})
}

// eachRow returns what value, which is given zero, makes of each row of a query.
func eachRow[V any](ctx context.Context, a queryCall, want query.Want, value func(run *queryRun, row *query.Row, v *V) error) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var none V
		var run queryRun
		if err := run.start(ctx, &a, want, untilClose); err != nil {
			yield(none, err)
			return
		}
		defer run.close(nil)
		v := new(V) // on the heap once, not for each row
		for run.next() {
			*v = none
			if err := value(&run, run.rows.Row(), v); err != nil {
				yield(none, run.close(err))
				return
			}
			run.pause()
			if !yield(*v, nil) {
				return
			}
		}
		if err := run.close(run.err()); err != nil {
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
	a, run := q.call(op), queryRun{}
	if err := run.start(ctx, &a, query.Want{Kind: query.Records}, a.lifetime()); err != nil {
		return nil, err
	}
	defer run.close(nil)
	recs := []R{}
	var none R
	for run.fetch() {
		recs = append(recs, none)
		if err := decodeRow(run.row(), &recs[len(recs)-1]); err != nil {
			return nil, run.close(err)
		}
	}
	if err := run.close(run.err()); err != nil {
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
	a, run := q.call(op), queryRun{}
	a.cap(n)
	if err := run.start(ctx, &a, query.Want{Kind: query.Records}, a.lifetime()); err != nil {
		return none, err
	}
	defer run.close(nil)
	if !run.fetch() {
		return none, run.close(cmp.Or(run.err(), ErrNotFound))
	}
	rec := new(R)
	if err := decodeRow(run.row(), rec); err != nil {
		return none, run.close(err)
	}
	if n > 1 && run.fetch() {
		return none, run.close(ErrManyFound)
	}
	if err := run.close(run.err()); err != nil {
		return none, err
	}
	return *rec, nil
}

// Count returns how many records the query finds. It reads index entries
// alone where they have what the query asks for.
func (q Query[R, K]) Count(ctx context.Context) (int, error) {
	a := q.call("count")
	return a.count(ctx)
}

// Exists reports whether the query finds anything.
func (q Query[R, K]) Exists(ctx context.Context) (bool, error) {
	a := q.call("exists")
	a.cap(1)
	n, err := a.count(ctx)
	return n > 0, err
}

// Explain returns how All would read the records, without reading any. Its
// String says it at a glance.
func (q Query[R, K]) Explain() (query.Plan, error) {
	a := q.call("explain")
	return a.explain()
}

// Analyze runs the query to its end and returns the plan with what it has
// read, and how long that took.
func (q Query[R, K]) Analyze(ctx context.Context) (query.Plan, error) {
	a := q.call("analyze")
	return a.analyze(ctx)
}

// call returns the query without its types.
func (q Query[R, K]) call(op string) queryCall {
	return queryCall{conn: q.table.conn, ref: refOf[R](), key: reflect.TypeFor[K](), op: op, q: q.q, after: q.after, err: q.err}
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
