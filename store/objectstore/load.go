package objectstore

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/kivisdb/kivis/internal/backupfile"
	"github.com/kivisdb/kivis/store"
)

// loads has those who need a checkpoint wait for one load of it, which outlasts
// their patience.
type loads struct {
	mu      sync.Mutex
	current *load
}

type load struct {
	done chan struct{}
	err  error // good once done is closed
}

// reload reads the newest checkpoint, and the log behind it.
func (b *backend) reload(ctx context.Context) error {
	l := b.loading()
	select {
	case <-l.done:
		return l.err
	case <-ctx.Done():
		return fmt.Errorf("objectstore: reading a checkpoint: %w", ctx.Err())
	}
}

// loading returns the load that is under way, or begins one.
func (b *backend) loading() *load {
	b.loads.mu.Lock()
	defer b.loads.mu.Unlock()
	l := b.loads.current
	if l != nil {
		return l
	}
	l = &load{done: make(chan struct{})}
	b.loads.current = l
	b.work.Go(func() {
		l.err = b.load(b.ctx, nil)
		b.loads.mu.Lock()
		b.loads.current = nil
		b.loads.mu.Unlock()
		close(l.done)
	})
	return l
}

// load has the era that is not shown be that of the newest checkpoint, and follow
// the log from there to where it is now.
func (b *backend) load(ctx context.Context, progress func(done, total int64)) error {
	if err := b.lock(ctx); err != nil {
		return err
	}
	defer b.unlock()
	var err error
	for range loadAttempts {
		// A checkpoint, or the log behind it, may be collected while it is read: there is a
		// newer one then.
		if err = b.loadCheckpoint(ctx, progress); err == nil {
			err = b.catchUp(ctx)
		}
		if !errors.Is(err, errMissing) && !errors.Is(err, store.ErrGap) {
			return err
		}
	}
	if errors.Is(err, errMissing) {
		return fmt.Errorf("%w: %w", err, store.ErrCorrupt)
	}
	return fmt.Errorf("objectstore: the log is collected faster than it is read: %w: %v", store.ErrUnreachable, err)
}

// loadAttempts is how often a checkpoint is read because the last one is gone.
const loadAttempts = 8

// catchUp follows the log to where it is now and applies it, while no version is
// shown that it passes.
func (b *backend) catchUp(ctx context.Context) error {
	for more := true; more; {
		var err error
		if more, err = b.followLocked(ctx); err != nil {
			return err
		}
		if err := b.settle(b.window.newest().version); err != nil {
			return err
		}
	}
	return nil
}

func (b *backend) loadCheckpoint(ctx context.Context, progress func(done, total int64)) error {
	at, err := b.checkBoundary(ctx)
	if err != nil {
		return err
	}
	if at.checkpoint.version == 0 {
		return damaged(logFolder, "its beginning is missing, and there is no checkpoint")
	}
	last, err := b.bucket.writers(ctx, b.db, at.checkpoint.version)
	if err != nil {
		return err
	}
	if err := b.settle(b.published.Load()); err != nil { // so that it can be shown meanwhile
		return err
	}
	f := newRemoteFile(ctx, b.bucket, nameOf(checkpointFolder, at.checkpoint.version), at.size)
	defer f.close()
	f.progress = progress
	if err := b.readCheckpoint(f, at, last); err != nil {
		return err
	}
	b.window.restart(at.checkpoint, last[b.writer])
	b.noteCheckpoint(at)
	return nil
}

// readCheckpoint fills the era that is not shown.
func (b *backend) readCheckpoint(f *remoteFile, at boundary, last lastCommits) error {
	chain, err := backupfile.OpenChain(f)
	if err != nil {
		return inCheckpoint(f.name, err)
	}
	if info := chain.Info(); info.Version != at.checkpoint.version || info.Incarnation != b.db {
		return damaged(f.name, "it is of version %d of store %x", info.Version, info.Incarnation)
	}
	entries := uint64(0)
	err = b.state.fill(at.checkpoint, last, func(set func(key, value []byte) error) error {
		c := chain.Scan(store.Range{})
		defer c.Close()
		for c.Next() {
			entries++
			if err := set(c.Key(), c.Value()); err != nil {
				return err
			}
		}
		if err := c.Err(); err != nil {
			return inCheckpoint(f.name, err)
		}
		if want := chain.Info().Entries; entries != want {
			return damaged(f.name, "it has %d entries and counts %d", entries, want)
		}
		return nil
	})
	return err
}

// inCheckpoint says in which object an error of a backup is.
func inCheckpoint(name string, err error) error {
	if errors.Is(err, backupfile.ErrNewer) {
		return fmt.Errorf("%w: %s: %w", ErrNewer, name, err)
	}
	return fmt.Errorf("objectstore: %s: %w", name, err)
}

// fill makes an era of a checkpoint, which is shown once one of its versions is
// asked for. What is pending is forgotten.
func (s *state) fill(at point, last lastCommits, entries func(set func(key, value []byte) error) error) (err error) {
	s.clearing.Lock()
	defer s.clearing.Unlock()
	s.mu.Lock()
	s.next, s.pending = nil, nil
	e := &era{gen: s.cur.other(), point: at}
	s.mu.Unlock()
	if err := s.clear(e.gen); err != nil {
		return err
	}
	w := filler{state: s}
	defer w.discard()
	if err := entries(func(key, value []byte) error { return w.set(e.gen, key, value) }); err != nil {
		return err
	}
	for writer, p := range last {
		if err := w.set(e.gen+1, writer[:], p.append(nil)); err != nil {
			return err
		}
	}
	if err := w.commit(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = e
	return nil
}

// filler writes entries in as many transactions as it takes.
type filler struct {
	*state
	tx    store.Tx
	buf   []byte
	keys  int
	bytes int
}

func (w *filler) set(first byte, key, value []byte) (err error) {
	if w.keys >= applyKeys || w.bytes >= applyBytes {
		if err := w.commit(); err != nil {
			return err
		}
	}
	if w.tx == nil {
		if w.tx, err = w.local.Begin(context.Background(), true); err != nil {
			return err
		}
	}
	w.keys++
	w.bytes += len(key) + len(value)
	w.buf = append(append(w.buf[:0], first), key...)
	return w.tx.Set(w.buf, value)
}

func (w *filler) commit() error {
	if w.tx == nil {
		return nil
	}
	_, err := w.tx.Commit()
	w.tx, w.keys, w.bytes = nil, 0, 0
	return err
}

func (w *filler) discard() {
	if w.tx != nil {
		w.tx.Discard()
	}
}

// clearSpare deletes what is left of an era that is not shown.
func (s *state) clearSpare() error {
	s.clearing.Lock()
	defer s.clearing.Unlock()
	s.mu.Lock()
	busy, gen := s.next != nil, s.cur.other()
	s.mu.Unlock()
	if busy {
		return nil
	}
	return s.clear(gen)
}

// clearAtOnce is how many keys one transaction deletes.
const clearAtOnce = 1000

// clear deletes an era.
func (s *state) clear(gen byte) error {
	for n := clearAtOnce; n == clearAtOnce; {
		err := s.write(func(tx store.Tx) error {
			c, err := tx.Scan(store.Range{Lo: []byte{gen}, Hi: []byte{gen + 2}, KeysOnly: true})
			if err != nil {
				return err
			}
			defer c.Close()
			for n = 0; n < clearAtOnce && c.Next(); n++ {
				if err := tx.Delete(c.Key()); err != nil {
					return err
				}
			}
			return c.Err()
		})
		if err != nil {
			return fmt.Errorf("objectstore: Options.State: %w", err)
		}
	}
	return nil
}
