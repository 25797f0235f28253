package badgerstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/store"
)

// The version key is written at every version, in its last Badger transaction:
// its newest entry is at the newest complete version, and entries that are
// newer belong to a version whose writing was cut short. They cannot be
// removed, but since Badger keeps what they replaced, its value is written
// again on top, as a version of its own. Like this a big transaction is written
// once; a redo log would write everything twice, at each commit instead of
// after a crash.

// settle finds the newest complete version and undoes what is newer.
func (s *Store) settle() error {
	if err := s.sound(versionKey, versionKey); err != nil {
		return err
	}
	sealed, err := s.lastSealed()
	if err != nil {
		return err
	}
	s.sealed = sealed
	if err := s.checkLog(); err != nil {
		return err
	}
	newest := s.db.MaxVersion()
	if newest <= sealed || s.opts.ReadOnly {
		return nil // a read-only store does not look beyond the sealed version
	}
	return s.revert(newest)
}

// lastSealed returns the newest complete version, 0 for a new store.
func (s *Store) lastSealed() (uint64, error) {
	item, err := s.db.NewTransactionAt(math.MaxUint64, false).Get(versionKey)
	if err == badger.ErrKeyNotFound {
		return 0, nil
	}
	if err != nil {
		return 0, wrapEngine("reading the version", err)
	}
	return item.Version(), nil
}

// checkLog looks for versions that are missing in the logs. Badger ends the
// replay of a log at the first damaged entry, and goes on with the next log.
// But each version names the one before, and versions that are in no table yet
// must all be in the logs.
func (s *Store) checkLog() error {
	var flushed uint64
	for _, t := range s.db.Tables() {
		flushed = max(flushed, t.MaxVersion)
	}
	txn := s.db.NewTransactionAt(s.sealed, false)
	it := txn.NewKeyIterator(versionKey, badger.IteratorOptions{SinceTs: flushed})
	defer it.Close()
	want := s.sealed
	for it.Rewind(); it.Valid() && want > flushed; it.Next() {
		item := it.Item()
		if item.Version() != want {
			break
		}
		value, err := item.ValueCopy(nil)
		if err != nil || len(value) != 8 {
			return fmt.Errorf("badgerstore: version key holds %x: %w", value, store.ErrCorrupt)
		}
		want = binary.BigEndian.Uint64(value)
	}
	if want > flushed {
		return fmt.Errorf("badgerstore: the log is damaged: version %d is missing, and some before it: %w",
			want, store.ErrCorrupt)
	}
	return nil
}

// revert undoes every version after the sealed one, up to newest.
func (s *Store) revert(newest uint64) error {
	w := &s.writer
	w.version = newest + 1
	w.open()
	defer w.end()
	if err := s.revertKeys(w, newest); err != nil {
		return fmt.Errorf("badgerstore: undoing an unfinished commit: %w", err)
	}
	if err := w.seal(); err != nil {
		return fmt.Errorf("badgerstore: undoing an unfinished commit: %w", err)
	}
	if err := w.flush(); err != nil {
		return fmt.Errorf("badgerstore: undoing an unfinished commit: %w", err)
	}
	s.sealed = w.version
	return nil
}

// revertKeys writes the sealed state of each key that has a newer one.
func (s *Store) revertKeys(w *writer, newest uint64) (err error) {
	defer caught(&err)
	before := s.db.NewTransactionAt(s.sealed, false)
	it := s.db.NewTransactionAt(newest, false).NewIterator(badger.IteratorOptions{AllVersions: true, SinceTs: s.sealed})
	defer it.Close()
	var last []byte
	for it.Rewind(); it.Valid(); it.Next() {
		key := it.Item().Key()
		if bytes.Equal(key, last) {
			continue // another of its versions
		}
		last = append(last[:0], key...)
		if err := s.revertKey(w, before, bytes.Clone(key)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) revertKey(w *writer, before *badger.Txn, key []byte) error {
	if err := s.sound(key, key); err != nil {
		return err
	}
	item, err := before.Get(key)
	if err == badger.ErrKeyNotFound {
		return w.drop(key)
	}
	if err != nil {
		return err
	}
	value, err := item.ValueCopy(nil)
	if err != nil {
		return err
	}
	return w.put(key, value, item.UserMeta())
}
