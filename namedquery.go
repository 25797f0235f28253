package kivis

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/schema"
)

// NamedQuery is a question to a table by name. It is a value, as [Query] is, and
// its methods do what those of the same names do there.
type NamedQuery struct {
	table NamedTable
	q     query.Query
	after string
	err   error // the first mistake
}

// Where narrows the query by predicates written as text, in the grammar of
// [Query.WhereText]; each ? stands for the next of params.
func (q NamedQuery) Where(text string, params ...any) NamedQuery {
	e, err := parseWhere(text, params)
	if err != nil {
		return q.fail(err)
	}
	if q.q.Where == nil {
		q.q.Where, q.q.ByKey = e, false
	} else {
		q.q.Where = query.And{q.q.Where, e}
	}
	return q
}

// OrderBy orders the records by terms such as "Departs", "-Departs" or
// "Departs desc"; several may be in one text, with commas between. It replaces
// an earlier OrderBy.
func (q NamedQuery) OrderBy(terms ...string) NamedQuery {
	if len(terms) == 0 {
		q.q.Order = nil
		return q
	}
	order, err := query.ParseOrder(strings.Join(terms, ", "))
	if err != nil {
		return q.fail(err)
	}
	q.q.Order = order
	return q
}

// Limit ends the query after n records.
func (q NamedQuery) Limit(n int) NamedQuery {
	if n < 0 {
		return q.fail(&QueryError{Clause: "limit", Err: fmt.Errorf("Limit(%d) is negative", n)})
	}
	q.q.Limit = n
	return q
}

// Offset skips the first n records.
func (q NamedQuery) Offset(n int) NamedQuery {
	if n < 0 {
		return q.fail(&QueryError{Clause: "offset", Err: fmt.Errorf("Offset(%d) is negative", n)})
	}
	q.q.Offset = n
	return q
}

// After leaves out everything up to a cursor that a [Page] of the same query gave.
func (q NamedQuery) After(cursor string) NamedQuery {
	q.after = cursor
	return q
}

// Using has the plan use the index with the name.
func (q NamedQuery) Using(index string) NamedQuery {
	q.q.Using = index
	return q
}

func (q NamedQuery) fail(err error) NamedQuery {
	q.err = cmp.Or(q.err, err)
	return q
}

func (q NamedQuery) call(op string) queryCall {
	return queryCall{conn: q.table.conn, ref: q.table.ref(), op: op, q: q.q, after: q.after, err: q.err}
}

// rowRecord returns the record of a row.
func rowRecord(row *query.Row) (Record, error) {
	offs, err := codec.Split(row.Body, len(row.Table.Columns), nil)
	if err != nil {
		return Record{}, record.Corrupt(row.Table, row.Key, err)
	}
	return Record{tb: row.Table, tuple: bytes.Clone(row.Key), body: row.Body, offs: offs}, nil
}

// All returns the records one after the other as they are read; see [Query.All].
func (q NamedQuery) All(ctx context.Context) iter.Seq2[Record, error] {
	return eachRow(ctx, q.call("all"), query.Want{Kind: query.Records}, func(_ *queryRun, row *query.Row, rec *Record) (err error) {
		*rec, err = rowRecord(row)
		return err
	})
}

// Keys is All for the primary keys alone.
func (q NamedQuery) Keys(ctx context.Context) iter.Seq2[Key, error] {
	return eachRow(ctx, q.call("keys"), query.Want{Kind: query.Keys}, func(run *queryRun, row *query.Row, key *Key) error {
		*key = keyFrom(run.s.table, row.Key)
		return nil
	})
}

// All returns all records in primary-key order.
func (t NamedTable) All(ctx context.Context) iter.Seq2[Record, error] { return t.Query().All(ctx) }

// Count returns the number of records.
func (t NamedTable) Count(ctx context.Context) (int, error) { return t.Query().Count(ctx) }

// Collect returns the records in a slice.
func (q NamedQuery) Collect(ctx context.Context) ([]Record, error) {
	recs := []Record{}
	err := q.collect(ctx, q.call("collect"), &recs)
	return recs, err
}

func (q NamedQuery) collect(ctx context.Context, a queryCall, recs *[]Record) error {
	var run queryRun
	if err := run.start(ctx, &a, query.Want{Kind: query.Records}, a.lifetime()); err != nil {
		return err
	}
	defer run.close(nil)
	for run.fetch() {
		rec, err := rowRecord(run.row())
		if err != nil {
			return run.close(err)
		}
		*recs = append(*recs, rec)
	}
	return run.close(run.err())
}

// First returns the first record, or ErrNotFound.
func (q NamedQuery) First(ctx context.Context) (Record, error) { return q.only(ctx, "first", 1) }

// One returns the only record, or ErrNotFound, or ErrManyFound.
func (q NamedQuery) One(ctx context.Context) (Record, error) { return q.only(ctx, "one", 2) }

// only reads up to n records and returns the first, if it is the only one.
func (q NamedQuery) only(ctx context.Context, op string, n int) (Record, error) {
	a := q.call(op)
	a.cap(n)
	var recs []Record
	switch err := q.collect(ctx, a, &recs); {
	case err != nil:
		return Record{}, err
	case len(recs) == 0:
		return Record{}, a.named(ErrNotFound)
	case len(recs) > 1:
		return Record{}, a.named(ErrManyFound)
	}
	return recs[0], nil
}

// Count returns how many records the query finds.
func (q NamedQuery) Count(ctx context.Context) (int, error) {
	a := q.call("count")
	return a.count(ctx)
}

// Exists reports whether the query finds anything.
func (q NamedQuery) Exists(ctx context.Context) (bool, error) {
	a := q.call("exists")
	a.cap(1)
	n, err := a.count(ctx)
	return n > 0, err
}

// Page returns up to size records from a cursor on; see [Query.Page].
func (q NamedQuery) Page(ctx context.Context, size int, cursor string) (Page[Record], error) {
	q.q.ByKey = true
	p := newPager(q.call("page"), size)
	page := Page[Record]{Records: []Record{}}
	err := p.run(ctx, cursor, func(row *query.Row) error {
		rec, err := rowRecord(row)
		page.Records = append(page.Records, rec)
		return err
	})
	if err != nil {
		return Page[Record]{}, err
	}
	if p.back {
		slices.Reverse(page.Records)
	}
	page.Next, page.Prev = p.next, p.prev
	return page, nil
}

// Explain returns how All would read the records, without reading any.
func (q NamedQuery) Explain() (query.Plan, error) {
	a := q.call("explain")
	return a.explain()
}

// Analyze runs the query and returns the plan with what it has read.
func (q NamedQuery) Analyze(ctx context.Context) (query.Plan, error) {
	a := q.call("analyze")
	return a.analyze(ctx)
}

// Delete deletes the records that the query finds; see [Query.Delete].
func (q NamedQuery) Delete(ctx context.Context) (int, error) {
	c := queryChange{a: q.call("delete"), one: deleteOne}
	return c.run(ctx)
}

// Modify has fn change each record that the query finds; see [Query.Modify].
func (q NamedQuery) Modify(ctx context.Context, fn func(*Record) error) (int, error) {
	if fn == nil {
		return 0, failed("modify", q.table.ref(), errNoFunc)
	}
	c := queryChange{a: q.call("modify"), one: func(t *tables.Tx, tb *schema.Table, tuple []byte) error {
		return t.Modify(tb, tuple, q.table.change(fn))
	}}
	return c.run(ctx)
}

// Group is how many records have one value of a field.
type Group struct {
	Value any    // as [Key.Values] has the part of a key
	Text  string // the value as [NamedQuery.Where] reads it
	Count int
}

// GroupCount returns how many of the records that the query finds have each
// value of a field, in the order of the values: nil, where a pointer can be that,
// is one of them. The field is named as in Where: any(Tags) counts elements. An
// index on the field is read alone; see the function GroupCount.
func (q NamedQuery) GroupCount(ctx context.Context, field string) ([]Group, error) {
	a := q.call("group count")
	op, err := parseField(field)
	if err != nil {
		a.err = errors.Join(a.err, err)
	}
	counts, typ, err := countParts(ctx, a, op)
	if err != nil {
		return nil, err
	}
	groups := make([]Group, 0, len(counts))
	for _, part := range slices.Sorted(maps.Keys(counts)) {
		v, _, err := typ.Value([]byte(part))
		if err != nil {
			return nil, a.named(err)
		}
		text := query.Literal{Type: &typ, Exact: []byte(part)}.String()
		groups = append(groups, Group{v, text, *counts[part]})
	}
	return groups, nil
}

// countParts returns how many rows of the query have each key part of the field,
// and what type the parts are.
func countParts(ctx context.Context, a queryCall, op query.Operand) (map[string]*int, codec.KeyType, error) {
	if a.q.Limit < 0 && a.q.Offset == 0 && a.after == "" {
		a.order() // it makes no difference
	}
	var run queryRun
	if err := run.start(ctx, &a, query.Want{Kind: query.Values, Value: op}, untilReturn); err != nil {
		return nil, codec.KeyType{}, err
	}
	defer run.close(nil)
	typ := run.plan.ValueType()
	counts := map[string]*int{}
	for run.rows.Next() {
		part := run.rows.Row().Part
		n := counts[string(part)]
		if n == nil {
			n = new(int)
			counts[string(part)] = n
		}
		*n++
	}
	return counts, typ, run.close(run.rows.Err())
}

// parseField returns the field that text names.
func parseField(text string) (query.Operand, error) {
	terms, err := query.ParseOrder(text)
	if err == nil && (len(terms) != 1 || terms[0].Desc) {
		err = &QueryError{Clause: "field", Err: errors.New("one field is wanted, such as Origin or any(Tags)")}
	}
	if err != nil {
		return query.Operand{}, err
	}
	return terms[0].Field, nil
}
