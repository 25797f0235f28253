package objectstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/kivisdb/kivis/internal/backupfile"
	"github.com/kivisdb/kivis/store"
)

// checkpoint writes one of the version that is here, and makes it the one that a
// process begins with. It does nothing where there is one that is as new, or where
// none can be made just now. Several processes that write the same one write the
// same bytes.
func (b *backend) checkpoint(ctx context.Context) error {
	tx, e, ok, err := b.state.here()
	if err != nil || !ok {
		return err
	}
	defer tx.Discard()
	at, err := b.checkBoundary(ctx)
	switch {
	case err != nil:
		return err
	case at.checkpoint.version >= e.version:
		return nil
	}
	size, err := b.writeCheckpoint(ctx, newReader(tx, e.gen), e.point)
	if err != nil {
		return err
	}
	if err := b.writeWriters(ctx, tx, &e); err != nil {
		return err
	}
	return b.raise(ctx, at, func(n *boundary) { n.checkpoint, n.size = e.point, size })
}

// raise replaces the boundary that was read. That another process was faster is no
// error: it has raised it as well.
func (b *backend) raise(ctx context.Context, read boundary, change func(n *boundary)) error {
	n := read
	change(&n)
	err := b.bucket.replace(ctx, boundaryName, n.encode(), read.tag)
	if errors.Is(err, errTaken) || errors.Is(err, errBusy) {
		return nil
	}
	return err
}

// writeCheckpoint writes the entries of a reader as a backup, and returns its size.
func (b *backend) writeCheckpoint(ctx context.Context, r *reader, at point) (int64, error) {
	u := newUpload(ctx, b.bucket, nameOf(checkpointFolder, at.version), b.growth.expected())
	defer u.abort()
	w := backupfile.NewWriter(u, backupfile.Header{Incarnation: b.db, Version: at.version})
	c, err := r.Scan(store.Range{})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	for c.Next() {
		if err := w.Set(c.Key(), c.Value()); err != nil {
			return 0, err
		}
	}
	if err := c.Err(); err != nil {
		return 0, err
	}
	info, err := w.Close()
	if err != nil {
		return 0, err
	}
	return info.Size, u.close()
}

// writeWriters writes what each writer has committed last.
func (b *backend) writeWriters(ctx context.Context, tx store.Tx, e *era) error {
	c, err := tx.Scan(store.Range{Lo: []byte{e.gen + 1}, Hi: []byte{e.gen + 2}})
	if err != nil {
		return err
	}
	defer c.Close()
	last := make(lastCommits)
	for c.Next() {
		f := fields{b: c.Key()[1:]}
		writer := f.id()
		v := fields{b: c.Value()}
		if last[writer] = v.point(); f.bad || v.bad {
			return damaged("the state", "what a writer has committed is malformed")
		}
	}
	if err := c.Err(); err != nil {
		return err
	}
	u := newUpload(ctx, b.bucket, nameOf(writersFolder, e.version), 0)
	defer u.abort()
	if _, err := u.Write(last.encode(b.db, e.point)); err != nil {
		return err
	}
	return u.close()
}

// verify reads the newest checkpoint and the whole log behind the boundary, anew where
// these are collected meanwhile.
func (b *backend) verify(ctx context.Context) (err error) {
	for range loadAttempts {
		if err = b.verifyOnce(ctx); !errors.Is(err, errMissing) && !errors.Is(err, store.ErrGap) {
			return err
		}
	}
	if errors.Is(err, errMissing) {
		return fmt.Errorf("%w: %w", err, store.ErrCorrupt)
	}
	return err
}

func (b *backend) verifyOnce(ctx context.Context) error {
	at, err := b.checkBoundary(ctx)
	if err != nil {
		return err
	}
	if at.checkpoint.version > 0 {
		f := newRemoteFile(ctx, b.bucket, nameOf(checkpointFolder, at.checkpoint.version), at.size)
		defer f.close()
		file, err := backupfile.Open(f)
		if err == nil {
			err = file.Verify(ctx, nil)
		}
		if err != nil {
			return inCheckpoint(f.name, err)
		}
		if _, err := b.bucket.writers(ctx, b.db, at.checkpoint.version); err != nil {
			return err
		}
	}
	head := b.window.newest().version
	if head <= at.version {
		return nil
	}
	return b.changesFar(ctx, at.version, func(store.Commit) bool { return ctx.Err() == nil })
}
