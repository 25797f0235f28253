package badgerstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"syscall"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore/internal/badgerfile"
)

// Badger compacts a level when it is too big. What was deleted leaves the last
// level only once its deletion has come down there, which in a store that does
// not grow is never. Badger's Flatten brings all levels down to the last one,
// but rewrites nothing that has no newer entries above it.

// Compact gives back now the space of all that was deleted or overwritten, but
// for what open transactions still see. It rewrites the store, for which there
// must be as much space again; where there is not, it returns an error that
// matches [syscall.ENOSPC] and does nothing. Reads and commits go on meanwhile;
// many commits wait for parts of it. When ctx ends it returns after the part that
// it is at, and what it has done stays.
func (s *Store) Compact(ctx context.Context) error {
	if err := s.usable(); err != nil {
		return err
	}
	if s.opts.ReadOnly {
		return fmt.Errorf("badgerstore: compact: %w", store.ErrReadOnly)
	}
	c := compaction{ctx, make(chan error, 1)}
	select {
	case s.compactions <- c:
		return <-c.done
	case <-ctx.Done():
		return fmt.Errorf("badgerstore: compact: %w", ctx.Err())
	case <-s.stop:
		return store.ErrClosed
	}
}

// compaction is a call of Compact, which the maintenance answers.
type compaction struct {
	ctx  context.Context
	done chan error
}

// compact is Compact in the maintenance. What the first round has not rewritten,
// since nothing was above it, the second one does.
func (s *Store) compact(ctx context.Context) error {
	_, newest := s.tableSpan()
	for range 2 {
		if err := s.compactOnce(ctx); err != nil {
			return err
		}
		if oldest, _ := s.tableSpan(); oldest > newest {
			return nil
		}
	}
	return nil
}

// compactOnce has a table made that overlaps all others, and every level
// compacted into the next one.
func (s *Store) compactOnce(ctx context.Context) error {
	if err := s.roomToCompact(); err != nil {
		return err
	}
	// With nothing below it, level 0 is compacted from three tables on.
	rotations := 3 - s.db.Levels()[0].NumTables
	for _, l := range s.db.Levels() {
		if l.Level > 0 && l.NumTables > 0 {
			rotations = 1
		}
	}
	for range max(1, rotations) {
		if err := s.rotate(ctx); err != nil {
			return err
		}
	}
	s.discard()
	left := 64 + 2*len(s.db.Tables())
	err := s.flatten(func() bool {
		left--
		return s.stopping(ctx) != nil || left < 0
	})
	return errors.Join(err, s.stopping(ctx))
}

// stopping returns why a compaction is to end early, or nil.
func (s *Store) stopping(ctx context.Context) error {
	select {
	case <-s.stop:
		return store.ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("badgerstore: compact: %w", ctx.Err())
	default:
		return nil
	}
}

// tableSpan returns the lowest and the highest number of a table. Later tables
// have higher ones.
func (s *Store) tableSpan() (oldest, newest uint64) {
	oldest = math.MaxUint64
	for _, t := range s.db.Tables() {
		oldest, newest = min(oldest, t.ID), max(newest, t.ID)
	}
	return oldest, newest
}

// roomToCompact returns an error if all tables cannot be written again.
func (s *Store) roomToCompact() error {
	need := s.space.reserve + unflushed(s.dir)
	for _, l := range s.db.Levels() {
		need += uint64(l.Size) + uint64(l.Size)/8
	}
	s.gate.mu.Lock()
	free, ok := s.gate.free(s.dir)
	s.gate.mu.Unlock()
	if ok && free < need {
		return fmt.Errorf("badgerstore: %s has %d bytes left, and to compact it needs %d: %w", s.dir, free, need, syscall.ENOSPC)
	}
	return nil
}

// flushLimit is how long a memtable may take to become a table.
const flushLimit = time.Minute

// rotate has the memtable become a table, one that overlaps all tables there are.
func (s *Store) rotate(ctx context.Context) error {
	from, err := s.padUntilMoved(ctx)
	if err != nil {
		return err
	}
	for end := time.Now().Add(flushLimit); ; time.Sleep(10 * time.Millisecond) {
		fids, err := badgerfile.ListLogs(s.dir)
		switch {
		case err != nil:
			return fmt.Errorf("badgerstore: compact: %w", err)
		case len(fids) == 0 || fids[0] > from:
			return nil
		case s.flusher.err() != nil:
			return s.flusher.err()
		case time.Now().After(end):
			return fmt.Errorf("badgerstore: compact: the engine has not flushed a memtable for %v", flushLimit)
		}
		if err := s.stopping(ctx); err != nil {
			return err
		}
	}
}

// padUntilMoved fills the memtable until another is begun, and returns the number
// of its log.
func (s *Store) padUntilMoved(ctx context.Context) (from int, err error) {
	var last []byte
	for _, t := range s.db.Tables() {
		if bytes.Compare(t.Right, last) > 0 {
			last = t.Right
		}
	}
	for first := true; ; first = false {
		if err := s.stopping(ctx); err != nil {
			return 0, err
		}
		at, moved, err := s.padOnce(last, first)
		if err != nil {
			return 0, err
		}
		if first {
			from = at
		}
		if moved || at > from {
			return from, nil
		}
		last = nil
	}
}

// padOnce is a step of padUntilMoved. It writes what the key last has again, so
// that the table reaches there.
func (s *Store) padOnce(last []byte, first bool) (from int, moved bool, err error) {
	s.queue.Committing.Lock()
	defer s.queue.Committing.Unlock()
	if s.failed != nil {
		return 0, false, s.failed
	}
	if damage := s.damage.Load(); damage != nil {
		return 0, false, *damage
	}
	if first {
		if err := s.log.find(); err != nil {
			return 0, false, err
		}
	}
	from = s.log.fid
	moved, err = s.padLocked(last)
	return from, moved, err
}

// setAgain writes what a key has once more, so that nobody sees a difference.
func (s *Store) setAgain(txn *badger.Txn, key []byte) error {
	if len(key) == 0 || key[0] <= spacePad {
		return nil // the padding itself reaches there
	}
	if err := s.checkKeys(key, key); err != nil {
		return err
	}
	item, err := s.db.NewTransactionAt(s.sealed, false).Get(key)
	if err == badger.ErrKeyNotFound {
		return txn.Delete(key)
	}
	if err != nil {
		return err
	}
	value, err := item.ValueCopy(nil)
	if err != nil {
		return err
	}
	return txn.SetEntry(&badger.Entry{Key: key, Value: value, UserMeta: item.UserMeta()})
}

// nothingToFit is how Badger's Flatten says that there was nothing to compact.
const nothingToFit = "Unable to fill tables"

// flatten has every level compacted into the next one, until stop returns true.
// It returns no error then.
func (s *Store) flatten(stop func() bool) error {
	s.gate.flattening.Store(&stop)
	defer s.gate.flattening.Store(nil)
	ended := make(chan error, 1)
	go func() {
		var err error
		defer func() { ended <- err }() // also where the gate ends the goroutine
		defer caught(&err)
		labelGoroutine(s.gate.label)
		err = s.db.Flatten(1)
	}()
	if err := <-ended; err != nil && err.Error() != nothingToFit {
		return wrapEngine("compact", err)
	}
	return nil
}

// reclaim compacts an idle store where a quarter of what the last level has may
// be gone: as many entries are above it, or big values of that size went. It stops
// when there is a commit.
func (s *Store) reclaim() {
	a := &s.activity
	commits := a.commits.Load()
	if s.gate.stopped() != nil || s.failedNow() || !s.worthwhile() || s.roomToCompact() != nil {
		return
	}
	s.discard()
	err := s.flatten(func() bool { return s.stopping(context.Background()) != nil || a.commits.Load() != commits })
	if err == nil && a.commits.Load() == commits {
		a.freed.Store(0)
	}
}

// failedNow says whether the store is in trouble.
func (s *Store) failedNow() bool {
	s.queue.Committing.Lock()
	defer s.queue.Committing.Unlock()
	return s.failed != nil || s.damage.Load() != nil
}

// worthwhile says whether much of the last level may be gone.
func (s *Store) worthwhile() bool {
	bottom, above, under, size := 0, 0, 0, int64(0)
	tables := s.db.Tables()
	for _, t := range tables {
		bottom = max(bottom, t.Level)
	}
	for _, t := range tables {
		if size += int64(t.OnDiskSize); t.Level == bottom {
			under += int(t.KeyCount)
		} else {
			above += int(t.KeyCount)
		}
	}
	if above == 0 {
		return false
	}
	return above >= tidyEntries && 4*above >= under || 4*s.activity.freed.Load() >= max(size, s.opts.memtable())
}
