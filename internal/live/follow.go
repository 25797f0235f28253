package live

import (
	"context"

	"github.com/kivisdb/kivis/internal/tables"
)

// A Result is what [Follow] keeps true.
type Result interface {
	// Read makes the result anew in t, a read-only transaction, which it does
	// not keep.
	Read(ctx context.Context, t *tables.Tx) error

	// Show hands on what Read has made of the version, if it is another result
	// than the one before, and reports whether to go on.
	Show(version uint64) bool
}

// Follow reads and shows r, and again whenever something is committed that has
// written what the last Read has read, until Show returns false, and then returns
// nil. Else it returns the error of a Read, that of ctx, once that has ended,
// store.ErrClosed after Close, or errors.ErrUnsupported where the store does not
// say what is written.
func Follow(ctx context.Context, db *tables.DB, r Result) error {
	for {
		again, err := once(ctx, db, r)
		if !again || err != nil {
			return err
		}
	}
}

// once reads and shows r and waits until that is to be done again.
func once(ctx context.Context, db *tables.DB, r Result) (again bool, err error) {
	version, written, stop, err := read(ctx, db, r)
	if err != nil {
		return false, err
	}
	defer stop()
	if !r.Show(version) {
		return false, nil
	}
	select {
	case <-written:
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// read reads r in a snapshot, and watches what it has read.
func read(ctx context.Context, db *tables.DB, r Result) (version uint64, written <-chan struct{}, stop func(), err error) {
	t, err := db.Begin(ctx, false)
	if err != nil {
		return 0, nil, nil, err
	}
	t.Escape()
	t.Track()
	defer t.Discard()
	if err := t.Record(); err != nil {
		return 0, nil, nil, err
	}
	if err := r.Read(ctx, t); err != nil {
		return 0, nil, nil, err
	}
	if err := t.Spoilt(); err != nil {
		return 0, nil, nil, err
	}
	version = t.Version()
	written, stop, err = db.Watch(t.Footprint(), version)
	return version, written, stop, err
}
