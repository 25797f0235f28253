package kivis

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"iter"
	"reflect"

	"github.com/kivisdb/kivis/internal/live"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
)

// Live yields what fn returns, and again whenever it would return something
// else: fn runs in a read-only transaction, and once more after each commit that
// has written into what its last run read. A result that is equal, as
// reflect.DeepEqual says, is not yielded again. Nothing is queued: while the
// loop's body is at work commits leave one mark, and the next result is the
// newest. When a commit has returned, each Live that it concerns is marked.
//
// The calls of fn must go through its Tx. An error of fn is yielded once and
// ends the loop, as does the end of ctx with its error, and Close with
// ErrClosed. Breaking off frees everything. It is an error that matches
// errors.ErrUnsupported where the store does not say what is written to it.
func Live[T any](ctx context.Context, db *DB, fn func(context.Context, *Tx) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if err := checkFunc(db.outside(ctx), fn == nil); err != nil {
			yield(none, wrap("live", nil, nil, err))
			return
		}
		l := liveValue[T]{db: db, fn: fn, yield: yield}
		if err := live.Follow(ctx, db.core, &l); err != nil {
			if !l.failed {
				err = wrap("live", nil, nil, err)
			}
			yield(none, err)
		}
	}
}

// liveValue is a Live under way.
type liveValue[T any] struct {
	db     *DB
	fn     func(context.Context, *Tx) (T, error)
	yield  func(T, error) bool
	shown  bool // last has been yielded
	last   T
	now    T
	failed bool // the last error was the function's
}

// Read calls the function.
func (l *liveValue[T]) Read(ctx context.Context, t *tables.Tx) (err error) {
	tx := l.db.reading(ctx, t)
	l.now, err = l.fn(tx.ctx, tx)
	l.failed = err != nil
	return err
}

// Show yields what the function has returned, if it is new.
func (l *liveValue[T]) Show(uint64) bool {
	if l.shown && reflect.DeepEqual(l.now, l.last) {
		return true
	}
	l.shown, l.last = true, l.now
	return l.yield(l.now, nil)
}

// reading returns a transaction, for reading alone, as a user's function gets it.
func (db *DB) reading(ctx context.Context, t *tables.Tx) *Tx {
	inner := db.carry(ctx, t)
	return &Tx{t: t, db: db, readOnly: true, ctx: inner, managed: true}
}

// following returns the database that conn is, for what follows one.
func following(ctx context.Context, conn Conn) (*DB, error) {
	if !bound(conn) {
		return nil, errUnbound
	}
	db, ok := conn.(*DB)
	if !ok {
		return nil, errNotDB
	}
	return db, db.outside(ctx)
}

var errNotDB = errors.New("a transaction is one snapshot, in which nothing changes: call it through a handle that is bound to the DB")

// ChangeKind is what has happened to a record.
type ChangeKind = live.Kind

// The kinds of change.
const (
	Inserted = live.Inserted // the record is new
	Updated  = live.Updated  // it is another, or in a list in another place
	Deleted  = live.Deleted  // it is gone
	Reset    = live.Reset    // from Follow: forget the records that you have, for all of them follow
	Ready    = live.Ready    // from Follow: all records have been told; changes follow
)

// Result is what a watched query finds.
type Result[R any, K comparable] struct {
	Version uint64 // of the snapshot in which the query ran
	Records []R    // in the query's order

	// Changes are what makes these Records of the last ones, which at first are
	// none, one after the other.
	Changes []ResultChange[K]
}

// ResultChange is one step from a list of records to the next.
type ResultChange[K comparable] struct {
	Kind ChangeKind // Inserted, Updated or Deleted
	Key  K
	From int // the place where the record is taken out of the list; -1 where it is inserted
	To   int // the place where it is put in, which is its place in Records; -1 where it is deleted
}

// Watch yields what the query finds, and again whenever it finds something else:
// see [Live]. What a run reads ends with the last record that it returns, so that
// a query with a Limit is not run again for what lies beyond. The table's handle
// must be bound to the DB.
func (q Query[R, K]) Watch(ctx context.Context) iter.Seq2[Result[R, K], error] {
	return watch(ctx, q.call("watch"), func(row *foundRow, key *K) error { return slot(key).decode(row.table, []byte(row.key)) },
		func(row *foundRow, rec *R) error { return row.decode(reflectx.To(rec)) })
}

// Watch yields what the query finds, and again whenever it finds something else;
// see [Query.Watch].
func (q NamedQuery) Watch(ctx context.Context) iter.Seq2[Result[Record, Key], error] {
	return watch(ctx, q.call("watch"), func(row *foundRow, key *Key) error {
		*key = keyFrom(row.table, []byte(row.key))
		return nil
	}, func(row *foundRow, rec *Record) (err error) {
		*rec, err = rowRecord(&query.Row{Table: row.table, Key: []byte(row.key), Body: row.body})
		return err
	})
}

// watch follows a query, whose keys and records two functions make.
func watch[R any, K comparable](ctx context.Context, a queryCall, key func(*foundRow, *K) error, rec func(*foundRow, *R) error) iter.Seq2[Result[R, K], error] {
	return func(yield func(Result[R, K], error) bool) {
		w := watching{a: a}
		w.show = func(version uint64, steps []live.Step) (more bool, err error) {
			r := Result[R, K]{Version: version, Records: make([]R, len(w.now)), Changes: make([]ResultChange[K], len(steps))}
			for i := range w.now {
				err = cmp.Or(err, rec(&w.now[i], &r.Records[i]))
			}
			for i, s := range steps {
				c := &r.Changes[i]
				c.Kind, c.From, c.To = s.Kind, s.From, s.To
				err = cmp.Or(err, key(w.row(s), &c.Key))
			}
			return err == nil && yield(r, nil), err
		}
		if err := w.follow(ctx); err != nil {
			yield(Result[R, K]{}, err)
		}
	}
}

// foundRow is a record that a query has found.
type foundRow struct {
	table *schema.Table
	key   string // its tuple
	body  []byte // never changes
}

// decode reads the row into the record at p.
func (r *foundRow) decode(p reflectx.Pointer) error {
	return record.Corrupt(r.table, []byte(r.key), r.table.Decoder().Decode(r.body, p))
}

// watching is a watched query without its types.
type watching struct {
	db    *DB
	a     queryCall
	show  func(version uint64, steps []live.Step) (more bool, err error)
	table *schema.Table

	now, last []foundRow
	shown     bool // last has been shown
	err       error
}

// follow runs and shows the query until there is an error or nobody looks.
func (w *watching) follow(ctx context.Context) (err error) {
	if w.db, err = following(ctx, w.a.conn); err != nil {
		return failed(w.a.op, w.a.ref, err)
	}
	err = live.Follow(ctx, w.db.core, w)
	return wrap(w.a.op, w.table, nil, cmp.Or(err, w.err))
}

// row returns the record that a step is about.
func (w *watching) row(s live.Step) *foundRow {
	if s.Kind == Deleted {
		return &w.last[s.Item]
	}
	return &w.now[s.Item]
}

// Read runs the query.
func (w *watching) Read(ctx context.Context, t *tables.Tx) error {
	tx := w.db.reading(ctx, t)
	a, run := w.a, queryRun{}
	a.conn = tx
	w.now = w.now[:0]
	if err := run.start(tx.ctx, &a, query.Want{Kind: query.Records}, untilReturn); err != nil {
		return err
	}
	defer run.close(nil)
	w.table = run.s.table
	for run.next() {
		row := run.rows.Row()
		w.now = append(w.now, foundRow{row.Table, string(row.Key), row.Body})
	}
	return run.close(run.err())
}

// Show shows what the query has found, if that is something else.
func (w *watching) Show(version uint64) bool {
	steps := live.Steps(tuples(w.last), tuples(w.now), func(was, is int) bool {
		return w.last[was].table.Version != w.now[is].table.Version || !bytes.Equal(w.last[was].body, w.now[is].body)
	})
	if w.shown && len(steps) == 0 {
		return true
	}
	var more bool
	more, w.err = w.show(version, steps)
	w.shown, w.last, w.now = true, w.now, w.last
	return more
}

func tuples(rows []foundRow) []string {
	keys := make([]string, len(rows))
	for i := range rows {
		keys[i] = rows[i].key
	}
	return keys
}

// Keep has what fn reads stay at hand, under a name, in the persistent layers of a
// store of package cache: it is not forgotten, is followed as it changes, through
// restarts, and can be read while the origin is away. fn runs in a read-only
// transaction, and once more after each commit that has written into what its last
// run read, in a goroutine of its own. What was kept under the name goes on being
// followed after a restart; give fn again under it, so that it runs again too. What
// fn reads at more than about a hundred places is kept with what lies between. What
// is kept counts in the layer's bytes, and may exceed them.
//
// Keep returns once fn has run, with its error; where the origin is away, and
// something is kept under the name already, without one. It is an error that matches
// errors.ErrUnsupported where the store has no layer that outlives the process.
func (db *DB) Keep(ctx context.Context, name string, fn func(context.Context, *Tx) error) error {
	if err := checkFunc(db.outside(ctx), fn == nil); err != nil {
		return wrap("keep", nil, nil, err)
	}
	return wrap("keep", nil, nil, db.core.Keep(ctx, name, func(ctx context.Context, t *tables.Tx) error {
		tx := db.reading(ctx, t)
		return fn(tx.ctx, tx)
	}))
}

// Forget ends a Keep: what was kept under the name alone is dropped.
func (db *DB) Forget(name string) error {
	if err := db.usable(); err != nil {
		return wrap("forget", nil, nil, err)
	}
	return wrap("forget", nil, nil, db.core.Forget(name))
}
