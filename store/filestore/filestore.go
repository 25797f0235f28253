// Package filestore opens a backup in place, as a read-only store: a database
// can be read from the file that db.Backup has written, without a restore.
//
//	st, err := filestore.Open("monday.kbk", "tuesday.kbk") // a backup, then its increments
//	db, err := kivis.Open(st, nil)
//
// Every block that a read needs is checked when it is loaded; [Store.Verify]
// checks the whole.
package filestore

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/kivisdb/kivis/internal/backupfile"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/occ"
)

var (
	_ store.Store    = (*Store)(nil)
	_ store.Verifier = (*Store)(nil)
	_ store.Sizer    = (*Store)(nil)
	_ store.Verified = (*Store)(nil)
)

// Store is a backup, with the increments to it, as a read-only [store.Store].
type Store struct {
	core   occ.Core
	engine engine
	files  []io.Closer
}

// Open returns the store in a backup's file and in those of its increments, in
// order. The error matches [store.ErrCorrupt] where one is damaged.
func Open(path string, increments ...string) (*Store, error) {
	var files []io.Closer
	var readers []io.ReaderAt
	for _, name := range append([]string{path}, increments...) {
		f, err := os.Open(name)
		if err != nil {
			return nil, errors.Join(err, closeAll(files))
		}
		files, readers = append(files, f), append(readers, f)
	}
	s, err := New(readers[0], readers[1:]...)
	if err != nil {
		return nil, errors.Join(err, closeAll(files))
	}
	s.files = files
	return s, nil
}

// New returns the store in a backup and its increments, in order. They must not
// change as long as the store is used; Close does not close them. How long one
// is, its method Size or Stat tells, or else a few reads.
func New(backup io.ReaderAt, increments ...io.ReaderAt) (*Store, error) {
	chain, err := backupfile.OpenChain(backup, increments...)
	if err != nil {
		return nil, err
	}
	s := &Store{engine: engine{chain}}
	s.core.Init(&s.engine, chain.Info().Version, occ.Options{ReadOnly: true})
	return s, nil
}

// IsBackup reports whether a file whose first bytes are start is a backup; it
// takes 8 of them.
func IsBackup(start []byte) bool { return backupfile.IsBackup(start) }

// Begin implements [store.Store]. A write transaction is store.ErrReadOnly.
func (s *Store) Begin(ctx context.Context, write bool) (store.Tx, error) {
	tx, err := s.core.Begin(ctx, write)
	if err != nil {
		return nil, err
	}
	return tx, nil
}

// Close implements [store.Store]. It closes the files that Open has opened.
func (s *Store) Close() error {
	if !s.core.Close() {
		return nil
	}
	return closeAll(s.files)
}

// Verify implements [store.Verifier]: every byte of every file is read.
func (s *Store) Verify(ctx context.Context) error { return s.engine.chain.Verify(ctx, nil) }

// Verified implements [store.Verified]: each block is checked when it is loaded.
func (s *Store) Verified() bool { return true }

// Size implements [store.Sizer]: the bytes of the files.
func (s *Store) Size() (int64, error) { return s.engine.chain.Size(), nil }

func closeAll(files []io.Closer) error {
	var err error
	for _, f := range files {
		err = errors.Join(err, f.Close())
	}
	return err
}

// engine is the one version that there is.
type engine struct {
	chain *backupfile.Chain
}

// Snapshot implements [occ.Engine].
func (e *engine) Snapshot(uint64) (occ.Reader, error) { return reader{e.chain}, nil }

// Commit implements [occ.Engine], which the core never asks for.
func (e *engine) Commit(*occ.Tx) (uint64, error) { return 0, store.ErrReadOnly }

// reader reads the chain, and counts by its index.
type reader struct {
	*backupfile.Chain
}

var (
	_ occ.Reader    = reader{}
	_ store.Counter = reader{}
)

// GetMany implements [occ.Reader].
func (r reader) GetMany(keys, values [][]byte) error {
	for i, key := range keys {
		value, err := r.Get(key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		values[i] = value
	}
	return nil
}

// Scan implements [occ.Reader].
func (r reader) Scan(rg store.Range) (store.Cursor, error) { return r.Chain.Scan(rg), nil }

// Close implements [occ.Reader].
func (r reader) Close() {}
