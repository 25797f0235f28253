package cli

import (
	"context"
	"errors"

	"github.com/kivisdb/kivis"
)

type watchCmd struct {
	question
	output
}

// Help says when there is something to see.
func (*watchCmd) Help() string {
	return `Prints the records that the predicate finds, and prints them again, behind an empty line, whenever they have changed, until it is interrupted. ` +
		`A store that one process holds alone, as all on the disk are, is changed by nobody else meanwhile: there the first result is all.`
}

// Run prints the records until the end of the context.
func (cmd *watchCmd) Run(c *call) error {
	return c.on(cmd.DB, false, func(db *kivis.DB) error {
		n := 0
		for recs, err := range kivis.Live(c.ctx, db, func(ctx context.Context, tx *kivis.Tx) ([]kivis.Record, error) {
			q, _, err := cmd.of(c, tx)
			if err != nil {
				return nil, err
			}
			return q.Collect(ctx)
		}) {
			switch {
			case c.ctx.Err() != nil:
				return nil
			case errors.Is(err, errors.ErrUnsupported):
				return cmd.hold(c, db)
			case err != nil:
				return err
			}
			if n++; n > 1 {
				c.out.WriteByte('\n')
			}
			if err := cmd.show(c, db, recs); err != nil {
				return err
			}
		}
		return nil
	})
}

// show prints a result.
func (cmd *watchCmd) show(c *call, db *kivis.DB, recs []kivis.Record) error {
	_, f, err := cmd.of(c, db)
	if err != nil {
		return err
	}
	w, err := cmd.writer(c, f.shape)
	if err != nil {
		return err
	}
	for _, rec := range recs {
		if err := f.write(w, rec); err != nil {
			return err
		}
	}
	return errors.Join(w.Close(), c.out.Flush())
}

// hold prints the one result that there is of a store that does not say what is
// written to it, and waits.
func (cmd *watchCmd) hold(c *call, db *kivis.DB) error {
	q, _, err := cmd.of(c, db)
	if err != nil {
		return err
	}
	recs, err := q.Collect(c.ctx)
	if err == nil {
		err = cmd.show(c, db, recs)
	}
	if err == nil {
		<-c.ctx.Done()
	}
	return err
}
