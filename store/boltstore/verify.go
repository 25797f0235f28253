package boltstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/boltstore/internal/boltfile"
	"github.com/kivisdb/kivis/store/occ"
)

// inspect looks at a locked file before bbolt does, and returns the version in it.
func (s *Store) inspect(f *os.File, size int64) (uint64, error) {
	m, both, err := boltfile.ReadMeta(f, size)
	if err != nil {
		return 0, fileError(s.path, err)
	}
	if int64(m.Pages)*int64(m.PageSize) > size {
		return 0, fmt.Errorf("boltstore: %s has %d bytes, but had %d pages of %d: %w", s.path, size, m.Pages, m.PageSize, store.ErrCorrupt)
	}
	look := walkFile
	if s.opts.NoVerify {
		look = readState
	}
	st, err := look(context.Background(), f, m, s.path, s.opts.progress(m.PageSize))
	if err != nil {
		return 0, err
	}
	if s.oneMeta = !both; s.oneMeta && !st.closed {
		err = s.acceptLoss(st.version)
	}
	return st.version, err
}

// mend writes the state once more where one meta page is damaged: it goes there.
func (s *Store) mend(version uint64) error {
	if !s.oneMeta || s.opts.ReadOnly {
		return nil
	}
	if err := s.write(state{version: version}, new(occ.Overlay), nil); err != nil {
		return err
	}
	s.oneMeta, s.marked = false, true
	return nil
}

// acceptLoss returns an error where one meta page is damaged, which may have held
// the newest commit, unless that may be lost.
func (s *Store) acceptLoss(version uint64) error {
	if !s.opts.NoSync {
		return fmt.Errorf("boltstore: %s: one of the two meta pages is damaged, and a commit after version %d may be in it alone; "+
			"opened once with Options.NoSync, the store goes back to that version: %w", s.path, version, store.ErrCorrupt)
	}
	if s.opts.Logger != nil {
		s.opts.Logger.Warn("boltstore: a meta page is damaged; commits may be lost", "file", s.path, "version", version)
	}
	return nil
}

// progress returns what a walk is to call.
func (o *Options) progress(pageSize int) func(done, total uint64) {
	if o.Progress == nil {
		return nil
	}
	return func(done, total uint64) { o.Progress(int64(done)*int64(pageSize), int64(total)*int64(pageSize)) }
}

// walkFile checks everything in a file that m describes, and returns its state.
func walkFile(ctx context.Context, f io.ReaderAt, m boltfile.Meta, path string, progress func(done, total uint64)) (st state, err error) {
	visit := boltfile.Visitor{
		Bucket: func(name []byte, sequence uint64) error {
			if !bytes.Equal(name, dataBucket) {
				return fmt.Errorf("it has a bucket %q: %w", name, boltfile.ErrForeign)
			}
			st, err = decodeState(sequence)
			return err
		},
		Entry: func(key, value []byte) error { return checkEntry(path, key, value) },
	}
	err = boltfile.Walk(ctx, f, m, visit, progress)
	switch {
	case err == nil && st.version == 0:
		err = fmt.Errorf("it has no bucket: %w", boltfile.ErrForeign)
	case errors.Is(err, store.ErrCorrupt):
		return st, err
	}
	return st, fileError(path, err)
}

func checkEntry(path string, key, value []byte) error {
	if key[0] != keyPrefix && key[0] != logPrefix {
		return fmt.Errorf("there is a key %x in it: %w", key, boltfile.ErrForeign)
	}
	if _, ok := valueOf(key, value); !ok {
		return badEntry(path, key[1:])
	}
	return nil
}

// readState returns the state of a file without a look at more than that.
func readState(_ context.Context, f io.ReaderAt, m boltfile.Meta, path string, _ func(done, total uint64)) (state, error) {
	sequence, err := boltfile.Sequence(f, m, dataBucket)
	if err != nil {
		return state{}, fileError(path, err)
	}
	st, err := decodeState(sequence)
	return st, fileError(path, err)
}

// Verify implements [store.Verifier]: it reads the whole file, but for the bytes
// of free pages, and checks that each page has its place and each entry its
// checksum. Commits go on meanwhile; the file grows by what they replace. Close
// ends it.
func (s *Store) Verify(ctx context.Context) error {
	if err := s.usable(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.open, func() { cancel(store.ErrClosed) })()
	snap, m, err := s.settled()
	if err != nil {
		return err
	}
	defer snap.release()
	_, err = walkFile(ctx, s.file, m, s.path, nil)
	if errors.Is(err, store.ErrCorrupt) {
		return s.damaged(err)
	}
	return err
}

// settled returns a snapshot of the newest version with the meta page of it.
func (s *Store) settled() (*snapshot, boltfile.Meta, error) {
	s.queue.Committing.Lock()
	defer s.queue.Committing.Unlock()
	snap, err := s.newSnapshot(0)
	if err != nil {
		return nil, boltfile.Meta{}, err
	}
	m, both, err := boltfile.ReadMeta(s.file, snap.tx.Size())
	if err == nil && (both == s.oneMeta || m.Txid != uint64(snap.tx.ID())) {
		err = fmt.Errorf("a meta page is not what it was: %w", boltfile.ErrDamaged)
	}
	if err != nil {
		snap.release()
		return nil, m, s.damaged(fileError(s.path, err))
	}
	return snap, m, nil
}
