package migrate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

// rekey gives tables the keys that functions make, if models bring such: see
// [schema.Move]. It reports whether it has; the rest of the change is then to be
// planned anew.
//
// Order of events: the functions run on every record, and all that would fail is
// told. The catalog gets the new tables, and from then on nobody writes to those
// that move, though their records can be read as they are. The records are copied
// in chunks: first those that get other keys, whose references among each other are
// mended after that, then those that refer to them. In one step the new tables take
// the places of the old ones, which are then emptied. A run that was broken off is
// begun anew by the next one, and so is one of which an error has to be told.
func (m *Migrator) rekey(ctx context.Context, models []*schema.Model) (bool, error) {
	r := rekeying{m: m, models: models, known: m.known(models)}
	if ok, err := r.plan(ctx); !ok || err != nil {
		return false, err
	}
	if err := r.check(ctx); err != nil {
		return false, err
	}
	if err := r.begin(ctx); err != nil {
		return false, err
	}
	err := r.forgetKeys(ctx)
	if err == nil {
		err = r.copyAll(ctx)
	}
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
	var err error
	if r.change, err = r.m.plan(ctx, still, r.models); err != nil || len(r.change.Moves) == 0 || refused(r.change.Diff) != nil {
		return false, err
	}
	if r.typed, err = schema.Bind(r.change.Catalog, r.models); err != nil {
		return false, err
	}
	r.was, err = schema.Bind(still, nil)
	return err == nil, err
}

// begin has the catalog get the new tables, in place of those of a run that was
// broken off.
func (r *rekeying) begin(ctx context.Context) error {
	return r.m.db.ChangeCatalog(ctx, r.known, func(c *schema.Catalog) (tables.Edition, error) {
		before := r.change.Moves
		if ok, err := r.planOver(ctx, c); err != nil {
			return tables.Edition{}, err
		} else if !ok || len(r.change.Moves) != len(before) {
			return tables.Edition{}, errOvertaken
		}
		still, touched, gone := c.WithoutMoves()
		next, more := still.BeginMoves(r.change)
		return tables.Edition{Catalog: next, Touched: append(touched, more...), Gone: gone}, nil
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
	return errors.Join(err, r.forgetKeys(ctx), r.m.clearTables(ctx))
}

// forgetKeys deletes what a run that was broken off has noted of new keys.
func (r *rekeying) forgetKeys(ctx context.Context) error {
	for _, v := range r.change.Moves {
		e := emptying{db: r.m.db, prefix: tables.CarriedPrefix(v.From)}
		if err := e.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// copyAll copies all records: first those that others refer to.
func (r *rekeying) copyAll(ctx context.Context) error {
	for _, carry := range []bool{false, true} {
		for _, v := range r.change.Moves {
			c, err := r.copying(v)
			if err != nil {
				return err
			}
			if c.mover.IsKeyed() == carry {
				continue
			}
			if err := c.run(ctx, false); err != nil {
				return err
			}
		}
		if carry {
			break
		}
		for _, v := range r.change.Moves {
			if c, err := r.copying(v); err != nil {
				return err
			} else if c.mover.IsKeyed() && len(c.mover.Carried) > 0 {
				if err := c.run(ctx, true); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// copying returns what copies a table.
func (r *rekeying) copying(v schema.Move) (*copying, error) {
	mover, err := schema.NewMover(r.was.ByID(v.From), r.typed.ByID(v.To), r.change.Moves)
	return &copying{r: r, move: v, mover: mover}, err
}

// copying copies the records of one table, or mends the references of those that
// have been copied.
type copying struct {
	r     *rekeying
	move  schema.Move
	mover *schema.Mover
	mend  bool

	job   *job
	pace  pacer
	after []byte // old key of the last record that is done
	last  []byte // of this chunk
	n     int
	more  bool
}

func (c *copying) run(ctx context.Context, mend bool) (err error) {
	m := c.r.m
	from := c.mover.From
	total, err := countRecords(ctx, m.db, from)
	if err != nil {
		return err
	}
	c.mend, c.pace.db = mend, m.db
	phase := Writing
	if mend {
		phase = Finishing
	}
	c.job = m.jobs.start(schema.IndexRef{Table: c.move.To}, Status{Work: Rewriting, Table: from.Name, Phase: phase, Total: total})
	defer func() { m.jobs.end(ctx, c.job, err, false) }()
	for c.more = true; c.more; {
		if _, err := m.db.Write(ctx, c); err != nil {
			return err
		}
		c.after = bytes.Clone(c.last)
		c.job.step(c.n)
		if err := c.pace.end(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Run makes one chunk.
func (c *copying) Run(ctx context.Context, t *tables.Tx) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	to := t.Schema().ByID(c.move.To)
	if to == nil {
		return errOvertaken
	}
	size := c.pace.begin()
	c.n, c.last = 0, c.after
	var err error
	if c.mend {
		err = c.mendSome(t, to, size)
	} else {
		err = c.copySome(t, to, size)
	}
	c.more = c.n == size
	return err
}

func (c *copying) copySome(t *tables.Tx, to *schema.Table, size int) error {
	if c.after == nil && to.Key.Kind == schema.KeyAuto && c.mover.From.Key.Kind == schema.KeyAuto {
		if err := t.PassIDs(to, c.move.From); err != nil {
			return err
		}
	}
	_, err := t.Batch(func() error {
		for rec, err := range t.Records(c.mover.From, c.after) {
			if err != nil {
				return err
			}
			if c.n == size {
				return nil
			}
			c.n, c.last = c.n+1, bytes.Clone(rec.Tuple)
			if err := c.copyRecord(t, to, rec); err != nil {
				return recordError(c.mover.From, c.last, err)
			}
		}
		return nil
	})
	return err
}

// copyRecord copies one record.
func (c *copying) copyRecord(t *tables.Tx, to *schema.Table, rec tables.Record) error {
	body, err := c.convert(rec.Body)
	if err != nil {
		return err
	}
	if !c.mover.IsKeyed() {
		for _, ref := range c.carried(t) {
			if body, err = t.CarryRef(ref, rec.Body, body); err != nil {
				return err
			}
		}
	}
	return t.Carry(to, c.move.From, c.last, &moved{body, c.mover.To})
}

// carried returns the references that are carried, with the tables as the
// transaction has them.
func (c *copying) carried(t *tables.Tx) (list []schema.CarriedRef) {
	for _, ref := range c.mover.Carried {
		is := *ref.Is
		is.Target = t.Schema().ByID(is.Target.ID)
		list = append(list, schema.CarriedRef{Was: ref.Was, Is: &is})
	}
	return list
}

func (c *copying) convert(b record.Body) (out record.Body, err error) {
	if out.Bytes, err = c.mover.Convert(nil, b.Bytes); err == nil {
		out.Offs, err = codec.Split(out.Bytes, len(c.mover.To.Columns), nil)
	}
	return out, err
}

// mendSome has copied records refer to what the ones that they were copied from do.
func (c *copying) mendSome(t *tables.Tx, to *schema.Table, size int) error {
	refs := c.carried(t)
	var list [][2][]byte
	for keys, err := range t.CarriedKeys(c.move.From, c.after) {
		if err != nil {
			return err
		}
		if len(list) == size {
			break
		}
		list = append(list, [2][]byte{bytes.Clone(keys[0]), bytes.Clone(keys[1])})
	}
	for _, keys := range list {
		c.n, c.last = c.n+1, keys[0]
		value, err := t.Get(c.mover.From, keys[0])
		if err != nil {
			return err
		}
		was, _, err := record.Open(c.mover.From, keys[0], value, nil, nil)
		if err != nil {
			return err
		}
		err = t.Mend(to, keys[1], func(body record.Body) (record.Body, error) {
			for _, ref := range refs {
				if body, err = t.CarryRef(ref, was, body); err != nil {
					break
				}
			}
			return body, err
		})
		if err != nil {
			return recordError(c.mover.From, keys[0], err)
		}
	}
	return nil
}

// moved is a record on its way into the table that it is copied into.
type moved struct {
	body record.Body
	tb   *schema.Table // with its Go type
}

// AppendBody implements [tables.Source].
func (s *moved) AppendBody(dst []byte, offs []uint32, _ *schema.Table) ([]byte, []uint32, error) {
	return append(dst, s.body.Bytes...), append(offs, s.body.Offs...), nil
}

// AppendKey implements [tables.Source].
func (s *moved) AppendKey(dst []byte, _ *schema.Table) ([]byte, error) {
	return s.tb.AppendCustomKeyOf(dst, s.body.Bytes)
}

// Whole implements [tables.WholeSource].
func (s *moved) Whole() {}

// check runs the functions on every record, and writes nothing. The error has all
// that would fail.
func (r *rekeying) check(ctx context.Context) error {
	var faults []error
	for _, v := range r.change.Moves {
		c, err := r.copying(v)
		if err == nil {
			err = c.check(ctx)
		}
		if err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

func (c *copying) check(ctx context.Context) error {
	m, from := c.r.m, c.mover.From
	total, err := countRecords(ctx, m.db, from)
	if err != nil {
		return err
	}
	j := m.jobs.start(schema.IndexRef{Table: c.move.From}, Status{Work: Rewriting, Table: from.Name, Phase: Checking, Total: total})
	k := moveCheck{copying: c, job: j, keys: make(map[[16]byte][]byte)}
	k.migrationCheck = migrationCheck{tb: c.mover.To, job: j, taken: make(map[[16]byte][]byte), moves: c.r.change.Moves}
	err = k.run(ctx)
	m.jobs.end(ctx, j, err, false)
	if err == nil && len(k.faults) > 0 {
		e := schema.NewChangeError(from.Name, k.faults...)
		e.Causes = k.causes
		err = e
	}
	return err
}

// moveCheck looks for what would fail in a move.
type moveCheck struct {
	*copying
	migrationCheck
	job  *job
	keys map[[16]byte][]byte // old key tuples, by digests of the new ones
}

func (k *moveCheck) run(ctx context.Context) error {
	t, err := k.r.m.db.Begin(ctx, false)
	if err != nil {
		return err
	}
	defer t.Release()
	n := 0
	for rec, err := range t.Records(k.mover.From, nil) {
		var damage *record.CorruptError
		if err != nil && !errors.As(err, &damage) {
			return err
		}
		if err == nil {
			err = k.move(t, rec)
		}
		if err != nil {
			k.faults = append(k.faults, schema.Difference{Kind: "migration fails", Records: 1,
				Detail: fmt.Sprintf("record %s: %v", record.RefTo(k.mover.From, rec.Tuple), err)})
			k.causes = append(k.causes, err)
		}
		if n++; n%chunkSize == 0 {
			k.job.step(chunkSize)
		}
		if err := ctx.Err(); err != nil || len(k.faults) >= maxFaults {
			return err
		}
	}
	return nil
}

// move checks one record as it is to become.
func (k *moveCheck) move(t *tables.Tx, rec tables.Record) error {
	body, err := k.convert(rec.Body)
	if err != nil {
		return err
	}
	tuple, err := k.newKey(body)
	if err != nil {
		return err
	}
	if tuple != nil {
		if err := record.CheckKeySize(tuple); err != nil {
			return err
		}
		sum := sha256.Sum256(tuple)
		at := [16]byte(sum[:])
		if other, taken := k.keys[at]; taken {
			return fmt.Errorf("%w: %s gets the key %s too", tables.ErrExists, record.RefTo(k.mover.From, other), record.RefTo(k.mover.To, tuple))
		}
		k.keys[at] = bytes.Clone(rec.Tuple)
	}
	return k.record(t, body, rec.Tuple)
}

// newKey returns the key that a record gets, or nil where it is to be drawn.
func (k *moveCheck) newKey(b record.Body) ([]byte, error) {
	to := k.mover.To
	switch to.Key.Kind {
	case schema.KeyCustom:
		return to.AppendCustomKeyOf(nil, b.Bytes)
	case schema.KeyAuto, schema.KeyUUID:
		if !record.Drawn(to, b) {
			return nil, nil
		}
	case schema.KeyContent:
		return record.ContentKey(nil, to, b), nil
	}
	tuple, _, err := record.AppendKey(nil, to, b)
	return tuple, err
}
