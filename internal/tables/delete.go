package tables

import (
	"errors"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// Delete deletes the record of tb with the key tuple and applies the delete
// rules of the references to it. The error is ErrNotFound, or a
// [ReferenceError] where a rule forbids it.
func (t *Tx) Delete(tb *schema.Table, tuple []byte) error {
	if !t.write {
		return store.ErrReadOnly
	}
	t.freeze()
	t.writes++
	if len(tb.Incoming) == 0 {
		value, err := t.Get(tb, tuple)
		if err != nil {
			return err
		}
		t.log.remove(tb, tuple)
		return t.erase(tb, tuple, value)
	}
	d := deletion{t: t, seen: map[string]bool{}}
	if err := d.plan(tb, tuple); err != nil {
		return err
	}
	t.log.remove(tb, tuple)
	return d.run()
}

// erase deletes one record and its index entries, whatever refers to it.
func (t *Tx) erase(tb *schema.Table, tuple, value []byte) error {
	if err := canWrite(tb); err != nil {
		return err
	}
	if len(tb.Indexes) > 0 {
		old, _, err := t.openIndexed(tb, tuple, value, false)
		if err != nil {
			return err
		}
		have := &t.buf.have
		for _, ix := range tb.Indexes {
			if err := have.Compute(tb, ix, old, tuple); err != nil {
				return err
			}
			for i := range have.Len() {
				if err := t.deleteEntry(tb, ix, have, i, tuple); err != nil {
					return err
				}
			}
		}
	}
	return t.kv.Delete(t.buf.recordKey(tb, tuple))
}

// deletion is one delete with all that follows from it. It first finds every
// record that goes, then asks whether any that stays forbids it, and only then
// writes. A record that refers to itself, or to another that goes as well,
// forbids nothing.
type deletion struct {
	t        *Tx
	seen     map[string]bool // record keys of what goes
	toDelete []doomed
	toClear  []cleared
	kept     int // bytes of values in toDelete
}

// keepValues bounds how many bytes of values a deletion keeps from finding its
// records to erasing them; it reads the others again.
const keepValues = 1 << 20

// doomed is a record that goes.
type doomed struct {
	tb    *schema.Table
	tuple []byte
	value []byte // nil where it has not been kept
}

// cleared is a record whose reference is to be cleared.
type cleared struct {
	ref   *schema.Ref
	tuple []byte
}

// plan finds what goes with the record, and what is in the way.
func (d *deletion) plan(tb *schema.Table, tuple []byte) error {
	if err := d.add(tb, tuple); err != nil {
		return err
	}
	for i := 0; i < len(d.toDelete); i++ {
		if err := d.follow(schema.Cascade, d.toDelete[i], d.cascade); err != nil {
			return err
		}
	}
	for _, g := range d.toDelete {
		if err := d.follow(schema.Restrict, g, d.restrict); err != nil {
			return err
		}
	}
	for _, g := range d.toDelete {
		if err := d.follow(schema.SetNull, g, d.setNull); err != nil {
			return err
		}
	}
	return nil
}

// add adds a record to those that go, once.
func (d *deletion) add(tb *schema.Table, tuple []byte) error {
	key := string(d.t.buf.recordKey(tb, tuple))
	if d.seen[key] {
		return nil
	}
	value, err := d.t.Get(tb, tuple)
	if err != nil {
		return err
	}
	d.seen[key] = true
	if d.kept += len(value); d.kept > keepValues {
		value = nil
	}
	d.toDelete = append(d.toDelete, doomed{tb, append([]byte(nil), tuple...), value})
	return nil
}

// follow calls fn with each record that refers to g through a reference with
// the delete rule, until fn returns errFound.
func (d *deletion) follow(rule schema.Action, g doomed, fn func(g doomed, r *schema.Ref, tuple []byte) error) error {
	for _, r := range g.tb.Incoming {
		if r.OnDelete != rule {
			continue
		}
		err := d.t.referrers(r, g.tuple, func(tuple []byte) error { return fn(g, r, tuple) })
		if err != nil && !errors.Is(err, errFound) {
			return err
		}
	}
	return nil
}

func (d *deletion) cascade(_ doomed, r *schema.Ref, tuple []byte) error {
	return d.add(r.Table, tuple)
}

func (d *deletion) restrict(g doomed, r *schema.Ref, tuple []byte) error {
	if d.goes(r, tuple) {
		return nil
	}
	if later := d.t.deferralOf(r); later != nil {
		later.restricts = append(later.restricts, restricted{ref: r, target: g.tuple})
		return errFound
	}
	return &ReferenceError{Ref: r, Target: record.RefTo(g.tb, g.tuple), Action: "delete"}
}

func (d *deletion) setNull(_ doomed, r *schema.Ref, tuple []byte) error {
	if !d.goes(r, tuple) {
		d.toClear = append(d.toClear, cleared{r, append([]byte(nil), tuple...)})
	}
	return nil
}

// goes reports whether the referring record goes too.
func (d *deletion) goes(r *schema.Ref, tuple []byte) bool {
	return d.seen[string(d.t.buf.recordKey(r.Table, tuple))]
}

// run erases what goes and clears the references that are to be cleared.
func (d *deletion) run() error {
	for _, g := range d.toDelete {
		value := g.value
		if value == nil {
			var err error
			if value, err = d.t.Get(g.tb, g.tuple); err != nil {
				return err
			}
		}
		if err := d.t.erase(g.tb, g.tuple, value); err != nil {
			return err
		}
	}
	for _, c := range d.toClear {
		if err := d.t.setNull(c.ref, c.tuple); err != nil {
			return err
		}
	}
	return nil
}
