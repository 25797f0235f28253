package boltstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// compactBatch is about how many bytes Compact writes at a time.
const compactBatch = 16 << 20

// Compact writes the file of a store anew, without what is free in it, and
// returns its size before and after. Nobody may have the store open. Should the
// process end meanwhile, the store is as it was. The store keeps its version. It
// needs space for the new file beside the old one.
func Compact(path string) (before, after int64, err error) {
	if _, err := os.Stat(path); err != nil {
		return 0, 0, fmt.Errorf("boltstore: %w", err)
	}
	from, err := Open(path, nil)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if before, err = from.Size(); err != nil {
		return 0, 0, err
	}
	if after, err = from.copyTo(from.path + newSuffix); err != nil {
		return 0, 0, err
	}
	if err := os.Rename(from.path+newSuffix, from.path); err != nil {
		return 0, 0, fmt.Errorf("boltstore: %w", err)
	}
	if err := syncDir(filepath.Dir(from.path)); err != nil {
		return 0, 0, fmt.Errorf("boltstore: %w", err)
	}
	return before, after, nil
}

// copyTo writes what the store holds to a file of its own, durably, and returns
// the size of that.
func (s *Store) copyTo(path string) (size int64, err error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("boltstore: %w", err)
	}
	opts := s.opts.bolt(0)
	opts.NoSync, opts.NoGrowSync = true, true // until the end
	to, err := bolt.Open(path, 0o600, opts)
	if err != nil {
		return 0, fmt.Errorf("boltstore: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if err := s.copyData(to); err != nil {
		return 0, err
	}
	for range 2 { // in both meta pages
		if err := putState(to, state{s.core.Version(), true}); err != nil {
			return 0, err
		}
	}
	if err := to.Sync(); err != nil {
		return 0, fmt.Errorf("boltstore: %w", err)
	}
	err = to.View(func(tx *bolt.Tx) error {
		size = tx.Size()
		return nil
	})
	return size, err
}

// copyData copies the entries of the newest version.
func (s *Store) copyData(to *bolt.DB) (err error) {
	defer s.caught(&err, watched())
	snap, err := s.newSnapshot(0)
	if err != nil {
		return err
	}
	defer snap.release()
	c := snap.data.Cursor()
	for key, value := c.First(); key != nil; {
		err := to.Update(func(tx *bolt.Tx) error {
			data, err := tx.CreateBucketIfNotExists(dataBucket)
			if err != nil {
				return err
			}
			data.FillPercent = 0.95 // keys come in order
			for n := 0; key != nil && n < compactBatch; key, value = c.Next() {
				if err := data.Put(key, value); err != nil {
					return err
				}
				n += len(key) + len(value)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("boltstore: copying %s: %w", s.path, err)
		}
	}
	return nil
}
