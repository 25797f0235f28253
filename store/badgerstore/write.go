package badgerstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

// A version is one Badger transaction, or several if it is too big for one, all
// at the same version: its parts. Nobody reads the version before it is
// published, and a store that is opened finds, by openKey and sealKey, whether
// its last one was completed; see unfinished.go.

// writer writes one version after another. It belongs to the committer.
type writer struct {
	s       *Store
	version uint64
	txn     *badger.Txn
	parts   int  // committed
	touched bool // Badger may have something of the version

	commitAt func(txn *badger.Txn, version uint64) error // tests make it fail
	inside   atomic.Int32                                // calls of it

	stamp bool // write stampKey

	// Memory of the entries of one part, used again for the next version.
	entries []badger.Entry
	keys    []byte

	blobs map[string]head // big values of the version
	gone  []string        // keys that had one before
}

// errUnknown is an error after which it is not known what the engine has.
type errUnknown struct{ err error }

func (e errUnknown) Error() string {
	return fmt.Sprintf("%v; close the store and open it again: %v", e.err, store.ErrCommitUnknown)
}

func (e errUnknown) Unwrap() []error { return []error{e.err, store.ErrCommitUnknown} }

// write writes o and the changes of the feed's log as version, and stampKey if
// stamp is set, durably unless the store does without. If touched is false after
// an error, nothing has been written; else it is unknown what.
func (w *writer) write(version uint64, o *occ.Overlay, log []store.Change, stamp bool) error {
	w.stamp = stamp
	w.version, w.parts, w.touched = version, 0, false
	w.entries, w.keys = w.entries[:0], w.keys[:0]
	w.open()
	defer w.end()
	if err := w.all(o, log); err != nil {
		return wrapEngine("commit", err)
	}
	w.noteBlobs()
	return nil
}

func (w *writer) all(o *occ.Overlay, log []store.Change) error {
	for e := range o.All() {
		if err := w.user(e); err != nil {
			return err
		}
	}
	for _, c := range log {
		if err := w.log(c); err != nil {
			return err
		}
	}
	if w.stamp {
		if err := w.put(stampKey, nil, 0); err != nil {
			return err
		}
	}
	return w.seal()
}

// seal commits the last part.
func (w *writer) seal() error {
	if w.parts > 0 {
		if err := w.put(sealKey, nil, 0); err != nil {
			return err
		}
	}
	return w.flush()
}

func commitAt(txn *badger.Txn, version uint64) error { return txn.CommitAt(version, nil) }

func (w *writer) open() { w.txn = w.s.db.NewTransactionAt(w.version, true) }

// end drops what is not written, and memory that a big version has needed.
func (w *writer) end() {
	w.txn.Discard()
	w.txn, w.blobs, w.gone = nil, nil, nil
	clear(w.entries)
	if cap(w.entries) > 1<<10 || cap(w.keys) > 1<<17 {
		w.entries, w.keys = nil, nil
	}
}

// user adds an entry of the user's.
func (w *writer) user(e occ.Entry) error {
	key, value := e.Key(), e.Value()
	big := len(value) > maxInline
	if err := w.dropBlob(key, big); err != nil {
		return err
	}
	switch {
	case e.Deleted():
		return w.drop(w.key(spaceUser, key))
	case big:
		return w.putBlob(key, value)
	}
	return w.put(w.key(spaceUser, key), value, 0)
}

// putBlob adds a big value: its pieces, and its head twice.
func (w *writer) putBlob(key, value []byte) error {
	h := head{newBlobID(w.version, len(w.blobs)), len(value)}
	if w.blobs == nil {
		w.blobs = make(map[string]head)
	}
	w.blobs[string(key)] = h
	for i := range h.chunks() {
		chunk := value[i*chunkSize : min((i+1)*chunkSize, len(value))]
		if err := w.put(appendChunkKey(nil, h.id, i), chunk, 0); err != nil {
			return err
		}
	}
	at := h.append(nil)
	if err := w.put(w.key(spaceIndex, key), at, 0); err != nil {
		return err
	}
	return w.put(w.key(spaceUser, key), at, metaBlob)
}

// dropBlob adds the deletion of the big value that key has now, if it has one.
func (w *writer) dropBlob(key []byte, again bool) error {
	if len(w.s.blobs) == 0 {
		return nil
	}
	h, ok := w.s.blobs[string(key)]
	if !ok {
		return nil
	}
	w.gone = append(w.gone, string(key))
	w.s.activity.freed.Add(int64(h.size))
	w.s.activity.bytes.Add(int64(h.size)) // to be given back is worth as much
	for i := range h.chunks() {
		if err := w.drop(appendChunkKey(nil, h.id, i)); err != nil {
			return err
		}
	}
	if again {
		return nil // its place in the index is taken by the new one
	}
	return w.drop(w.key(spaceIndex, key))
}

// noteBlobs brings the store's index of big values up to the version.
func (w *writer) noteBlobs() {
	for _, key := range w.gone {
		delete(w.s.blobs, key)
	}
	maps.Copy(w.s.blobs, w.blobs)
}

// key returns an engine's key in the writer's memory.
func (w *writer) key(space byte, key []byte) []byte {
	n := len(w.keys)
	w.keys = appendKey(w.keys, space, key)
	return w.keys[n:len(w.keys):len(w.keys)]
}

// put adds an entry, whose key and value may not change until the end.
func (w *writer) put(key, value []byte, meta byte) error {
	err := w.txn.SetEntry(w.entry(key, value, meta))
	if err == badger.ErrTxnTooBig {
		if err = w.next(); err == nil {
			err = w.txn.SetEntry(w.entry(key, value, meta))
		}
	}
	return err
}

// drop adds a deletion, of a key that may not change until the end.
func (w *writer) drop(key []byte) error {
	err := w.txn.Delete(key)
	if err == badger.ErrTxnTooBig {
		if err = w.next(); err == nil {
			err = w.txn.Delete(key)
		}
	}
	return err
}

// next commits what has been added as a part that is not the last, and begins
// another.
func (w *writer) next() error {
	if w.parts == 0 {
		full := w.txn
		if err := w.mark(); err != nil {
			return err
		}
		w.txn = full
	}
	if err := w.flush(); err != nil {
		return err
	}
	// Keys of the next part may be in this memory already.
	w.keys = nil
	w.open()
	return nil
}

// mark commits a first part, which says that there are several, and to which
// version to go back if the last one is missing. It begins another.
func (w *writer) mark() error {
	w.open()
	before := binary.BigEndian.AppendUint64(nil, w.s.sealed)
	if err := w.txn.SetEntry(w.entry(openKey, before, 0)); err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	w.open()
	return nil
}

// entry returns an entry in the writer's memory, which does not move.
func (w *writer) entry(key, value []byte, meta byte) *badger.Entry {
	if len(w.entries) == cap(w.entries) {
		w.entries = make([]badger.Entry, 0, min(max(16, 2*cap(w.entries)), 1<<12))
	}
	w.entries = append(w.entries, badger.Entry{Key: key, Value: value, UserMeta: meta})
	return &w.entries[len(w.entries)-1]
}

// commit has Badger commit a transaction. It does not wait for Badger where that
// waits for a compaction that never ends: the transaction and all that is in it are
// Badger's then.
func (w *writer) commit(txn *badger.Txn, version uint64) (taken bool, err error) {
	if !w.s.flusher.behind.Load() {
		return false, w.engine(txn, version)
	}
	done := make(chan error, 1)
	go func() { done <- w.engine(txn, version) }()
	g := &w.s.gate
	select {
	case err := <-done:
		return false, err
	case <-g.off:
		return true, *g.broken.Load()
	}
}

// engine is commitAt, and counts those who are in it.
func (w *writer) engine(txn *badger.Txn, version uint64) error {
	w.inside.Add(1)
	defer w.inside.Add(-1)
	return w.commitAt(txn, version)
}

// flush commits what has been added, as one part of the version.
func (w *writer) flush() error {
	if err := w.s.handles.fill(); err != nil {
		return err // before doing anything
	}
	taken, err := w.commit(w.txn, w.version)
	if taken {
		w.entries, w.keys = nil, nil
		w.open()
	}
	if errors.Is(err, badger.ErrTxnTooBig) || errors.Is(err, badger.ErrBlockedWrites) {
		return err // before doing anything
	}
	w.touched = true
	if err != nil {
		return err
	}
	w.parts++
	return w.s.durable()
}
