package kivis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/schema"
)

// Delete deletes the records that the query finds, in one transaction, with
// all delete rules, and returns how many the query found and are gone. The rules
// are checked at the end, on the whole: records that go together do not keep
// each other. It
// honours OrderBy, Limit and Offset. Through a [Bulk] it works in chunks.
func (q Query[R, K]) Delete(ctx context.Context) (int, error) {
	c := queryChange{a: q.call("delete"), one: deleteOne}
	return c.run(ctx)
}

func deleteOne(t *tables.Tx, tb *schema.Table, tuple []byte) error { return t.Delete(tb, tuple) }

// Modify has fn change each record that the query finds, in one transaction,
// with all rules, and returns how many. Uniqueness and references are checked at
// the end: values may be swapped. It honours OrderBy, Limit and Offset.
// On a DB fn runs again after a conflict. An error of fn undoes everything.
// Changing a primary key is ErrKeyChanged. Through a [Bulk] it works in chunks,
// and an error leaves the chunks before.
func (q Query[R, K]) Modify(ctx context.Context, fn func(*R) error) (int, error) {
	if fn == nil {
		return 0, failed("modify", refOf[R](), errNoFunc)
	}
	c := queryChange{a: q.call("modify"), one: func(t *tables.Tx, tb *schema.Table, tuple []byte) error {
		return t.Modify(tb, tuple, &changer{on: &modified[R, K]{fn: fn}})
	}}
	return c.run(ctx)
}

// queryChange changes each record that a query finds. It finds them all before it
// changes the first, so that no change makes it miss or meet a record.
type queryChange struct {
	mutation
	a    queryCall
	ctx  context.Context // of the call
	one  func(t *tables.Tx, tb *schema.Table, tuple []byte) error
	n    int     // how many have been changed
	page int     // how many keys are read at a time; 0 is all
	how  Outcome // the reading of the keys
}

// report tells the tracer how the records were found.
func (c *queryChange) report(r *Outcome) {
	r.Rows, r.Plan, r.Entries = c.n, c.how.Plan, c.how.Entries
}

func (c *queryChange) repeats() bool { return true }

func (c *queryChange) run(ctx context.Context) (int, error) {
	if b, ok := c.a.conn.(*Bulk); ok && b != nil && b.hold == 0 {
		return c.chunked(ctx, b)
	}
	c.ctx = ctx
	c.mutation = mutation{conn: c.a.conn, op: c.a.op, ref: c.a.ref, work: c}
	if err := c.mutation.run(ctx); err != nil {
		return 0, err
	}
	return c.n, nil
}

// do changes all of the records in t.
func (c *queryChange) do(t *tables.Tx, tb *schema.Table) error {
	c.n, c.how = 0, Outcome{}
	keys, _, err := c.keys(c.ctx, t, tb)
	if err != nil {
		return err
	}
	c.tuple, err = c.changeAll(c.ctx, t, tb, keys)
	return err
}

// changeAll changes the records with the keys, and has the rules checked at the
// end. For an error it returns the key of the record that it is about.
func (c *queryChange) changeAll(ctx context.Context, t *tables.Tx, tb *schema.Table, keys [][]byte) (at []byte, err error) {
	culprit, err := t.Batch(func() error {
		for i, tuple := range keys {
			if i%256 == 255 && ctx.Err() != nil {
				return ctx.Err()
			}
			if err := c.change(t, tb, tuple); err != nil {
				at = tuple
				return err
			}
		}
		return nil
	})
	if culprit != nil {
		at = culprit
	}
	return at, err
}

// change changes one record, unless an earlier change has removed it.
func (c *queryChange) change(t *tables.Tx, tb *schema.Table, tuple []byte) error {
	err := c.one(t, tb, tuple)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err == nil {
		c.n++
	}
	return err
}

// keys returns the primary keys that the query finds in t, and whether it read
// them in their order.
func (c *queryChange) keys(ctx context.Context, t *tables.Tx, tb *schema.Table) (keys [][]byte, inOrder bool, err error) {
	db := c.a.conn.base()
	plan, err := c.a.planIn(db, tb, query.Want{Kind: query.Keys})
	if err != nil {
		return nil, false, err
	}
	defer plan.Release()
	if inOrder = !plan.Sorts(); c.page > 0 && !inOrder {
		return nil, false, nil // to find one page it would read all of them
	}
	rows := plan.Run(ctx, t.Reader())
	defer rows.Release()
	size := 0
	for rows.Next() {
		keys = append(keys, bytes.Clone(rows.Row().Key))
		if size += len(rows.Row().Key) + keyOverhead; size > query.MaxSortBytes {
			return nil, false, fmt.Errorf("%w: the keys of the records to change, over %d MB; a Bulk changes any number in chunks", query.ErrSortTooLarge, query.MaxSortBytes>>20)
		}
	}
	how := db.result(plan, rows.Stats())
	c.how.Plan, c.how.Entries = how.Plan, c.how.Entries+how.Entries
	return keys, inOrder, rows.Err()
}

// chunkChange is the change of one chunk of the records through a Bulk.
type chunkChange struct {
	mutation
	c    *queryChange
	ctx  context.Context
	keys [][]byte

	ran     bool // before; then the predicate is asked again
	changed int  // how many the last run changed
}

func (s *chunkChange) do(t *tables.Tx, tb *schema.Table) (err error) {
	keys := s.keys
	s.c.n -= s.changed
	if s.ran {
		if keys, err = s.c.stillFound(s.ctx, t, tb, keys); err != nil {
			return err
		}
	}
	before := s.c.n
	s.tuple, err = s.c.changeAll(s.ctx, t, tb, keys)
	s.ran, s.changed = true, s.c.n-before
	return err
}

func (s *chunkChange) repeats() bool { return true }

func (s *chunkChange) report(r *Outcome) { r.Rows = s.changed }

// stillFound returns those of the keys whose records the query's predicate holds
// for in t.
func (c *queryChange) stillFound(ctx context.Context, t *tables.Tx, tb *schema.Table, keys [][]byte) (still [][]byte, err error) {
	typ := tb.Key.Tuple
	if len(typ.Parts) == 1 {
		typ = typ.Parts[0]
	}
	base := typ.Base()
	for _, tuple := range keys {
		exact, err := typ.AppendExact(nil, tuple)
		if err != nil {
			return nil, err
		}
		var where query.Expr = query.Cmp{Op: query.Eq, Field: query.Operand{Field: &query.Field{Key: true}}, Value: query.Literal{Type: &base, Exact: exact}}
		if c.a.q.Where != nil {
			where = query.And{where, c.a.q.Where}
		}
		plan, err := query.Compile(tb, &query.Query{Where: where, Limit: -1}, query.Want{Kind: query.Count})
		if err != nil {
			return nil, err
		}
		n, _, err := plan.Count(ctx, t.Reader())
		plan.Release()
		if err != nil {
			return nil, err
		}
		if n > 0 {
			still = append(still, tuple)
		}
	}
	return still, nil
}

// keyOverhead is about how many bytes a key takes beside its own.
const keyOverhead = 32

// chunked changes the records through a Bulk, in chunks that are a step each. Where the query finds them in key order, it does so a chunk at a
// time, from what is written by then; else all keys are read first.
func (c *queryChange) chunked(ctx context.Context, b *Bulk) (int, error) {
	if err := checkContext(ctx); err != nil {
		return 0, failed(c.a.op, c.a.ref, err)
	}
	if q := &c.a.q; len(q.Order) == 0 && q.Limit < 0 && q.Offset == 0 && c.a.after == "" {
		c.page = b.opts.ChunkSize
	}
	for {
		keys, more, err := c.flushed(ctx, b)
		if err != nil {
			return c.n, err
		}
		for chunk := range slices.Chunk(keys, b.opts.ChunkSize) {
			m := chunkChange{c: c, ctx: ctx, keys: chunk}
			m.mutation = mutation{conn: b, op: c.a.op, ref: c.a.ref, work: &m}
			if err := m.run(ctx); err != nil {
				return c.n, err
			}
		}
		if !more {
			return c.n, nil
		}
		c.a.q.After = &query.Position{Key: keys[len(keys)-1], After: true}
	}
}

// flushed commits the pending chunk and returns the next keys that the query
// finds, and whether there may be more.
func (c *queryChange) flushed(ctx context.Context, b *Bulk) (keys [][]byte, more bool, err error) {
	if b.ended {
		return nil, false, failed(c.a.op, c.a.ref, ErrTxDone)
	}
	if err := b.flush(ctx); err != nil {
		return nil, false, err
	}
	t, err := b.db.core.Begin(ctx, false)
	if err != nil {
		return nil, false, failed(c.a.op, c.a.ref, err)
	}
	defer t.Release()
	tb, err := tableOf(t, c.a.ref)
	if err != nil {
		return nil, false, failed(c.a.op, c.a.ref, err)
	}
	keys, more, err = c.nextKeys(ctx, t, tb)
	return keys, more, wrap(c.a.op, tb, nil, err)
}

// nextKeys returns one page of keys, or all where they do not come in order.
func (c *queryChange) nextKeys(ctx context.Context, t *tables.Tx, tb *schema.Table) (keys [][]byte, more bool, err error) {
	if c.page == 0 {
		keys, _, err = c.keys(ctx, t, tb)
		return keys, false, err
	}
	given := c.a.q
	c.a.q.ByKey, c.a.q.Limit = true, c.page
	keys, inOrder, err := c.keys(ctx, t, tb)
	if err != nil || inOrder {
		return keys, len(keys) == c.page, err
	}
	c.a.q, c.page = given, 0
	keys, _, err = c.keys(ctx, t, tb)
	return keys, false, err
}
