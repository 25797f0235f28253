package boltstore

import (
	"bytes"

	bolt "go.etcd.io/bbolt"

	"github.com/kivisdb/kivis/store"
)

// CommitLog implements occ.LogEngine.
func (e engine) CommitLog(begin func() bool) error {
	e.s.queue.Committing.Lock()
	defer e.s.queue.Committing.Unlock()
	if err := e.s.refused(); err != nil || !begin() {
		return err
	}
	_, err := e.s.commitBatch()
	return err
}

// fillLog makes the changes of the feed's log in a transaction of bbolt's.
func (s *Store) fillLog(data *bolt.Bucket, log []store.Change) error {
	for _, c := range log {
		s.key = append(append(s.key[:0], logPrefix), c.Key...)
		var err error
		if c.Value == nil {
			err = data.Delete(s.key)
		} else {
			err = data.Put(s.key, appendValue(make([]byte, 0, len(c.Value)+sumSize), s.key, c.Value))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ScanLog implements occ.LogReader.
func (r *reader) ScanLog(g store.Range, visit func(key, value []byte) bool) (err error) {
	defer r.snap.s.caught(&err, watched())
	b := boundsOf(logPrefix, g)
	at := r.cursor()
	defer func() { r.idle = append(r.idle, at) }()
	from, next := b.lo, at.Next
	if g.Reverse {
		from, next = b.hi, at.Prev
	}
	key, stored := at.Seek(from)
	if g.Reverse {
		if key, stored = at.Prev(); key == nil {
			key, stored = at.Last() // where Seek has found nothing
		}
	}
	for ; key != nil && bytes.Compare(key, b.lo) >= 0 && bytes.Compare(key, b.hi) < 0; key, stored = next() {
		value, ok := valueOf(key, stored)
		if !ok {
			return r.snap.s.damaged(badEntry(r.snap.s.path, key))
		}
		if !visit(key[1:], value) {
			return nil
		}
	}
	return nil
}
