package kivis

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/kivisdb/kivis/internal/backup"
	"github.com/kivisdb/kivis/internal/backupfile"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
)

// BackupOptions are the settings of a Backup. A nil *BackupOptions means all
// defaults.
type BackupOptions struct {
	// Since are the files of an earlier backup of the database, the whole one
	// first and its increments in order. Only what has changed since the last of
	// them is written, as one more increment. Empty means a whole backup.
	Since []io.ReaderAt

	// Progress is called now and then, and at the end, with the entries that
	// have been read so far of all there are in the database: records, index
	// entries and the catalog's. They are counted for it first.
	Progress func(done, total int64)
}

// BackupInfo is what a backup says of itself.
type BackupInfo struct {
	Incarnation schema.Incarnation // of the database that it is a backup of
	Version     uint64             // of its snapshot
	Previous    [32]byte           // Hash of the file that an increment continues; zero for a whole backup
	Hash        [32]byte           // SHA-256 over all that the file holds
	Entries     int64              // in the file: keys that it sets, and keys that it deletes
	Bytes       int64              // length of the file
}

// Backup writes one snapshot of the database to w, as one file that [Restore]
// reads into any kind of store, and that store/filestore opens in place. It
// holds up nobody, and nobody it, but what is overwritten meanwhile is kept by
// the store until it ends. The same snapshot always gives the same bytes.
//
// Every record and every entry that has a checksum is verified on the way; a
// damaged one ends the backup with a [CorruptError]. After an error what was
// written to w is no backup, and Restore refuses it.
//
// With Since, the error is ErrIncarnation where the database has been restored
// from a backup since, and ErrBackupChain where it is older than the earlier
// backup; a whole backup is then called for.
func (db *DB) Backup(ctx context.Context, w io.Writer, opts *BackupOptions) (BackupInfo, error) {
	err := db.outside(ctx)
	if err == nil && w == nil {
		err = errors.New("the writer is nil")
	}
	if err != nil {
		return BackupInfo{}, wrap("backup", nil, nil, err)
	}
	c := db.startCall(ctx, "backup", "")
	defer c.abandoned() // w and Progress are the user's
	info, err := db.backup(c.ctx, w, opts)
	err = wrap("backup", nil, nil, newerFormat(err))
	c.end(Outcome{Rows: int(info.Entries)}, err)
	return info, err
}

func (db *DB) backup(ctx context.Context, w io.Writer, opts *BackupOptions) (info BackupInfo, err error) {
	var o backup.Options
	if opts != nil {
		o.Progress = opts.Progress
		if len(opts.Since) > 0 {
			if o.Since, err = openBackup(opts.Since[0], opts.Since[1:]); err != nil {
				return info, err
			}
		}
	}
	t, err := db.core.Begin(ctx, false)
	if err != nil {
		return info, err
	}
	t.Track()
	defer t.Release()
	have, err := backup.Write(ctx, w, t, o)
	if err != nil {
		return info, err
	}
	return infoOf(have), nil
}

// Restore reads a backup, and the increments to it in order, into an empty
// store of any kind, which it does not close. It verifies all files before it
// writes, and marks the store until it ends: where a Restore was broken off,
// Open is ErrRestoring, and another Restore begins anew. The database gets a new
// incarnation. What comes back is the last file's own account, as Backup gave it.
//
// A damaged file, one that was cut short, or one that something follows, is
// ErrCorrupt of package store, files that do not continue each other are
// ErrBackupChain, and a store that holds anything else is ErrNotEmpty.
func Restore(ctx context.Context, st store.Store, r io.ReaderAt, increments ...io.ReaderAt) (BackupInfo, error) {
	info, err := restore(ctx, st, r, increments)
	return info, wrap("restore", nil, nil, newerFormat(err))
}

func restore(ctx context.Context, st store.Store, r io.ReaderAt, increments []io.ReaderAt) (info BackupInfo, err error) {
	if err := checkContext(ctx); err != nil {
		return info, err
	}
	var db DB // nobody may open the store meanwhile
	if err := db.claimStore(st); err != nil {
		return info, err
	}
	defer db.release()
	chain, err := openBackup(r, increments)
	if err != nil {
		return info, err
	}
	if err := backup.Restore(ctx, st, chain); err != nil {
		return info, err
	}
	return infoOf(chain.Info()), nil
}

// VerifyBackup reads a backup, and the increments to it in order, and returns an
// error where Restore would refuse them, or else the last file's own account.
func VerifyBackup(ctx context.Context, r io.ReaderAt, increments ...io.ReaderAt) (BackupInfo, error) {
	info, err := verifyBackup(ctx, r, increments)
	return info, wrap("verify backup", nil, nil, newerFormat(err))
}

func verifyBackup(ctx context.Context, r io.ReaderAt, increments []io.ReaderAt) (info BackupInfo, err error) {
	if err := checkContext(ctx); err != nil {
		return info, err
	}
	chain, err := openBackup(r, increments)
	if err != nil {
		return info, err
	}
	if err := backup.Verify(ctx, chain); err != nil {
		return info, err
	}
	return infoOf(chain.Info()), nil
}

func openBackup(r io.ReaderAt, increments []io.ReaderAt) (*backupfile.Chain, error) {
	for i, r := range append([]io.ReaderAt{r}, increments...) {
		if r == nil {
			return nil, fmt.Errorf("file %d of %d is nil", i+1, len(increments)+1)
		}
	}
	return backupfile.OpenChain(r, increments...)
}

func infoOf(i backupfile.Info) BackupInfo {
	return BackupInfo{
		Incarnation: i.Incarnation, Version: i.Version, Previous: i.Previous, Hash: i.Hash,
		Entries: int64(i.Entries + i.Deleted), Bytes: i.Size,
	}
}

// newerFormat has a file of a newer release match ErrNewerFormat.
func newerFormat(err error) error {
	if errors.Is(err, backupfile.ErrNewer) {
		return fmt.Errorf("%w: %w", ErrNewerFormat, err)
	}
	return err
}
