package migrate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
)

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
