package sqlitestore

import "github.com/kivisdb/kivis/store"

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

// ScanLog implements occ.LogReader.
func (r *reader) ScanLog(g store.Range, visit func(key, value []byte) bool) error {
	cur, err := r.scan(tableLog, g)
	if err != nil {
		return err
	}
	defer cur.Close()
	for cur.Next() {
		if !visit(cur.Key(), cur.Value()) {
			return nil
		}
	}
	return cur.Err()
}
