package tables

import (
	"fmt"

	"github.com/kivisdb/kivis/internal/record"
	"github.com/kivisdb/kivis/schema"
)

// deferral is what a transaction has to look at before it commits: references
// with the tag deferred that something was wrong with when a call made them, or
// broke them.
//
// Invariant: as long as a deferred reference points to nothing, it is in one of
// the lists, whoever wrote it and whatever was deleted since. A call that is
// rolled back takes what it has added with it.
type deferral struct {
	refs      []danglingRef
	restricts []restricted
}

// A DeferredError reports a deferred reference that was still broken when its
// transaction committed.
type DeferredError struct {
	Call   string      // that broke it: insert, update or delete
	Record *record.Ref // that it wrote or deleted
	Err    error
}

// Error names the call and the record.
func (e *DeferredError) Error() string {
	return fmt.Sprintf("%s of %s %s: %v", e.Call, e.Record.Table.Name, e.Record, e.Err)
}

// Unwrap returns the error of the reference.
func (e *DeferredError) Unwrap() error { return e.Err }

// checkDeferred looks again at all that was deferred.
func (t *Tx) checkDeferred() error {
	d := &t.deferral
	for i := range d.refs {
		x := &d.refs[i]
		if err := t.recheckRef(x); err != nil {
			return &DeferredError{x.action, record.RefTo(x.tb, x.tuple), err}
		}
	}
	for i := range d.restricts {
		x := &d.restricts[i]
		if err := t.recheckRestrict(x); err != nil {
			return &DeferredError{"delete", record.RefTo(x.ref.Target, x.target), err}
		}
	}
	return nil
}

// deferralOf returns the lists in which what is wrong with a reference is kept
// until later, or nil where it is an error at once.
func (t *Tx) deferralOf(r *schema.Ref) *deferral {
	switch {
	case r.Deferred:
		return &t.deferral
	case t.batch != nil:
		return &t.batch.deferral
	}
	return nil
}
