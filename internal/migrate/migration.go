package migrate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/internal/tables"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// maxFaults bounds how many faults the check of a migration names.
const maxFaults = 1000

// checkMigrations runs the functions of the migrations that models bring on
// every record, and writes nothing. The error has all that would fail. The checks
// hold until somebody writes to the tables: see confirm.
func (m *Migrator) checkMigrations(ctx context.Context, models []*schema.Model) (map[uint32]*migrationCheck, error) {
	c, err := m.db.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	plan, err := m.plan(ctx, c, models)
	if err != nil || len(plan.Migrate) == 0 || refused(plan.Diff) != nil {
		return nil, err
	}
	set, err := schema.Bind(plan.Catalog, models)
	if err != nil {
		return nil, err
	}
	checks := make(map[uint32]*migrationCheck)
	var faults []error
	for _, id := range plan.Migrate {
		k, err := m.checkMigration(ctx, set.ByID(id))
		if err != nil {
			faults = append(faults, err)
		}
		checks[id] = k
	}
	return checks, errors.Join(faults...)
}

// checkMigration checks one table, as it is to become.
func (m *Migrator) checkMigration(ctx context.Context, tb *schema.Table) (*migrationCheck, error) {
	total, err := countRecords(ctx, m.db, tb)
	if err != nil {
		return nil, err
	}
	j := m.jobs.start(schema.IndexRef{Table: tb.ID}, Status{Work: Rewriting, Table: tb.Name, Phase: Checking, Total: total})
	k := &migrationCheck{tb: tb, job: j, taken: make(map[[16]byte][]byte)}
	err = k.run(ctx, m.db)
	m.jobs.end(ctx, j, err, false)
	if err == nil {
		err = k.err()
	}
	return k, err
}

// err returns all that was found, as one error.
func (k *migrationCheck) err() error {
	if len(k.faults) == 0 {
		return nil
	}
	e := schema.NewChangeError(k.tb.Name, k.faults...)
	e.Causes = k.causes
	return e
}

// confirm checks the records that have been written since their tables were checked,
// or all of them where the store does not say which. Where one of them is at fault, or
// it is not known any more which they are, all is to be checked anew: the error is
// errOvertaken.
func (m *Migrator) confirm(ctx context.Context, checks map[uint32]*migrationCheck, plan *schema.Change) error {
	feed, unknown := m.db.Feeder()
	t, err := m.db.Begin(ctx, false)
	if err != nil {
		return err
	}
	defer t.Release()
	for _, id := range plan.Migrate {
		k := checks[id]
		if k == nil {
			return errOvertaken // it was not planned when the others were checked
		}
		if k.version == t.Version() {
			continue
		}
		if unknown != nil {
			err = k.anew(ctx, t)
		} else {
			err = k.again(ctx, t, feed)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// anew checks all records, as t reads them.
func (k *migrationCheck) anew(ctx context.Context, t *tables.Tx) error {
	clear(k.taken)
	all := &migrationCheck{tb: k.tb, taken: k.taken, moves: k.moves}
	if err := all.read(ctx, t); err != nil {
		return err
	}
	if err := all.err(); err != nil {
		return errors.Join(errOvertaken, err)
	}
	k.version = t.Version()
	return nil
}

// again checks what was written since the check.
func (k *migrationCheck) again(ctx context.Context, t *tables.Tx, feed store.Feeder) error {
	prefix := k.tb.Prefix(0)
	written := make(map[string]bool)
	err := feed.Changes(ctx, k.version, func(c store.Commit) bool {
		for _, w := range c.Writes {
			if bytes.HasPrefix(w.Key, prefix) && !w.Deleted {
				written[string(w.Key[len(prefix):])] = true
			}
		}
		return c.Version < t.Version()
	})
	if err != nil {
		return errors.Join(errOvertaken, err)
	}
	for tuple := range written {
		value, err := t.Get(k.tb, []byte(tuple))
		if errors.Is(err, tables.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		body, _, err := record.Open(k.tb, []byte(tuple), value, nil, nil)
		if err == nil {
			err = k.whole(t, body, []byte(tuple))
		}
		if err != nil {
			return errors.Join(errOvertaken, err)
		}
	}
	k.version = t.Version()
	return nil
}

// migrationCheck looks for what would fail in a migration.
type migrationCheck struct {
	tb      *schema.Table
	job     *job                // nil if nobody is told how far it has come
	taken   map[[16]byte][]byte // key tuples of records, by digests of their unique entries
	faults  []schema.Difference
	causes  []error
	version uint64        // of the snapshot that was checked
	moves   []schema.Move // references to what moves are carried along, and not looked at

	entries record.Entries
	key     []byte
}

func (k *migrationCheck) run(ctx context.Context, db *tables.DB) error {
	t, err := db.Begin(ctx, false)
	if err != nil {
		return err
	}
	defer t.Release()
	k.version = t.Version()
	return k.read(ctx, t)
}

// read checks all records that t reads.
func (k *migrationCheck) read(ctx context.Context, t *tables.Tx) error {
	prefix := k.tb.Prefix(0)
	c, err := t.Scan(record.PrefixRange(prefix))
	if err != nil {
		return err
	}
	defer c.Close()
	var buf []byte
	var body record.Body
	for n := 1; c.Next() && len(k.faults) < maxFaults; n++ {
		tuple := c.Key()[len(prefix):]
		body, buf, err = record.Open(k.tb, tuple, c.Value(), buf, body.Offs)
		if err == nil {
			err = k.whole(t, body, tuple)
		}
		if err != nil {
			k.fault(tuple, err)
		}
		if n%chunkSize == 0 {
			if k.job != nil {
				k.job.step(chunkSize)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	return c.Err()
}

// fault notes what is wrong with a record.
func (k *migrationCheck) fault(tuple []byte, err error) {
	k.faults = append(k.faults, schema.Difference{Kind: "migration fails", Records: 1,
		Detail: fmt.Sprintf("record %s: %v", record.RefTo(k.tb, tuple), err)})
	k.causes = append(k.causes, err)
}

// whole checks one record as it is to become, under the key that it has.
func (k *migrationCheck) whole(t *tables.Tx, b record.Body, tuple []byte) error {
	if err := k.sameKey(b, tuple); err != nil {
		return err
	}
	return k.record(t, b, tuple)
}

// record checks the index entries and the references of one record as it is to
// become; tuple is the key that it has.
func (k *migrationCheck) record(t *tables.Tx, b record.Body, tuple []byte) error {
	for _, ix := range k.tb.Indexes {
		if err := k.entries.Compute(k.tb, ix, b, tuple); err != nil {
			return err
		}
		for i := range k.entries.Len() {
			if !k.entries.Unique(i) {
				continue
			}
			sum := sha256.Sum256(k.entries.Key(i))
			at := [16]byte(sum[:])
			if holder, taken := k.taken[at]; taken && !bytes.Equal(holder, tuple) {
				return &tables.UniqueError{Table: k.tb, Index: ix, Holder: record.RefTo(k.tb, holder)}
			}
			k.taken[at] = bytes.Clone(tuple)
		}
	}
	for _, r := range k.tb.Refs {
		if slices.ContainsFunc(k.moves, func(v schema.Move) bool { return v.To == r.Target.ID }) {
			continue
		}
		to, null, err := b.Target(nil, r)
		if err != nil || null {
			return err
		}
		if _, err := t.Get(r.Target, to); errors.Is(err, tables.ErrNotFound) {
			return &tables.ReferenceError{Ref: r, Target: record.RefTo(r.Target, to), Action: "update"}
		} else if err != nil {
			return err
		}
	}
	return nil
}

// sameKey fails where the function gives a record another key.
func (k *migrationCheck) sameKey(b record.Body, tuple []byte) (err error) {
	if k.tb.Key.Kind == schema.KeyCustom {
		return nil
	}
	if k.key, _, err = record.AppendKey(k.key[:0], k.tb, b); err == nil && !bytes.Equal(k.key, tuple) {
		err = fmt.Errorf("%w: to %s", tables.ErrKeyChanged, record.RefTo(k.tb, k.key))
	}
	return err
}
