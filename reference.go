package kivis

import (
	"bytes"
	"errors"
	"reflect"
	"strings"

	"github.com/kivisdb/kivis/reflectx"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// checkRefs fails if a reference that w makes, and that the old record did not
// make as it is, points to nothing. The read of the target's key is what makes
// a concurrent delete of it conflict.
func (t *txn) checkRefs(w *write, old body) error {
	for _, r := range w.tb.Refs {
		if old.bytes != nil && same(old, w.new, r.Parts) {
			continue
		}
		if err := t.checkRef(w, r); err != nil {
			return err
		}
	}
	return nil
}

// checkRef fails if r points to nothing.
func (t *txn) checkRef(w *write, r *schema.Ref) error {
	prefix := len(r.Target.Prefix(0))
	key, null, err := w.new.target(append(t.buf.target[:0], r.Target.Prefix(0)...), r)
	t.buf.target = key
	if err != nil || null {
		return err
	}
	tuple := key[prefix:]
	if r.Target.ID == w.tb.ID && bytes.Equal(tuple, w.tuple) {
		return nil // to itself
	}
	_, err = t.kv.Get(key)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	action := "insert"
	if w.old != nil {
		action = "update"
	}
	at := refTo(r.Target, tuple)
	return &ReferenceError{
		Table: w.tb.Name, Field: r.Name, Target: r.Target.Name, Key: at.value(), Action: action,
		at: at, zero: isZero(at),
	}
}

// target appends the key tuple that b refers to through r, and reports whether
// it refers to nothing instead.
func (b body) target(dst []byte, r *schema.Ref) (tuple []byte, null bool, err error) {
	return r.AppendTarget(dst, func(i int) ([]byte, error) { return b.part(&r.Parts[i]) })
}

// isZero reports whether a key is the zero value of its type.
func isZero(at *keyRef) bool {
	v := at.value()
	return v != nil && reflect.ValueOf(v).IsZero()
}

// referrers calls fn with the key tuple of each record that refers through r
// to the record of the target table with the key target. What fn gets is its
// to read until it returns.
func (t *txn) referrers(r *schema.Ref, target []byte, fn func(tuple []byte) error) error {
	if r.Index == nil || r.Index.State != schema.Ready {
		return t.scanReferrers(r, target, fn)
	}
	prefix, err := r.AppendIndexPrefix(append([]byte(nil), r.Table.Prefix(r.Index.ID)...), target)
	if err != nil {
		return err
	}
	c, err := t.kv.Scan(prefixRange(prefix))
	if err != nil {
		return err
	}
	defer c.Close()
	for c.Next() {
		tuple, err := entryTuple(r.Table, r.Index, c.Key(), c.Value())
		if err != nil {
			return err
		}
		if err := fn(tuple); err != nil {
			return err
		}
	}
	return c.Err()
}

// scanReferrers is referrers without the index, while that is being built.
func (t *txn) scanReferrers(r *schema.Ref, target []byte, fn func(tuple []byte) error) error {
	c, err := t.kv.Scan(prefixRange(r.Table.Prefix(0)))
	if err != nil {
		return err
	}
	defer c.Close()
	var b body
	var buf, to []byte
	for c.Next() {
		tuple := c.Key()[len(r.Table.Prefix(0)):]
		if b, buf, err = openBody(r.Table, tuple, c.Keep(), buf, b.offs); err != nil {
			return err
		}
		null := false
		if to, null, err = b.target(to[:0], r); err != nil {
			return err
		}
		if null || !bytes.Equal(to, target) {
			continue
		}
		if err := fn(tuple); err != nil {
			return err
		}
	}
	return c.Err()
}

// newRecord returns a new record of tb's Go type.
func newRecord(tb *schema.Table) *record {
	v := reflect.New(tb.Type)
	return &record{ptr: v.Interface(), p: reflectx.Of(v)}
}

// clearFields sets the fields that r's delete rule clears to nil or zero.
func clearFields(r *schema.Ref, rec *record) error {
	for _, i := range r.Nulls {
		f, err := fieldAt(r.Table, rec, &r.Parts[i])
		if err != nil {
			return err
		}
		f.SetZero()
	}
	return nil
}

// fieldAt returns the Go field of a part in a record.
func fieldAt(tb *schema.Table, rec *record, p *schema.Part) (reflect.Value, error) {
	c := &tb.Columns[p.Column]
	v := rec.field(c)
	if len(p.Path) == 0 {
		return v, nil
	}
	names := strings.Split(p.Name, ".")[1:]
	for _, name := range names {
		fields, err := schema.StoredFields(v.Type())
		if err != nil {
			return v, err
		}
		for _, f := range fields {
			if f.Name == name {
				v = reflectx.Of(v.Addr()).At(f.Offset).Value(f.Type)
				break
			}
		}
	}
	return v, nil
}
