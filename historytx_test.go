package kivis_test

import (
	"context"
	"errors"

	"github.com/kivisdb/kivis"
)

// view makes several reads of one snapshot.
func (w *historian) view(ctx context.Context, c kivis.Conn) error {
	return c.View(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		for range 1 + w.rng.IntN(3) {
			if err := w.read(ctx, tx); err != nil {
				return err
			}
			w.pause()
		}
		return nil
	})
}

func (w *historian) read(ctx context.Context, c kivis.Conn) error {
	switch w.rng.IntN(5) {
	case 0:
		return w.getMany(ctx, c)
	case 1:
		return w.group(ctx, c)
	case 2:
		return w.lengths(ctx, c)
	case 3:
		return w.keys(ctx, c)
	default:
		return w.getAny(ctx, c)
	}
}

// update reads and appends in one transaction. Now and then it undoes all.
func (w *historian) update(ctx context.Context, c kivis.Conn) error {
	before := len(w.now)
	return c.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		w.undo(before)
		if err := w.steps(ctx, tx); err != nil {
			return err
		}
		if w.rng.IntN(10) == 0 {
			return errUndo
		}
		return nil
	})
}

// begin is a transaction that is committed by hand, once.
func (w *historian) begin(ctx context.Context) error {
	tx, err := w.db.Begin(ctx, true)
	if err != nil {
		return err
	}
	defer tx.Discard()
	if err := w.steps(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

func (w *historian) steps(ctx context.Context, tx *kivis.Tx) error {
	for range 1 + w.rng.IntN(3) {
		if err := w.step(ctx, tx); err != nil {
			return err
		}
		w.pause()
	}
	return nil
}

func (w *historian) step(ctx context.Context, tx *kivis.Tx) error {
	switch w.rng.IntN(5) {
	case 0:
		return w.read(ctx, tx)
	case 1:
		return w.modifyGroup(ctx, tx)
	case 2:
		return w.nested(ctx, tx)
	default:
		return w.appendAny(ctx, tx)
	}
}

// nested is a step that may be undone while its transaction goes on.
func (w *historian) nested(ctx context.Context, tx *kivis.Tx) error {
	before := len(w.now)
	err := tx.Update(ctx, func(ctx context.Context, tx *kivis.Tx) error {
		if err := w.appendAny(ctx, tx); err != nil {
			return err
		}
		if w.rng.IntN(2) == 0 {
			return errUndo
		}
		return nil
	})
	if errors.Is(err, errUndo) {
		w.undo(before)
		return nil
	}
	return err
}

// bulk is a Bulk of one chunk, which others may come before.
func (w *historian) bulk(ctx context.Context, fns ...func(context.Context, kivis.Conn) error) error {
	return w.db.Bulk(ctx, nil, func(ctx context.Context, b *kivis.Bulk) error {
		for _, fn := range fns {
			if err := fn(ctx, b); err != nil {
				return err
			}
			w.pause()
		}
		return nil
	})
}
