package tables

import (
	"bytes"
	"errors"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
)

// batch is a call on several records: what it leaves behind is checked as a
// whole at its end, so that children may come before parents, records that
// refer to each other may go in any order, and values may be swapped.
//
// Invariant: whatever is wrong at some moment inside the call and could still
// be mended by a later write of it is in one of the lists. At the end each is
// looked at again in the state that the call has made.
type batch struct {
	deferral
	claims []lostClaim
}

// danglingRef is a reference that pointed to nothing when it was written.
type danglingRef struct {
	tb     *schema.Table
	tuple  []byte
	ref    *schema.Ref
	target []byte // key tuple
	action string
}

// restricted is a record that was deleted though others referred to it.
type restricted struct {
	ref    *schema.Ref
	target []byte // key tuple of what was deleted
}

// lostClaim is a record whose entry in a unique index another has taken.
type lostClaim struct {
	tb    *schema.Table
	ix    *schema.Index
	key   []byte // of the entry
	tuple []byte // of the record that had it
	taker []byte // of the record that has it now
}

// Batch runs fn, a call on several records, and checks references and
// uniqueness at its end, on the whole. For an error of the check it also returns
// the key tuple of the record that is at fault.
func (t *Tx) Batch(fn func() error) (culprit []byte, err error) {
	if t.batch != nil {
		return nil, fn()
	}
	b := &batch{}
	t.batch = b
	defer func() { t.batch = nil }()
	if err := fn(); err != nil {
		return nil, err
	}
	t.batch = nil
	return t.checkBatch(b)
}

// checkBatch looks again at all that was wrong during the call.
func (t *Tx) checkBatch(b *batch) (culprit []byte, err error) {
	for i := range b.claims {
		if err := t.checkClaim(&b.claims[i]); err != nil {
			return b.claims[i].taker, err
		}
	}
	for i := range b.refs {
		if err := t.recheckRef(&b.refs[i]); err != nil {
			return b.refs[i].tuple, err
		}
	}
	for i := range b.restricts {
		if err := t.recheckRestrict(&b.restricts[i]); err != nil {
			return b.restricts[i].target, err
		}
	}
	return nil, nil
}

// body returns the body of a record as it is now, or none where it is gone.
func (t *Tx) body(tb *schema.Table, tuple []byte) (record.Body, error) {
	value, err := t.Get(tb, tuple)
	if errors.Is(err, ErrNotFound) {
		return record.Body{}, nil
	}
	if err != nil {
		return record.Body{}, err
	}
	return t.openOld(tb, tuple, value)
}

// checkClaim fails if a record still has a value whose unique entry another has
// taken. An entry that the other has given up again is restored.
func (t *Tx) checkClaim(c *lostClaim) error {
	b, err := t.body(c.tb, c.tuple)
	if err != nil || b.Bytes == nil {
		return err
	}
	have := &t.buf.have
	if err := have.Compute(c.tb, c.ix, b, c.tuple); err != nil {
		return err
	}
	i := have.Find(c.key)
	if i < 0 {
		return nil
	}
	holder, err := t.holder(c.tb, c.ix, c.key)
	switch {
	case err != nil:
		return err
	case holder == nil:
		return t.RestoreEntry(have, i, c.tuple)
	case bytes.Equal(holder, c.tuple):
		return nil
	}
	return &UniqueError{Table: c.tb, Index: c.ix, Holder: record.RefTo(c.tb, c.tuple)}
}

// recheckRef fails if a reference still points to nothing.
func (t *Tx) recheckRef(d *danglingRef) error {
	_, err := t.Get(d.ref.Target, d.target)
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	b, err := t.body(d.tb, d.tuple)
	if err != nil || b.Bytes == nil {
		return err
	}
	to, null, err := b.Target(nil, d.ref)
	if err != nil || null || !bytes.Equal(to, d.target) {
		return err
	}
	return &ReferenceError{Ref: d.ref, Target: record.RefTo(d.ref.Target, d.target), Action: d.action}
}

// errFound ends a search.
var errFound = errors.New("found")

// recheckRestrict fails if records still refer to one that was deleted.
func (t *Tx) recheckRestrict(r *restricted) error {
	_, err := t.Get(r.ref.Target, r.target)
	if !errors.Is(err, ErrNotFound) {
		return err // it is there again
	}
	err = t.referrers(r.ref, r.target, func([]byte) error { return errFound })
	if errors.Is(err, errFound) {
		return &ReferenceError{Ref: r.ref, Target: record.RefTo(r.ref.Target, r.target), Action: "delete"}
	}
	return err
}
