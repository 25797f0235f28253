package badgerstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/store"
)

// The store's versions are Badger's, and follow each other without a gap. The
// newest one of a store that is opened is the newest that Badger has, unless
// openKey is newer than sealKey: then the writing of that version was cut
// short. Its entries cannot be removed, but since Badger keeps what they
// replaced, that is written again on top, as a version of its own. Like this a
// big transaction is written once; a redo log would write everything twice, at
// each commit instead of after a crash.

// undoUnfinished finds the newest complete version and undoes what is newer.
func (s *Store) undoUnfinished() error {
	newest := s.db.MaxVersion()
	sealed, err := s.lastSealed(newest)
	if err != nil {
		return err
	}
	s.sealed = sealed
	if sealed == newest || s.opts.ReadOnly {
		return nil // a read-only store does not look beyond the sealed version
	}
	return s.revert(newest)
}

// lastSealed returns the newest complete version.
func (s *Store) lastSealed(newest uint64) (uint64, error) {
	txn := s.db.NewTransactionAt(math.MaxUint64, false)
	opened, err := txn.Get(openKey)
	if err == badger.ErrKeyNotFound {
		return newest, nil
	}
	if err != nil {
		return 0, wrapEngine("reading the version", err)
	}
	sealed, err := txn.Get(sealKey)
	switch {
	case err == nil && sealed.Version() >= opened.Version():
		return newest, nil
	case err != nil && err != badger.ErrKeyNotFound:
		return 0, wrapEngine("reading the version", err)
	}
	value, err := opened.ValueCopy(nil)
	if err != nil || len(value) != 8 {
		return 0, fmt.Errorf("badgerstore: the version to go back to is %x: %w", value, store.ErrCorrupt)
	}
	return binary.BigEndian.Uint64(value), nil
}

// eachVersion calls f for every entry after one version, up to another.
func (s *Store) eachVersion(after, last uint64, f func(*badger.Item) error) (err error) {
	defer caught(&err)
	txn := s.db.NewTransactionAt(last, false)
	it := txn.NewIterator(badger.IteratorOptions{AllVersions: true, SinceTs: after})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		if err := f(it.Item()); err != nil {
			return err
		}
	}
	return nil
}

// revert undoes every version after the sealed one, up to newest.
func (s *Store) revert(newest uint64) error {
	w := &s.writer
	w.version, w.parts = newest+1, 0
	defer w.end()
	err := w.mark()
	if err == nil {
		err = s.revertKeys(w, newest)
	}
	if err == nil {
		err = w.seal()
	}
	if err != nil {
		return wrapEngine("undoing an unfinished commit", err)
	}
	s.sealed = w.version
	return nil
}

// revertKeys writes the sealed state of each key that has a newer one.
func (s *Store) revertKeys(w *writer, newest uint64) error {
	before := s.db.NewTransactionAt(s.sealed, false)
	var last []byte
	return s.eachVersion(s.sealed, newest, func(item *badger.Item) error {
		key := item.Key()
		if bytes.Equal(key, last) || key[0] == spaceMeta {
			return nil // another of its versions, or one of the store's
		}
		last = append(last[:0], key...)
		return s.revertKey(w, before, bytes.Clone(key))
	})
}

func (s *Store) revertKey(w *writer, before *badger.Txn, key []byte) error {
	if err := s.checkKeys(key, key); err != nil {
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
