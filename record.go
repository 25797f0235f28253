package kivis

import (
	"fmt"
	"reflect"

	"github.com/google/uuid"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
)

// record is a Go record as the core sees it: a pointer without its type.
type record struct {
	ptr any // *R
	p   reflectx.Pointer
	set *schema.Column // the key column that a call has generated, to undo it
}

// recordOf returns the record at rec.
func recordOf[R any](rec *R) record { return record{ptr: rec, p: reflectx.To(rec)} }

// value returns the pointer to the record as a reflect.Value.
func (r *record) value() reflect.Value { return reflect.ValueOf(r.ptr) }

// validate calls the record's Validate method, if it has one.
func (r *record) validate() error {
	v, ok := r.ptr.(interface{ Validate() error })
	if !ok {
		return nil
	}
	if err := v.Validate(); err != nil {
		return fmt.Errorf("invalid record: %w", err)
	}
	return nil
}

// undo takes back a key that was generated for a write that failed, so that
// the record can be inserted again.
func (r *record) undo() {
	if r.set != nil {
		r.field(r.set).SetZero()
		r.set = nil
	}
}

// field returns a column's field in the record.
func (r *record) field(c *schema.Column) reflect.Value {
	return r.p.At(c.Offset).Value(c.GoType)
}

// generate sets the record's key if it is one that Kivis generates and is zero.
func (t *txn) generate(w *write, rec *record) error {
	k := &w.tb.Key
	if k.Kind != schema.KeyAuto && k.Kind != schema.KeyUUID {
		return nil
	}
	c := &w.tb.Columns[k.AutoColumn]
	f := rec.field(c)
	if w.mode == replace {
		return nil
	}
	if !f.IsZero() {
		if k.Kind == schema.KeyAuto {
			w.given = givenID(f)
		}
		return nil
	}
	if err := t.draw(w.tb, f); err != nil {
		return err
	}
	rec.set, w.fresh = c, true
	return nil
}

// draw sets f, a record's key field, to a new id or UUID.
func (t *txn) draw(tb *schema.Table, f reflect.Value) error {
	if tb.Key.Kind == schema.KeyUUID {
		u, err := uuid.NewV7()
		if err == nil {
			reflect.Copy(f, reflect.ValueOf(u))
		}
		return err
	}
	id, err := t.nextID(tb)
	switch {
	case err != nil:
		return err
	case f.CanUint():
		f.SetUint(id)
	default:
		f.SetInt(int64(id))
	}
	return nil
}

// givenID returns the id that the caller has set in f, or 0 for a negative one,
// which is beside the sequence.
func givenID(f reflect.Value) uint64 {
	if f.CanUint() {
		return f.Uint()
	}
	return uint64(max(f.Int(), 0))
}

// setContentKey sets the record's key to the digest of its other fields.
func (t *txn) setContentKey(w *write, rec *record) error {
	c := &w.tb.Columns[w.tb.Key.AutoColumn]
	sum := codec.Digest(w.new.bytes, w.new.offs, w.tb.Layout, w.tb.Key.AutoColumn)
	f := rec.field(c)
	if !f.IsZero() {
		if *reflectx.Ref[[32]byte](rec.p.At(c.Offset)) == sum {
			return nil
		}
		return fmt.Errorf("%w: the content is not the one that the key was made from", ErrKeyChanged)
	}
	*reflectx.Ref[[32]byte](rec.p.At(c.Offset)) = sum
	rec.set = c
	return t.encode(w, rec)
}
