package badgerstore

import (
	"github.com/kivisdb/kivis/store"
)

// The feed's log is entries in a space of its own, written in the part of a
// version that has room for them, and undone with it: see [occ.LogEngine].

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

// log adds a change of the feed's log.
func (w *writer) log(c store.Change) error {
	if c.Value == nil {
		return w.drop(w.key(spaceLog, c.Key))
	}
	return w.put(w.key(spaceLog, c.Key), c.Value, 0)
}

// ScanLog implements occ.LogReader.
func (r *reader) ScanLog(g store.Range, visit func(key, value []byte) bool) (err error) {
	defer caught(&err)
	w := walk{span: spanIn(nil, spaceLog, g), reverse: g.Reverse}
	if err := r.s.checkKeys(w.span.lo, w.span.hi); err != nil {
		return err
	}
	w.open(r.txn, !g.Reverse)
	defer func() { w.it.Close() }()
	from := w.span.lo
	if g.Reverse {
		from = w.span.hi // which is no key
	}
	var value []byte
	grab := func(b []byte) error { value = b; return nil }
	for w.it.Seek(from); ; w.it.Next() {
		item := w.skipHidden()
		if item == nil {
			return nil
		}
		if err := item.Value(grab); err != nil {
			return wrapEngine("reading the feed's log", err)
		}
		if !visit(item.Key()[1:], value) {
			return nil
		}
	}
}
