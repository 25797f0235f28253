package migrate

import (
	"bytes"
	"context"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

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

	job  *job
	pace pacer
	last []byte // old key of the last record of the chunk
	n    int
	more bool
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
	if to == nil || !to.Moving() {
		return errOvertaken // another program has ended it, or taken it back
	}
	size := c.pace.begin()
	c.n = 0
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
	after, err := t.LastCarried(c.move.From)
	if err != nil {
		return err
	}
	if after == nil && to.Key.Kind == schema.KeyAuto && c.mover.From.Key.Kind == schema.KeyAuto {
		if err := t.PassIDs(to, c.move.From); err != nil {
			return err
		}
	}
	_, err = t.Batch(func() error {
		for rec, err := range t.Records(c.mover.From, after) {
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
	after, err := t.Mended(c.move.From)
	if err != nil {
		return err
	}
	var list [][2][]byte
	for keys, err := range t.CarriedKeys(c.move.From, after) {
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
	if len(list) == 0 {
		return nil
	}
	return t.SetMended(c.move.From, c.last)
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
