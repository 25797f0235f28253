package tables

import (
	"context"

	"github.com/kivisdb/kivis/internal/retry"
)

// An Operation is what a write call does in a transaction. It may run several
// times, each time as if it had not run before.
type Operation interface {
	Run(ctx context.Context, t *Tx) error
}

// Write runs op in a transaction of its own and commits it, again while the
// commit conflicts with others. It returns how often op has run. An error of
// op comes back as it is.
func (db *DB) Write(ctx context.Context, op Operation) (int, error) {
	return db.run(ctx, &writing{db: db, op: op})
}

// Update is Write for an operation that runs a user's function: the
// transaction is listed as open, and may be held on to after its end.
func (db *DB) Update(ctx context.Context, op Operation) (int, error) {
	return db.run(ctx, &writing{db: db, op: op, user: true})
}

func (db *DB) run(ctx context.Context, a retry.Attempt) (int, error) {
	n, err := db.loop.Run(ctx, a)
	err, _ = retry.Unmark(err)
	return n, err
}

// writing is an operation under way.
type writing struct {
	db   *DB
	op   Operation
	user bool
}

// Attempt runs the operation once, in a transaction of its own.
func (w *writing) Attempt(ctx context.Context) error {
	life := context.Background() // a single call looks at ctx itself
	if w.user {
		life = ctx
	}
	t, err := w.db.Begin(life, true)
	if err != nil {
		return err
	}
	if w.user {
		t.Escape()
		t.Track()
	}
	defer t.Release()
	if err := w.run(ctx, t); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := t.Enter(); err != nil {
		return err
	}
	defer t.Leave()
	return retry.Conflict(t.Commit(ctx))
}

// run runs the operation: as one call, or, with a user's function, as whatever
// that calls.
func (w *writing) run(ctx context.Context, t *Tx) error {
	if !w.user {
		if err := t.Enter(); err != nil {
			return err // unreachable: nobody else has it
		}
		defer t.Leave()
	}
	return w.op.Run(ctx, t)
}
