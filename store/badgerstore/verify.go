package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore/internal/badgerfile"
)

// Verify implements [store.Verifier]: it reads every table file and compares
// all checksums. It does not use the engine's own verification, which ends the
// process on some damage, and cannot be cancelled.
func (s *Store) Verify(ctx context.Context) error {
	if err := s.usable(); err != nil {
		return err
	}
	err := s.verify(ctx)
	if errors.Is(err, store.ErrCorrupt) || errors.Is(err, ErrUnknownFormat) {
		s.noteDamage(err)
	}
	return err
}

func (s *Store) verify(ctx context.Context) error {
	tables, _, err := readManifest(s.dir)
	if err != nil {
		return err
	}
	var r badgerfile.TableReader
	for _, id := range slices.Sorted(maps.Keys(tables)) {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("badgerstore: verify: %w", err)
		}
		if err := r.Whole(tables[id].Table); err != nil {
			return fileError(err)
		}
	}
	return s.verifyPresent(tables)
}

// verifyPresent looks for tables that have gone, though not by a compaction:
// that takes them out of the manifest first.
func (s *Store) verifyPresent(tables map[uint64]*levelFile) error {
	maps.DeleteFunc(tables, func(_ uint64, t *levelFile) bool { return !badgerfile.Missing(t.Path) })
	if len(tables) == 0 {
		return nil
	}
	now, _, err := readManifest(s.dir)
	if err != nil {
		return err
	}
	for id, t := range tables {
		if _, ok := now[id]; ok {
			return fmt.Errorf("badgerstore: table file %s is missing: %w", t.Path, store.ErrCorrupt)
		}
	}
	return nil
}

// Size implements [store.Sizer]: the bytes that the store's files take on disk.
func (s *Store) Size() (int64, error) {
	if err := s.usable(); err != nil {
		return 0, err
	}
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return 0, fmt.Errorf("badgerstore: %w", err)
	}
	var size int64
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			continue // deleted meanwhile
		}
		switch filepath.Ext(f.Name()) {
		case ".sst", ".mem", ".vlog", "":
			size += allocated(info)
		}
	}
	return size, nil
}
