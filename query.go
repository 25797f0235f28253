package kivis

import (
	"fmt"
	"slices"

	"github.com/kivisdb/kivis/query"
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
