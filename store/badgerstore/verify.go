package badgerstore

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/kivisdb/kivis/store"
)

// Verify implements [store.Verifier]: it reads every table file and compares
// all checksums. It does not use the engine's own verification, which ends the
// process on some damage, and cannot be cancelled.
func (s *Store) Verify(ctx context.Context) error {
	if err := s.usable(); err != nil {
		return err
	}
	err := s.verify(ctx)
	if err != nil && ctx.Err() == nil {
		s.noteDamage(err)
	}
	return err
}

func (s *Store) verify(ctx context.Context) error {
	tables, err := readManifest(s.dir)
	if err != nil {
		return err
	}
	var r sstReader
	for _, id := range slices.Sorted(maps.Keys(tables)) {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("badgerstore: verify: %w", err)
		}
		if err := r.whole(tables[id].tableFile); err != nil {
			return err
		}
	}
	return s.verifyPresent(tables)
}

// verifyPresent looks for tables that have gone, though not by a compaction:
// that takes them out of the manifest first.
func (s *Store) verifyPresent(tables map[uint64]*levelFile) error {
	maps.DeleteFunc(tables, func(_ uint64, t *levelFile) bool { return !missing(t.path) })
	if len(tables) == 0 {
		return nil
	}
	now, err := readManifest(s.dir)
	if err != nil {
		return err
	}
	for id, t := range tables {
		if _, ok := now[id]; ok {
			return fmt.Errorf("badgerstore: table file %s is missing: %w", t.path, store.ErrCorrupt)
		}
	}
	return nil
}
