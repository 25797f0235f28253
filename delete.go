package kivis

import (
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// remove deletes the record of tb with the key tuple and applies the delete
// rules of the references to it.
func (t *txn) remove(tb *schema.Table, tuple []byte) error {
	if !t.write {
		return ErrReadOnly
	}
	t.freeze()
	t.writes++
	if len(tb.Incoming) == 0 {
		value, err := t.read(tb, tuple)
		if err != nil {
			return err
		}
		t.noteRemoval(tb, tuple)
		return t.erase(tb, tuple, value)
	}
	d := deletion{t: t, seen: map[string]bool{}}
	if err := d.plan(tb, tuple); err != nil {
		return err
	}
	t.noteRemoval(tb, tuple)
	return d.run()
}

// read returns the stored value of a record, or ErrNotFound.
func (t *txn) read(tb *schema.Table, tuple []byte) ([]byte, error) {
	value, err := t.kv.Get(t.buf.recordKey(tb, tuple))
	return value, notFound(err)
}

// notFound returns ErrNotFound for the store's.
func notFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return ErrNotFound
	}
	return err
}

// erase deletes one record and its index entries, no questions asked.
func (t *txn) erase(tb *schema.Table, tuple, value []byte) error {
	if len(tb.Indexes) > 0 {
		old, err := t.openOld(tb, tuple, value)
		if err != nil {
			return err
		}
		for _, ix := range tb.Indexes {
			if err := t.buf.have.fill(tb, ix, old, tuple); err != nil {
				return err
			}
			for i := range t.buf.have.list {
				if err := t.kv.Delete(t.buf.have.key(i)); err != nil {
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
	t     *txn
	seen  map[string]bool // record keys of what goes
	going []doomed
	nulls []nullified
}

// doomed is a record that goes.
type doomed struct {
	tb    *schema.Table
	tuple []byte
	value []byte
}

// nullified is a record whose reference is to be cleared.
type nullified struct {
	ref   *schema.Ref
	tuple []byte
}

// plan finds what goes with the record, and what is in the way.
func (d *deletion) plan(tb *schema.Table, tuple []byte) error {
	if err := d.doom(tb, tuple); err != nil {
		return err
	}
	for i := 0; i < len(d.going); i++ {
		if err := d.follow(schema.Cascade, d.going[i], d.cascade); err != nil {
			return err
		}
	}
	for _, g := range d.going {
		if err := d.follow(schema.Restrict, g, d.restrict); err != nil {
			return err
		}
	}
	for _, g := range d.going {
		if err := d.follow(schema.SetNull, g, d.setNull); err != nil {
			return err
		}
	}
	return nil
}

// doom adds a record to those that go, once.
func (d *deletion) doom(tb *schema.Table, tuple []byte) error {
	key := string(d.t.buf.recordKey(tb, tuple))
	if d.seen[key] {
		return nil
	}
	value, err := d.t.read(tb, tuple)
	if err != nil {
		return err
	}
	d.seen[key] = true
	d.going = append(d.going, doomed{tb, append([]byte(nil), tuple...), value})
	return nil
}

// follow calls fn with each record that refers to g through a reference with
// the delete rule.
func (d *deletion) follow(rule schema.Action, g doomed, fn func(g doomed, r *schema.Ref, tuple []byte) error) error {
	for _, r := range g.tb.Incoming {
		if r.OnDelete != rule {
			continue
		}
		err := d.t.referrers(r, g.tuple, func(tuple []byte) error { return fn(g, r, tuple) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *deletion) cascade(_ doomed, r *schema.Ref, tuple []byte) error {
	if err := registered(r); err != nil {
		return err
	}
	return d.doom(r.Table, tuple)
}

func (d *deletion) restrict(g doomed, r *schema.Ref, tuple []byte) error {
	if d.seen[string(d.t.buf.recordKey(r.Table, tuple))] {
		return nil
	}
	at := refTo(g.tb, g.tuple)
	return &ReferenceError{Table: r.Table.Name, Field: r.Name, Target: g.tb.Name, Key: at.value(), Action: "delete", at: at}
}

func (d *deletion) setNull(_ doomed, r *schema.Ref, tuple []byte) error {
	if d.seen[string(d.t.buf.recordKey(r.Table, tuple))] {
		return nil
	}
	if err := registered(r); err != nil {
		return err
	}
	d.nulls = append(d.nulls, nullified{r, append([]byte(nil), tuple...)})
	return nil
}

// registered fails where a delete rule would change records of a table whose
// type this program has not registered.
func registered(r *schema.Ref) error {
	if r.Table.Type != nil {
		return nil
	}
	return &ReferenceError{
		Table: r.Table.Name, Field: r.Name, Target: r.Target.Name, Action: "delete",
		reason: fmt.Sprintf("the delete would %s records of table %s, which is not registered in this program: register its type", r.OnDelete, r.Table.Name),
	}
}

// run clears the references that are to be cleared and erases what goes.
func (d *deletion) run() error {
	for _, g := range d.going {
		if err := d.t.erase(g.tb, g.tuple, g.value); err != nil {
			return err
		}
	}
	for _, n := range d.nulls {
		if err := d.t.clearRef(n.ref, n.tuple); err != nil {
			return err
		}
	}
	return nil
}

// clearRef sets the referring fields of one record to nothing and writes it.
func (t *txn) clearRef(r *schema.Ref, tuple []byte) error {
	value, err := t.read(r.Table, tuple)
	if err != nil {
		return err
	}
	rec := newRecord(r.Table)
	if err := t.decode(r.Table, tuple, value, rec.p); err != nil {
		return err
	}
	if err := clearFields(r, rec); err != nil {
		return err
	}
	w := write{tb: r.Table, mode: replace, old: value, known: true}
	if err := t.prepare(&w, rec); err != nil {
		return err
	}
	if string(w.tuple) != string(tuple) {
		return fmt.Errorf("clearing reference %s.%s: %w", r.Table.Name, r.Name, ErrKeyChanged)
	}
	return t.apply(&w)
}

// decode reads a stored value into the record at p.
func (t *txn) decode(tb *schema.Table, tuple, value []byte, p reflectx.Pointer) error {
	b, _, err := openRecord(tb, tuple, value, nil)
	if err == nil {
		err = tb.Decoder().Decode(b, p)
	}
	if err != nil {
		return asCorrupt(tb, refTo(tb, tuple), err)
	}
	return nil
}
