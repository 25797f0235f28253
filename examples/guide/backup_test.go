package guide

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/filestore"
)

func backupTo(ctx context.Context, db *kivis.DB, name string) (info kivis.BackupInfo, err error) {
	file, err := os.Create(name)
	if err != nil {
		return info, err
	}
	defer file.Close()
	if info, err = db.Backup(ctx, file, nil); err != nil {
		return info, err
	}
	return info, file.Sync()
}

func increment(ctx context.Context, db *kivis.DB, w io.Writer, earlier ...io.ReaderAt) (kivis.BackupInfo, error) {
	return db.Backup(ctx, w, &kivis.BackupOptions{Since: earlier})
}

func restoreTo(ctx context.Context, dir string, backup io.ReaderAt, increments ...io.ReaderAt) (*kivis.DB, error) {
	st, err := badgerstore.Open(dir, nil)
	if err != nil {
		return nil, err
	}
	if _, err := kivis.Restore(ctx, st, backup, increments...); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return kivis.Open(st, nil)
}

func openBackup(name string, increments ...string) (*kivis.DB, error) {
	st, err := filestore.Open(name, increments...)
	if err != nil {
		return nil, err
	}
	return kivis.Open(st, nil)
}

func TestBackupAndRestore(t *testing.T) {
	db := shop(t)
	names := []string{filepath.Join(t.TempDir(), "monday.kbk"), filepath.Join(t.TempDir(), "tuesday.kbk")}
	if _, err := backupTo(bg, db, names[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := customers.With(db).Insert(bg, &Customer{Name: "New", Email: "new@example.com"}); err != nil {
		t.Fatal(err)
	}
	monday, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	var tuesday bytes.Buffer
	if _, err := increment(bg, db, &tuesday, bytes.NewReader(monday)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(names[1], tuesday.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if tuesday.Len() >= len(monday) {
		t.Errorf("the increment has %d bytes, the backup %d", tuesday.Len(), len(monday))
	}
	restored, err := restoreTo(bg, t.TempDir(), bytes.NewReader(monday), bytes.NewReader(tuesday.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	inPlace, err := openBackup(names[0], names[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, copied := range []*kivis.DB{restored, inPlace} {
		if err := copied.Register(&Customer{}); err != nil {
			t.Error(err)
		}
		if n, err := customers.With(copied).Count(bg); n != 4 || err != nil {
			t.Errorf("%d customers, %v; want 4", n, err)
		}
		if err := copied.Close(); err != nil {
			t.Error(err)
		}
	}
}
