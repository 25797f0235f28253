package backup_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/schema"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/badgerstore"
	"github.com/kivisdb/kivis/store/memstore"
)

var bg = context.Background()

// User has an index of each kind.
type User struct {
	kivis.Auto[User]
	Email string   `kivis:"unique"`
	Name  string   `kivis:"index,fold"`
	Nick  *string  `kivis:"unique"`
	Tags  []string `kivis:"index,each"`
}

// Post belongs to a user and goes with him.
type Post struct {
	kivis.Auto[Post]
	Author kivis.ID[User] `kivis:"ondelete=cascade"`
	Title  string
	Likes  int `kivis:"index"`
}

var (
	userName  = kivis.FieldOf(func(u *User) *string { return &u.Name })
	postLikes = kivis.FieldOf(func(p *Post) *int { return &p.Likes })
)

var stores = []struct {
	name string
	open func(t testing.TB) store.Store
}{
	{"mem", func(testing.TB) store.Store { return memstore.New() }},
	{"badger", func(t testing.TB) store.Store {
		return must(badgerstore.Open(t.TempDir(), &badgerstore.Options{NoSync: true}))(t)
	}},
}

// kept is a store that its test goes on using after the database is closed.
type kept struct{ store.Store }

func (kept) Close() error { return nil }

func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantErr fails the test unless err matches want.
func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error = %v, want %v", err, want)
	}
}

// openDB opens a database that is checked, and closed when the test ends.
func openDB(t testing.TB, st store.Store) *kivis.DB {
	t.Helper()
	db := must(kivis.Open(st, nil))(t)
	check(t, db.Register(&User{}, &Post{}))
	mustBeClean(t, db)
	t.Cleanup(func() { check(t, db.Close()) })
	return db
}

func mustBeClean(t testing.TB, db *kivis.DB) {
	t.Helper()
	for _, f := range must(db.Check(bg, nil))(t).Faults {
		t.Error(f)
	}
}

// seed inserts n users, each with a post.
func seed(t testing.TB, db *kivis.DB, rng *rand.Rand, n int) {
	t.Helper()
	users, posts := kivis.TableByID[User](db), kivis.TableByID[Post](db)
	for range n {
		nick := fmt.Sprint("nick", rng.Uint64())
		u := User{Email: fmt.Sprint(rng.Uint64()), Name: fmt.Sprint("N", rng.IntN(9)), Nick: &nick, Tags: []string{"a", nick}}
		id := must(users.Insert(bg, &u))(t)
		must(posts.Insert(bg, &Post{Author: id, Title: string(make([]byte, rng.IntN(300))), Likes: rng.IntN(9)}))(t)
	}
}

// change inserts, changes and deletes some users and posts.
func change(t testing.TB, db *kivis.DB, rng *rand.Rand) {
	t.Helper()
	seed(t, db, rng, 10)
	users := kivis.TableByID[User](db)
	for u, err := range users.All(bg) {
		check(t, err)
		switch rng.IntN(12) {
		case 0:
			check(t, users.Delete(bg, u.ID))
		case 1:
			must(users.Modify(bg, u.ID, func(u *User) error { u.Name += "x"; return nil }))(t)
		}
	}
}

// contents returns a hash of all that a store holds, but the incarnation.
func contents(t testing.TB, st store.Store) [32]byte {
	t.Helper()
	tx := must(st.Begin(bg, false))(t)
	defer tx.Discard()
	cur := must(tx.Scan(store.Range{}))(t)
	defer cur.Close()
	h := sha256.New()
	for cur.Next() {
		if bytes.Equal(cur.Key(), schema.IncarnationKey()) {
			continue
		}
		for _, b := range [][]byte{cur.Key(), cur.Value()} {
			h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
			h.Write(b)
		}
	}
	check(t, cur.Err())
	return [32]byte(h.Sum(nil))
}

// isEmpty reports whether the store holds no key.
func isEmpty(t testing.TB, st store.Store) bool {
	t.Helper()
	tx := must(st.Begin(bg, false))(t)
	defer tx.Discard()
	return must(store.Count(tx, store.Range{}))(t) == 0
}

func incarnationOf(t testing.TB, st store.Store) []byte {
	t.Helper()
	return must(store.Get(bg, st, schema.IncarnationKey()))(t)
}

// set writes a key behind the database's back.
func set(t testing.TB, st store.Store, key, value []byte) {
	t.Helper()
	tx := must(st.Begin(bg, true))(t)
	check(t, tx.Set(key, value))
	must(tx.Commit())(t)
}

// backupOf backs db up, as an increment where there are earlier files.
func backupOf(t testing.TB, db *kivis.DB, since ...[]byte) ([]byte, kivis.BackupInfo) {
	t.Helper()
	var buf bytes.Buffer
	info := must(db.Backup(bg, &buf, &kivis.BackupOptions{Since: readers(since...)}))(t)
	if info.Bytes != int64(buf.Len()) {
		t.Errorf("Backup says %d bytes, and wrote %d", info.Bytes, buf.Len())
	}
	return buf.Bytes(), info
}

func readers(files ...[]byte) (list []io.ReaderAt) {
	for _, f := range files {
		list = append(list, bytes.NewReader(f))
	}
	return list
}

func restore(st store.Store, files ...[]byte) (kivis.BackupInfo, error) {
	list := readers(files...)
	return kivis.Restore(bg, st, list[0], list[1:]...)
}

func verify(files ...[]byte) (kivis.BackupInfo, error) {
	list := readers(files...)
	return kivis.VerifyBackup(bg, list[0], list[1:]...)
}
