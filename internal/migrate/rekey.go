package migrate

import (
	"cmp"
	"context"
	"errors"
	"maps"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// rekey gives tables the keys that functions make, if models bring such: see
// [schema.Move]. It reports whether it has; the rest of the change is then to be
// planned anew.
//
// Order of events: the functions run on every record, and all that would fail is
// told. The catalog gets the new tables, and from then on nobody writes to those that
// move, though their records can be read as they are. The records are copied in chunks,
// in the order of their keys: first those that get other keys, whose references among
// each other are mended after that, then those that refer to them. In one step the new
// tables take the places of the old ones, which are then emptied.
//
// Under which new key a record has come is noted with its copy, so that the last note
// says how far a run has come that was broken off: the next one goes on from there, if
// it is of the same change, and programs that run it at once share the work. Where it is
// of another change, or an error has to be told, all is taken back.
//
// Invariant: while tables move, the notes of a table are of the copies in the one that
// it is becoming; so notes are deleted only while nothing moves.
func (m *Migrator) rekey(ctx context.Context, models []*schema.Model) (bool, error) {
	r := rekeying{m: m, models: models, known: m.known(models)}
	if ok, err := r.plan(ctx); !ok || err != nil {
		return false, err
	}
	if ok, err := r.resumes(ctx); err != nil {
		return false, err
	} else if !ok {
		if err := r.start(ctx); err != nil {
			return false, err
		}
	}
	err := r.copyAll(ctx)
	if err == nil {
		err = r.end(ctx)
	}
	if err != nil {
		if ctx.Err() == nil {
			err = errors.Join(err, r.revert(ctx))
		}
		return false, err
	}
	return true, m.clearTables(ctx)
}

// rekeying is a rekey under way.
type rekeying struct {
	m      *Migrator
	models []*schema.Model
	known  []*schema.Model
	found  map[uint32]uint32 // the moves under way when the change was planned
	change *schema.Change
	typed  *schema.Set // as all is to be, with the Go types
	was    *schema.Set // as all is
}

// plan finds the moves, and reports whether there are any that can be made.
func (r *rekeying) plan(ctx context.Context) (bool, error) {
	c, err := r.m.db.Catalog(ctx)
	if err != nil {
		return false, err
	}
	return r.planOver(ctx, c)
}

func (r *rekeying) planOver(ctx context.Context, c *schema.Catalog) (bool, error) {
	still, _, _ := c.WithoutMoves()
	r.found = c.Moving()
	s := stock{ctx: ctx, db: r.m.db}
	var err error
	if r.change, err = s.plan(still, r.models, schema.PlanOptions{AllowOlder: r.m.opts.AllowOlder, Moving: r.found}); err != nil || len(r.change.Moves) == 0 || refused(r.change.Diff) != nil {
		return false, err
	}
	if r.typed, err = schema.Bind(r.change.Catalog, r.models); err != nil {
		return false, err
	}
	r.was, err = schema.Bind(still, nil)
	return err == nil, err
}

// resumes reports whether the change is under way, and can go on: it is the same, and
// all that was noted of new keys is of its copies, which earlier releases may have left
// otherwise.
func (r *rekeying) resumes(ctx context.Context) (bool, error) {
	t, err := r.m.db.Begin(ctx, false)
	if err != nil {
		return false, err
	}
	defer t.Release()
	c, err := t.Catalog()
	if err != nil || !c.Resumes(r.change) {
		return false, err
	}
	for _, v := range r.change.Moves {
		notes, err := t.CountCarried(v.From)
		if err != nil {
			return false, err
		}
		copies, err := store.Count(t.Reader(), record.PrefixRange(t.Schema().ByID(v.To).Prefix(0)))
		if err != nil || copies != notes {
			return false, err
		}
	}
	return true, nil
}

// start takes back what another change has left, checks this one, and begins it.
func (r *rekeying) start(ctx context.Context) error {
	if err := r.stop(ctx); err != nil {
		return err
	}
	if ok, err := r.plan(ctx); err != nil || !ok {
		return cmp.Or(err, errOvertaken)
	}
	if err := r.forgetKeys(ctx); err != nil {
		return err
	}
	if err := r.check(ctx); err != nil {
		return err
	}
	return r.begin(ctx)
}

// stop has no tables move any more. What another program has begun since the change
// was planned is left alone: it may be the same.
func (r *rekeying) stop(ctx context.Context) error {
	return r.m.db.ChangeCatalog(ctx, r.known, func(c *schema.Catalog) (tables.Edition, error) {
		if !maps.Equal(c.Moving(), r.found) {
			return tables.Edition{}, errOvertaken
		}
		next, touched, gone := c.WithoutMoves()
		return tables.Edition{Catalog: next, Touched: touched, Gone: gone}, nil
	})
}

// begin has the catalog get the new tables. Where another program has begun to move
// some meanwhile, all is to be planned anew.
func (r *rekeying) begin(ctx context.Context) error {
	return r.m.db.ChangeCatalog(ctx, r.known, func(c *schema.Catalog) (tables.Edition, error) {
		before := r.change.Moves
		if ok, err := r.planOver(ctx, c); err != nil {
			return tables.Edition{}, err
		} else if !ok || len(r.change.Moves) != len(before) || len(c.Moving()) > 0 {
			return tables.Edition{}, errOvertaken
		}
		next, touched := c.BeginMoves(r.change)
		return tables.Edition{Catalog: next, Touched: touched}, nil
	})
}

// end has the new tables take the places of the old ones.
func (r *rekeying) end(ctx context.Context) error {
	return r.m.db.ChangeCatalog(ctx, r.known, func(c *schema.Catalog) (tables.Edition, error) {
		if !c.AreMoving(r.change.Moves) {
			return tables.Edition{}, errOvertaken
		}
		next, touched, gone := c.EndMoves(r.change.Moves)
		return tables.Edition{Catalog: next, Touched: touched, Gone: gone}, nil
	})
}

// revert takes back what begin did, unless another program has gone on from there.
func (r *rekeying) revert(ctx context.Context) error {
	err := r.m.db.ChangeCatalog(ctx, r.known, func(c *schema.Catalog) (tables.Edition, error) {
		if !c.AreMoving(r.change.Moves) {
			return tables.Edition{Catalog: c}, nil
		}
		next, touched, gone := c.WithoutMoves()
		return tables.Edition{Catalog: next, Touched: touched, Gone: gone}, nil
	})
	forget := r.forgetKeys(ctx)
	if errors.Is(forget, errOvertaken) {
		forget = nil // they are another program's
	}
	return errors.Join(err, forget, r.m.clearTables(ctx))
}

// forgetKeys deletes what a run that was broken off has noted of new keys. The error is
// errOvertaken where the tables move.
func (r *rekeying) forgetKeys(ctx context.Context) error {
	for _, v := range r.change.Moves {
		e := emptying{db: r.m.db, prefix: tables.CarriedPrefix(v.From), may: func(set *schema.Set) error {
			if tb := set.ByID(v.From); tb != nil && tb.Moving() {
				return errOvertaken
			}
			return nil
		}}
		if err := e.run(ctx); err != nil {
			return err
		}
	}
	return nil
}
