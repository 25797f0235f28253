package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// A Change is what has become of one record.
type Change struct {
	Kind    Kind // Inserted, Updated or Deleted
	Table   *schema.Table
	Tuple   []byte // of the key
	Value   []byte // the record as it is stored; nil where it is gone
	Version uint64 // of the last commit, up to where the feed was read, that wrote it
	At      Position
}

// A Feed tells of the records of one table, one change for each that has changed.
//
// The invariant: the keys in queue have been written, as far as the feed tells,
// last by the commits that they stand for, up to the version read; those of one
// that was written again later have left the queue, and are read again in their
// turn. So a record that is read as of version read is told as it became by the
// commit that it is told for.
type Feed struct {
	db     *tables.DB
	source store.Feeder
	find   Find
	table  uint32
	name   string // of the table, when the feed began
	prefix []byte

	at    Position
	read  uint64 // the version up to which the keys in queue are followed
	queue []*queued
	of    map[string]*queued // those in queue by their keys

	// What the reader has of keys that left the queue untold.
	had map[string]bool

	fresh bool // the reader began with nothing
	gone  bool // a table with a lower id than this one's has been dropped since the position
}

// Find returns the table of a feed, as it is in a schema, or why there is none.
type Find func(*schema.Set) (*schema.Table, error)

// queued is a key that is to be told.
type queued struct {
	key     []byte // of the store
	version uint64
	had     bool // the reader has the record, as far as is known
	gone    bool // it has left the queue
}

// maxQueue is how many keys are in a queue: beyond it the feed is only looked
// through for those that are.
const maxQueue = 1 << 16

// NewFeed returns the feed of a table's records from a position on. The error
// matches errors.ErrUnsupported where the store has no feed.
func NewFeed(ctx context.Context, db *tables.DB, find Find, at Position) (*Feed, error) {
	source, err := db.Feeder()
	if err != nil {
		return nil, err
	}
	t, err := db.Begin(ctx, false)
	if err != nil {
		return nil, err
	}
	defer t.Release()
	tb, err := find(t.Schema())
	if err != nil {
		return nil, err
	}
	fresh := at.After == 0 && at.In == 0
	return &Feed{db: db, source: source, find: find, table: tb.ID, name: tb.Name, prefix: bytes.Clone(tb.Prefix(0)), at: at, had: make(map[string]bool), fresh: fresh}, nil
}

// here returns the table in a schema, if it is still the one that is followed.
func (f *Feed) here(set *schema.Set) (*schema.Table, error) {
	tb, err := f.find(set)
	switch {
	case err == nil && tb.ID != f.table:
		return nil, errReplaced{}
	case err != nil && set.ByID(f.table) == nil && set.ByName(f.name) == nil && !errors.Is(err, tables.ErrNoTable):
		err = fmt.Errorf("%w %s any more: it has been dropped: %w", tables.ErrNoTable, f.name, err)
	}
	return tb, err
}

// errReplaced is a store.ErrGap: the table has another one's place. What its readers
// know are records of that one, under keys that are gone.
type errReplaced struct{}

// Error implements error.
func (errReplaced) Error() string {
	return "the records of the table have got other keys since, or it was dropped and made anew: read it, and go on from a position taken before"
}

// Is says that it is a store.ErrGap.
func (errReplaced) Is(target error) bool { return target == store.ErrGap }

// replaced reports whether the table has taken the place of another in a commit, or
// may have: it is new, and one that was there before it is gone. Tables get ids in
// ascending order.
func (f *Feed) replaced(c store.Commit) bool {
	written, created, now := false, false, false
	for _, w := range c.Writes {
		id, ok := tables.TableWritten(w.Key)
		switch {
		case !ok:
		case id == f.table:
			written, created = !w.Deleted, w.Created
		case w.Deleted && id < f.table:
			f.gone, now = true, true
		}
	}
	return !f.fresh && written && (now || created && f.gone)
}

// Next waits until there are changes, and returns up to n of them. The error is
// store.ErrGap where what was committed since the position is no longer known, or the
// table has another one's place since, one of the Find, that of ctx, or one of the store.
func (f *Feed) Next(ctx context.Context, n int) ([]Change, error) {
	for {
		if len(f.queue) > 0 {
			if told, err := f.tell(ctx, n); len(told) > 0 || err != nil {
				return told, err
			}
			continue
		}
		if more, err := f.gather(ctx); more || err != nil {
			if err != nil {
				return nil, err
			}
			continue
		}
		if _, err := f.source.Wait(ctx, f.at.After); err != nil {
			return nil, err
		}
	}
}

// gather fills the queue with the keys that were written since the position, and
// says whether it has read of anything.
func (f *Feed) gather(ctx context.Context) (more bool, err error) {
	head, err := f.head(ctx)
	if err != nil || head == f.at.After {
		return false, err
	}
	f.of = make(map[string]*queued)
	end := f.at // where the next gather begins
	replaced := false
	err = f.source.Changes(ctx, f.at.After, func(c store.Commit) bool {
		if c.Version > head {
			return false
		}
		if replaced = f.replaced(c); replaced {
			return false
		}
		if len(f.of) < maxQueue {
			f.take(c)
			end = Position{After: c.Version}
		} else {
			f.retire(c)
		}
		return true
	})
	if replaced {
		err = errReplaced{}
	}
	if err != nil {
		return false, err
	}
	f.read = head
	if len(f.of) < maxQueue {
		end = Position{After: head}
	}
	if len(f.queue) == 0 {
		f.at = end
	} else {
		f.queue = append(f.queue, &queued{version: end.After, gone: true}) // where the queue ends
	}
	return true, nil
}

// head returns the version of a snapshot in which the table is there.
func (f *Feed) head(ctx context.Context) (uint64, error) {
	t, err := f.db.Begin(ctx, false)
	if err != nil {
		return 0, err
	}
	defer t.Release()
	_, err = f.here(t.Schema())
	return t.Version(), err
}

// take queues what a commit has written into the table.
func (f *Feed) take(c store.Commit) {
	for _, w := range c.Writes {
		if !bytes.HasPrefix(w.Key, f.prefix) || c.Version == f.at.In && bytes.Compare(w.Key, f.at.Key) <= 0 {
			continue
		}
		q := &queued{key: w.Key, version: c.Version, had: !w.Created}
		if old := f.of[string(w.Key)]; old != nil {
			q.had, old.gone = old.had, true
		} else if had, ok := f.had[string(w.Key)]; ok {
			q.had = had
			delete(f.had, string(w.Key))
		}
		f.of[string(w.Key)] = q
		f.queue = append(f.queue, q)
	}
	if len(f.queue) > 2*len(f.of)+1024 {
		f.queue = slices.DeleteFunc(f.queue, func(q *queued) bool { return q.gone })
	}
}

// retire takes out of the queue what a commit beyond its end has written.
func (f *Feed) retire(c store.Commit) {
	for _, w := range c.Writes {
		if q := f.of[string(w.Key)]; q != nil {
			q.gone = true
			f.had[string(w.Key)] = q.had
			delete(f.of, string(w.Key))
		}
	}
}

// tell reads the next records of the queue. It returns none where none of those
// that it has looked at is to be told.
func (f *Feed) tell(ctx context.Context, n int) ([]Change, error) {
	t, err := f.db.Begin(ctx, false)
	if err != nil {
		return nil, err
	}
	defer t.Release()
	tb, err := f.here(t.Schema())
	if err != nil {
		return nil, err
	}
	if err := f.catchUp(ctx, t.Version()); err != nil {
		return nil, err
	}
	batch := f.queue[:min(n, len(f.queue))]
	values, err := f.values(t, batch)
	if err != nil {
		return nil, err
	}
	told := make([]Change, 0, len(batch))
	for i, q := range batch {
		f.pass(q)
		c := Change{Kind: Updated, Table: tb, Value: values[i], Version: q.version, At: f.at}
		switch {
		case q.gone || c.Value == nil && !q.had:
			continue
		case c.Value == nil:
			c.Kind = Deleted
		case !q.had:
			c.Kind = Inserted
		}
		c.Tuple = q.key[len(f.prefix):]
		told = append(told, c)
	}
	f.queue = f.queue[len(batch):]
	return told, nil
}

// catchUp takes out of the queue what was written since it was followed last.
func (f *Feed) catchUp(ctx context.Context, version uint64) error {
	if version == f.read {
		return nil
	}
	err := f.source.Changes(ctx, f.read, func(c store.Commit) bool {
		if c.Version > version {
			return false
		}
		f.retire(c)
		return true
	})
	if err == nil {
		f.read = version
	}
	return err
}

// values returns the records of a batch as they are stored.
func (f *Feed) values(t *tables.Tx, batch []*queued) ([][]byte, error) {
	keys, places := make([][]byte, 0, len(batch)), make([]int, 0, len(batch))
	for i, q := range batch {
		if !q.gone {
			keys, places = append(keys, q.key), append(places, i)
		}
	}
	found, values := make([][]byte, len(keys)), make([][]byte, len(batch))
	if err := t.Reader().GetMany(keys, found); err != nil {
		return nil, err
	}
	for i, at := range places {
		values[at] = found[i]
	}
	return values, nil
}

// pass moves the position past a key.
func (f *Feed) pass(q *queued) {
	if q.key == nil {
		f.at = Position{After: q.version}
		return
	}
	f.at = Position{After: q.version - 1, In: q.version, Key: q.key}
	delete(f.of, string(q.key))
}

// At returns the position of what has been told.
func (f *Feed) At() Position { return f.at }
