package pebblestore

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kivisdb/kivis/store"
)

// CommitLog implements occ.LogEngine.
func (e engine) CommitLog(begin func() bool) error {
	e.s.queue.Committing.Lock()
	defer e.s.queue.Committing.Unlock()
	if err := e.s.refused(nil); err != nil || !begin() {
		return err
	}
	_, err := e.s.commitBatch()
	return err
}

// setLog adds the changes of the feed's log to a batch.
func (s *Store) setLog(b *pebble.Batch, log []store.Change) error {
	for _, c := range log {
		s.key = append(append(s.key[:0], spaceLog), c.Key...)
		var err error
		if c.Value == nil {
			err = b.Delete(s.key, nil)
		} else {
			err = b.Set(s.key, c.Value, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ScanLog implements occ.LogReader.
func (r *reader) ScanLog(g store.Range, visit func(key, value []byte) bool) (err error) {
	defer r.snap.s.caught(&err)
	lo, hi := boundsOf(spaceLog, g)
	it, err := r.snap.snap.NewIter(&pebble.IterOptions{LowerBound: lo, UpperBound: hi})
	if err != nil {
		return r.snap.s.engineError("reading the feed's log", err)
	}
	first, next := it.First, it.Next
	if g.Reverse {
		first, next = it.Last, it.Prev
	}
	for ok := first(); ok; ok = next() {
		value, valueErr := it.ValueAndErr()
		if err = valueErr; err != nil || !visit(it.Key()[1:], value) {
			break
		}
	}
	return r.snap.s.engineError("reading the feed's log", errors.Join(err, it.Error(), it.Close()))
}
