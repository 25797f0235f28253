package backup

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/kivisdb/kivis/internal/backupfile"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// Options are the settings of a Write.
type Options struct {
	// Since are the files of an earlier backup; only what has changed since is
	// written. Nil is a whole backup.
	Since *backupfile.Chain

	// Progress is told of the entries that have been read of all there are.
	Progress func(done, total int64)
}

// Write writes a backup of what t sees to w. Each record's checksum is verified
// on the way: a damaged one ends it with a record.CorruptError.
func Write(ctx context.Context, w io.Writer, t *tables.Tx, o Options) (backupfile.Info, error) {
	x := &writing{ctx: ctx, kv: t.Reader(), sums: sums{set: t.Schema()}, opts: o}
	h, err := x.header()
	if err == nil && o.Progress != nil {
		err = x.count()
	}
	if err != nil {
		return backupfile.Info{}, err
	}
	x.out = backupfile.NewWriter(w, h)
	if o.Since == nil {
		err = x.whole()
	} else {
		err = x.increment()
	}
	if err != nil {
		return backupfile.Info{}, err // without a footer the file is none
	}
	if o.Progress != nil {
		o.Progress(x.total, x.total)
	}
	return x.out.Close()
}

// writing is a Write under way.
type writing struct {
	ctx   context.Context
	kv    store.Tx
	out   *backupfile.Writer
	sums  sums
	opts  Options
	done  int64
	total int64
}

// header returns the file's header, having compared the snapshot with the
// earlier backup's.
func (x *writing) header() (h backupfile.Header, err error) {
	h.Version = x.kv.Version()
	b, err := x.kv.Get(schema.IncarnationKey())
	if err == nil {
		h.Incarnation, err = schema.DecodeIncarnation(b)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return h, err
	}
	if x.opts.Since == nil {
		return h, nil
	}
	since := x.opts.Since.Info()
	switch {
	case since.Incarnation != h.Incarnation:
		return h, fmt.Errorf("the earlier backup is one of incarnation %x, the database has %x; make a whole backup: %w",
			since.Incarnation, h.Incarnation, store.ErrIncarnation)
	case since.Version > h.Version:
		return h, fmt.Errorf("the earlier backup is one of version %d, the database is at %d; make a whole backup: %w",
			since.Version, h.Version, backupfile.ErrChain)
	}
	h.Previous = since.Hash
	return h, nil
}

func (x *writing) count() error {
	n, err := store.Count(x.kv, store.Range{})
	x.total = int64(n)
	return err
}

// whole writes every entry.
func (x *writing) whole() error {
	cur, err := x.kv.Scan(store.Range{})
	if err != nil {
		return err
	}
	defer cur.Close()
	for cur.Next() {
		key, value := cur.Key(), cur.Value()
		if err := x.read(key, value); err != nil {
			return err
		}
		if err := x.out.Set(key, value); err != nil {
			return err
		}
	}
	return cur.Err()
}

// read takes note of an entry that has been read: it is checked.
func (x *writing) read(key, value []byte) error {
	if x.done++; x.done%1024 == 0 {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		if x.opts.Progress != nil {
			x.opts.Progress(x.done, x.total)
		}
	}
	return x.sums.check(key, value)
}
