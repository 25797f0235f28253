package tables

import (
	"bytes"
	"errors"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// checkRefs fails if a reference that w makes, and that the old record did not
// make as it is, points to nothing. The read of the target's key is what makes
// a concurrent delete of it conflict.
func (t *Tx) checkRefs(w *put, old record.Body) error {
	for _, r := range w.tb.Refs {
		if old.Bytes != nil && !w.stale && record.Same(old, w.new, r.Parts) {
			continue
		}
		if err := t.checkRef(w, r); err != nil {
			return err
		}
	}
	return nil
}

// checkRef fails if r points to nothing.
func (t *Tx) checkRef(w *put, r *schema.Ref) error {
	prefix := len(r.Target.Prefix(0))
	key, null, err := w.new.Target(append(t.buf.target[:0], r.Target.Prefix(0)...), r)
	t.buf.target = key
	if err != nil || null {
		return err
	}
	tuple := key[prefix:]
	if r.Target.ID == w.tb.ID && bytes.Equal(tuple, w.key.Tuple) {
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
	if d := t.deferralOf(r); d != nil {
		d.refs = append(d.refs, danglingRef{tb: w.tb, tuple: bytes.Clone(w.key.Tuple), ref: r, target: bytes.Clone(tuple), action: action})
		return nil
	}
	return &ReferenceError{Ref: r, Target: record.RefTo(r.Target, tuple), Action: action}
}

// referrers calls fn with the key tuple of each record that refers through r
// to the record of the target table with the key target. fn may read the tuple
// until it returns.
func (t *Tx) referrers(r *schema.Ref, target []byte, fn func(tuple []byte) error) error {
	if r.Index == nil || r.Index.State != schema.Ready {
		return t.scanReferrers(r, target, fn)
	}
	prefix, err := r.AppendIndexPrefix(append([]byte(nil), r.Table.Prefix(r.Index.ID)...), target)
	if err != nil {
		return err
	}
	c, err := t.kv.Scan(record.PrefixRange(prefix))
	if err != nil {
		return err
	}
	defer c.Close()
	for c.Next() {
		tuple, err := record.SplitEntry(r.Table, r.Index, c.Key(), c.Value())
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
func (t *Tx) scanReferrers(r *schema.Ref, target []byte, fn func(tuple []byte) error) error {
	var to []byte
	for rec, err := range t.Records(r.Table, nil) {
		if err != nil {
			return err
		}
		null := false
		if to, null, err = rec.Body.Target(to[:0], r); err != nil {
			return err
		}
		if null || !bytes.Equal(to, target) {
			continue
		}
		if err := fn(rec.Tuple); err != nil {
			return err
		}
	}
	return nil
}
