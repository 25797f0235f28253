package backup_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/filestore"
	"github.com/kivisdb/kivis/store/memstore"
)

// TestBackup passes a database from store to store by backups, with increments,
// and finds the same in each.
func TestBackup(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	from := store.Store(memstore.New())
	seed(t, openDB(t, kept{from}), rng, 200)
	for round := range 4 {
		to := stores[(round+1)%2].open(t)
		t.Cleanup(func() { to.Close() })
		passOn(t, from, to, rng, round)
		from = to
	}
}

// passOn backs a database up, with so many increments, and restores it.
func passOn(t *testing.T, from, to store.Store, rng *rand.Rand, increments int) {
	t.Helper()
	db := must(kivis.Open(kept{from}, nil))(t)
	check(t, db.Register(&User{}, &Post{}))
	users := kivis.TableByID[User](db)
	page := must(users.Query().Page(bg, 2, ""))(t)
	drawn := must(users.Insert(bg, &User{Email: "drawn"}))(t)
	check(t, users.Delete(bg, drawn))
	file, info := backupOf(t, db)
	files := [][]byte{file}
	for range increments {
		change(t, db, rng)
		file, info = backupOf(t, db, files...)
		files = append(files, file)
	}
	want, old := contents(t, from), incarnationOf(t, from)
	check(t, db.Close())

	if got, err := verify(files...); err != nil || got != info {
		t.Errorf("VerifyBackup = %+v, %v; want %+v", got, err, info)
	}
	if got, err := restore(to, files...); err != nil || got != info {
		t.Fatalf("Restore = %+v, %v; want %+v", got, err, info)
	}
	if contents(t, to) != want {
		t.Fatalf("after %d increments, what was restored is not what was backed up", increments)
	}
	if bytes.Equal(incarnationOf(t, to), old) {
		t.Error("the incarnation is the same after a restore")
	}
	users = kivis.TableByID[User](openDB(t, kept{to}))
	if id := must(users.Insert(bg, &User{Email: "drawn"}))(t); id <= drawn {
		t.Errorf("id %d was drawn again, %d", drawn, id)
	} else {
		check(t, users.Delete(bg, id))
	}
	_, err := users.Query().Page(bg, 2, page.Next)
	wantErr(t, err, kivis.ErrIncarnation)
}

// TestIncrement finds an increment to hold what has changed, and no more.
func TestIncrement(t *testing.T) {
	db := openDB(t, memstore.New())
	seed(t, db, rand.New(rand.NewPCG(1, 2)), 50)
	posts := kivis.TableByID[Post](db)
	whole, first := backupOf(t, db)
	none, info := backupOf(t, db, whole)
	if info.Entries != 0 || info.Previous != first.Hash || info.Version != first.Version {
		t.Errorf("an increment of nothing: %+v after %+v", info, first)
	}
	must(posts.Modify(bg, 7, func(p *Post) error { p.Title += "."; return nil }))(t)
	if _, info := backupOf(t, db, whole, none); info.Entries != 1 {
		t.Errorf("one record has changed and the increment has %d entries", info.Entries)
	}
	check(t, posts.Delete(bg, 7))
	if _, info := backupOf(t, db, whole); info.Entries != 3 { // with those of two indexes
		t.Errorf("one record was deleted and the increment has %d entries", info.Entries)
	}
	if again, _ := backupOf(t, db); bytes.Equal(again, whole) {
		t.Error("a backup after changes is the one before")
	}
}

func TestProgress(t *testing.T) {
	db := openDB(t, memstore.New())
	seed(t, db, rand.New(rand.NewPCG(1, 2)), 400)
	var got [][2]int64
	must(db.Backup(bg, io.Discard, &kivis.BackupOptions{Progress: func(done, total int64) {
		got = append(got, [2]int64{done, total})
	}}))(t)
	if n := len(got); n < 3 || got[0][0] >= got[0][1] || got[n-1][0] != got[n-1][1] {
		t.Errorf("progress was %v", got)
	}
}

// TestFilestore opens a backup in place, as a database.
func TestFilestore(t *testing.T) {
	db := openDB(t, memstore.New())
	rng := rand.New(rand.NewPCG(3, 4))
	seed(t, db, rng, 200)
	whole, _ := backupOf(t, db)
	change(t, db, rng)
	inc, _ := backupOf(t, db, whole)
	list := readers(whole, inc)
	from := openDB(t, must(filestore.New(list[0], list[1:]...))(t))

	ask := func(db *kivis.DB) []Post {
		return must(kivis.TableByID[Post](db).Where(postLikes.Ge(3)).OrderBy(postLikes.Desc()).Collect(bg))(t)
	}
	if got, want := ask(from), ask(db); len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("the backup has %d posts, the database %d", len(got), len(want))
	}
	_, err := kivis.TableByID[User](from).Insert(bg, &User{})
	wantErr(t, err, kivis.ErrReadOnly)

	direct, _ := backupOf(t, db)
	if joined, _ := backupOf(t, from); !bytes.Equal(joined, direct) {
		t.Error("a backup of a backup with its increment is not the whole backup of the same version")
	}
}

// TestRefuses has what cannot be backed up or restored refused.
func TestRefuses(t *testing.T) {
	st := memstore.New()
	db := openDB(t, st)
	seed(t, db, rand.New(rand.NewPCG(1, 2)), 5)
	posts := kivis.TableByID[Post](db)
	whole, _ := backupOf(t, db)
	check(t, posts.Delete(bg, 1))
	inc, _ := backupOf(t, db, whole)
	check(t, posts.Delete(bg, 2))
	inc2, _ := backupOf(t, db, whole, inc)
	foreign, _ := backupOf(t, openDB(t, memstore.New()))
	ended, cancel := context.WithCancel(bg)
	cancel()

	older := memstore.New() // as a directory that was copied back
	must(restore(older, whole))(t)
	set(t, older, []byte{0x80, 0x85}, incarnationOf(t, st))
	olderDB := openDB(t, kept{older})

	into := func(st store.Store, files ...[]byte) error { _, err := restore(st, files...); return err }
	since := func(db *kivis.DB, files ...[]byte) error {
		_, err := db.Backup(bg, io.Discard, &kivis.BackupOptions{Since: readers(files...)})
		return err
	}
	backup := func(ctx context.Context, w io.Writer) error { _, err := db.Backup(ctx, w, nil); return err }
	any := errors.New("an error")
	for _, tt := range []struct {
		name string
		err  error
		want error
	}{
		{"an increment alone", into(memstore.New(), inc), kivis.ErrBackupChain},
		{"a backup twice", into(memstore.New(), whole, whole), kivis.ErrBackupChain},
		{"an increment left out", into(memstore.New(), whole, inc2), kivis.ErrBackupChain},
		{"increments in another order", into(memstore.New(), whole, inc2, inc), kivis.ErrBackupChain},
		{"another database's increment", into(memstore.New(), foreign, inc), kivis.ErrBackupChain},
		{"since another database's", since(db, foreign), kivis.ErrIncarnation},
		{"since an increment alone", since(db, inc), kivis.ErrBackupChain},
		{"since a later version", since(olderDB, whole, inc, inc2), kivis.ErrBackupChain},
		{"since a file that was cut", since(db, whole[:len(whole)-1]), store.ErrCorrupt},
		{"into an open database", into(st, whole), kivis.ErrInUse},
		{"into what is not empty", into(older, whole), kivis.ErrNotEmpty},
		{"into no store", into(nil, whole), any},
		{"a backup whose context has ended", backup(ended, io.Discard), context.Canceled},
		{"a restore whose context has ended", func() error {
			_, err := kivis.Restore(ended, memstore.New(), bytes.NewReader(whole))
			return err
		}(), context.Canceled},
		{"inside of a transaction", db.View(bg, func(ctx context.Context, _ *kivis.Tx) error { return backup(ctx, io.Discard) }), kivis.ErrInTx},
		{"to no writer", backup(bg, nil), any},
		{"without a context", backup(nil, io.Discard), any},
		{"to a writer that is full", backup(bg, full{}), errFull},
		{"no file", func() error { _, err := kivis.VerifyBackup(bg, nil); return err }(), any},
		{"no increment", func() error { _, err := kivis.VerifyBackup(bg, bytes.NewReader(whole), nil); return err }(), any},
	} {
		if tt.err == nil || tt.want != any && !errors.Is(tt.err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, tt.err, tt.want)
		}
	}
}

// full is a writer that takes nothing.
type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }
