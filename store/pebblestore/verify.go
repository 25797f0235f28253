package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"

	"github.com/kivisdb/kivis/store"
)

// Verified implements [store.Verified]: Pebble compares the checksum of each block
// of a table when it loads it, and of each record of a log, and keeps what it has
// loaded in memory of its own.
func (s *Store) Verified() bool { return true }

// Verify implements [store.Verifier]: it reads every table from the disk, compares
// the checksum of each block, and checks the list of tables. Close ends it.
func (s *Store) Verify(ctx context.Context) (err error) {
	done, err := s.using()
	if err != nil {
		return err
	}
	done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.open, func() { cancel(store.ErrClosed) })()
	defer s.caught(&err)
	if err := s.verifyManifest(); err != nil {
		return s.damaged(fmt.Errorf("pebblestore: %s: %w: %w", s.dir, err, store.ErrCorrupt))
	}
	return s.verifyTables(ctx)
}

// verifyManifest is checkManifest while Pebble may be at work on the list: it
// neither removes one nor says that it has added to one meanwhile.
func (s *Store) verifyManifest() error {
	s.guard.mu.Lock()
	defer s.guard.mu.Unlock()
	files, err := s.fs.List(s.dir)
	if err != nil {
		return err
	}
	return s.checkManifest(files)
}

// verifyTables reads each table.
func (s *Store) verifyTables(ctx context.Context) error {
	tables, err := s.tables()
	if err != nil {
		return err
	}
	for name := range tables {
		if err := context.Cause(ctx); err != nil {
			return fmt.Errorf("pebblestore: verify: %w", err)
		}
		err := s.verifyTable(name)
		if errors.Is(err, fs.ErrNotExist) {
			// A compaction may have taken it.
			now, err := s.tables()
			if err != nil {
				return err
			}
			if !now[name] {
				continue
			}
		}
		if err != nil {
			return s.damaged(fmt.Errorf("pebblestore: %s: table %s: %w: %w", s.dir, name, err, store.ErrCorrupt))
		}
	}
	return nil
}

// tables returns the names of the files with tables that there are.
func (s *Store) tables() (names map[string]bool, err error) {
	defer s.caught(&err)
	done, err := s.using()
	if err != nil {
		return nil, err
	}
	defer done()
	levels, err := s.db.SSTables()
	if err != nil {
		return nil, s.engineError("verify", err)
	}
	names = map[string]bool{}
	for _, level := range levels {
		for _, table := range level {
			names[fmt.Sprintf("%s.sst", table.BackingSSTNum)] = true
		}
	}
	return names, nil
}

// verifyTable compares the checksums of a table.
func (s *Store) verifyTable(name string) error {
	f, err := s.fs.Open(s.fs.PathJoin(s.dir, name))
	if err != nil {
		return err
	}
	readable, err := sstable.NewSimpleReadable(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	r, err := sstable.NewReader(context.Background(), readable, sstable.ReaderOptions{Comparer: pebble.DefaultComparer})
	if err != nil {
		return errors.Join(err, readable.Close())
	}
	return errors.Join(r.ValidateBlockChecksums(), r.Close())
}
