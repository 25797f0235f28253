package kivis

import (
	"context"
	"errors"
	"iter"

	"github.com/kivisdb/kivis/internal/live"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/query"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
)

// Change is what has become of one record, as [Table.Changes] and [Table.Follow]
// tell it.
type Change[R any, K comparable] struct {
	// Kind is Inserted, Updated or Deleted, by what the call told before of the
	// record, or where that is nothing, by whether it was there at the position
	// that the call was given. From Follow it may be Reset or Ready, without a
	// record.
	Kind   ChangeKind
	Key    K
	Record R // zero where Kind is Deleted

	Version  uint64 // of the commit that it is told for
	Position string // behind this change; "" where Follow would have to begin anew
}

// Changes yields what was committed to the table since a position, which
// [DB.Position] or a Change gave, and goes on with what is committed from then
// on. A record that has changed several times since it was told is told once, as
// it is now. "" is the position before the first commit of all.
//
// How far back a database knows its changes is set by Options.Feed; without it,
// it is as far as the store remembers. The error is [ErrGap] where that is not
// far enough, or the position is one of another incarnation, which is
// [ErrIncarnation] too: read the table, and go on from a position taken before;
// Follow does both. It is [ErrBadPosition] where the text is no position. The
// loop ends with an error, the end of ctx or Close, or when it is broken off.
func (t Table[R, K]) Changes(ctx context.Context, position string) iter.Seq2[Change[R, K], error] {
	return changesOf[R, K](ctx, t.conn, "changes", position)
}

// Follow is Changes with the records that are there: from the position "" it
// yields all of them, Inserted, of one snapshot, then a Change of kind Ready,
// then changes. Where the changes since the position, or since those that it was
// the reader's turn to hear, are not known any more, it yields one of kind Reset,
// which says to forget what was told, and begins so.
func (t Table[R, K]) Follow(ctx context.Context, position string) iter.Seq2[Change[R, K], error] {
	return changesOf[R, K](ctx, t.conn, "follow", position)
}

func changesOf[R any, K comparable](ctx context.Context, conn Conn, op, position string) iter.Seq2[Change[R, K], error] {
	return func(yield func(Change[R, K], error) bool) {
		f := follower{conn: conn, ref: refOf[R](), op: op}
		f.tell = func(raw *rawChange) (bool, error) {
			c := Change[R, K]{Kind: raw.kind, Version: raw.version, Position: raw.position}
			if err := raw.decode(slot(&c.Key), reflectx.To(&c.Record)); err != nil {
				return false, err
			}
			return yield(c, nil), nil
		}
		if err := f.run(ctx, position); err != nil {
			yield(Change[R, K]{}, err)
		}
	}
}

// rawChange is a Change without its types.
type rawChange struct {
	kind     ChangeKind
	version  uint64
	position string
	table    *schema.Table
	tuple    []byte // of the key; nil where there is no record
	value    []byte // as it is stored; nil where body is set or the record is gone
	body     []byte
}

// decode reads the key and the record.
func (c *rawChange) decode(key keySlot, rec reflectx.Pointer) error {
	if c.tuple == nil {
		return nil
	}
	err := key.decode(c.table, c.tuple)
	switch {
	case err != nil:
	case c.value != nil:
		err = decode(c.table, c.tuple, c.value, rec)
	case c.body != nil:
		err = record.Corrupt(c.table, c.tuple, c.table.Decoder().Decode(c.body, rec))
	}
	return err
}

// follower is a Changes or a Follow under way.
type follower struct {
	conn Conn
	ref  tableRef
	op   string
	tell func(*rawChange) (more bool, err error)

	db  *DB
	at  live.Position
	gap error // why what comes after the position is not known
}

// changesAtOnce is how many changes are read in one snapshot.
const changesAtOnce = 256

// run tells what there is to tell from a position on, and returns why it has
// ended, or nil where it was broken off.
func (f *follower) run(ctx context.Context, position string) (err error) {
	if f.db, err = following(ctx, f.conn); err != nil {
		return failed(f.op, f.ref, err)
	}
	if position != "" {
		f.at, err = f.db.parsePosition(position)
	}
	switch {
	case errors.Is(err, ErrGap):
		f.gap = err
	case err != nil:
		return f.named(err)
	}
	if f.op == "follow" {
		err = f.follow(ctx, position == "")
	} else {
		err = f.changes(ctx)
	}
	return f.named(err)
}

func (f *follower) named(err error) error {
	return wrap(f.op, f.ref.find(f.db.core.Schema()), nil, err)
}

// follow tells changes, and all records first where that is where to begin.
func (f *follower) follow(ctx context.Context, fresh bool) error {
	for {
		if fresh {
			if more, err := f.records(ctx); err != nil || !more {
				return err
			}
		}
		if err := f.changes(ctx); !errors.Is(err, ErrGap) {
			return err
		}
		if more, err := f.tell(&rawChange{kind: Reset}); err != nil || !more {
			return err
		}
		fresh = true
	}
}

// changes tells changes until there is an error, or the reader has gone.
func (f *follower) changes(ctx context.Context) error {
	if gap := f.gap; gap != nil {
		f.gap = nil
		return gap
	}
	feed, err := live.NewFeed(ctx, f.db.core, f.ref.in, f.at)
	if err != nil {
		return err
	}
	life := f.db.core.Incarnation()
	for {
		batch, err := feed.Next(ctx, changesAtOnce)
		if err != nil {
			return err
		}
		for _, c := range batch {
			more, err := f.tell(&rawChange{kind: c.Kind, version: c.Version, position: c.At.Text(life), table: c.Table, tuple: c.Tuple, value: c.Value})
			if err != nil || !more {
				return err
			}
		}
	}
}

// records tells all records of one snapshot, and that they are all there.
func (f *follower) records(ctx context.Context) (more bool, err error) {
	err = f.db.View(ctx, func(ctx context.Context, tx *Tx) error {
		f.at = live.Position{After: tx.t.Version()}
		more, err = f.tellAll(ctx, tx)
		return err
	})
	if err != nil || !more {
		return false, err
	}
	return f.tell(&rawChange{kind: Ready, version: f.at.After, position: f.at.Text(f.db.core.Incarnation())})
}

// tellAll tells all records that a transaction sees.
func (f *follower) tellAll(ctx context.Context, tx *Tx) (more bool, err error) {
	a, run := queryCall{conn: tx, ref: f.ref, op: f.op, q: allRecords()}, queryRun{}
	if err := run.start(ctx, &a, query.Want{Kind: query.Records}, untilClose); err != nil {
		return false, err
	}
	defer run.close(nil)
	for more = true; more && run.next(); {
		row := run.rows.Row()
		c := rawChange{kind: Inserted, version: f.at.After, table: row.Table, tuple: row.Key, body: row.Body}
		run.pause()
		if more, err = f.tell(&c); err != nil {
			return false, run.close(err)
		}
	}
	return more, run.close(run.err())
}
