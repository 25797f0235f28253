package sqlitestore_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/sqlitestore"
)

// outside is another program that has SQLite as it comes, without the store's
// checksums.
func outside(t testing.TB, path string, do func(db *sqlite3.Conn)) {
	t.Helper()
	db, err := sqlite3.Open(path)
	check(t, err)
	defer func() { check(t, db.Close()) }()
	do(db)
}

func otherDatabase(t testing.TB) []byte {
	t.Helper()
	path := fileIn(t.TempDir())
	outside(t, path, func(db *sqlite3.Conn) { check(t, db.Exec("CREATE TABLE t(a); INSERT INTO t VALUES (1)")) })
	data, err := os.ReadFile(path)
	check(t, err)
	return data
}

// one returns the value of a query.
func one(t testing.TB, db *sqlite3.Conn, query string) string {
	t.Helper()
	stmt, _, err := db.Prepare(query)
	check(t, err)
	defer stmt.Close()
	if !stmt.Step() {
		t.Fatalf("%s: %v", query, stmt.Err())
	}
	return stmt.ColumnText(0)
}

// TestOutsideReader: another program reads the file while it is open here, and sees
// what was committed; commits go on, and the store is sound after it.
func TestOutsideReader(t *testing.T) {
	path := fileIn(t.TempDir())
	s := open(t, path, nil)
	c, r := content{}, rand.New(rand.NewPCG(1, 2))
	c.write(t, s, r, 500, 500)
	outside(t, path, func(db *sqlite3.Conn) {
		if got := one(t, db, "PRAGMA integrity_check"); got != "ok" {
			t.Errorf("integrity_check: %s", got)
		}
		if got := one(t, db, "SELECT count(*) FROM kv"); got != fmt.Sprint(len(c)) {
			t.Errorf("it counts %s entries, want %d", got, len(c))
		}
		check(t, db.Exec("BEGIN; SELECT 1 FROM kv"))
		c.write(t, s, r, 500, 500)
		check(t, db.Exec("COMMIT"))
	})
	check(t, c.read(t, s))
	check(t, s.Close())
	check(t, c.read(t, open(t, path, nil)))
}

// TestOutsideCopy: a copy that SQLite makes, of an open store as well, is a store.
func TestOutsideCopy(t *testing.T) {
	for _, how := range []string{"backup", "vacuum"} {
		for _, whole := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/whole=%t", how, whole), func(t *testing.T) {
				path, to := fileIn(t.TempDir()), fileIn(t.TempDir())
				s := open(t, path, nil)
				c, r := content{}, rand.New(rand.NewPCG(1, 2))
				c.write(t, s, r, 500, 500)
				if whole {
					outside(t, path, func(db *sqlite3.Conn) { check(t, db.Exec("PRAGMA wal_checkpoint(PASSIVE)")) })
				}
				outside(t, path, func(db *sqlite3.Conn) {
					if how == "backup" {
						check(t, db.Backup("main", to))
					} else {
						check(t, db.Exec("VACUUM INTO "+sqlite3.Quote(to)))
					}
				})
				version := versionOf(t, s)
				copied := open(t, to, nil)
				check(t, c.read(t, copied))
				check(t, copied.Verify(ctx))
				if got := versionOf(t, copied); got != version {
					t.Errorf("the copy is of version %d, want %d", got, version)
				}
				c.write(t, copied, r, 500, 100)
				check(t, copied.Close())
				check(t, c.read(t, open(t, to, nil)))
			})
		}
	}
}

// TestOutsideRecovery: another program opens what a killed process has left, and so
// brings the log into the file; the store has it all.
func TestOutsideRecovery(t *testing.T) {
	all, h := small(t, true)
	path := fileIn(t.TempDir())
	all.put(t, path)
	outside(t, path, func(db *sqlite3.Conn) { one(t, db, "SELECT count(*) FROM kv") })
	if _, err := os.Stat(path + logSuffix); err == nil {
		t.Fatal("the log is still there")
	}
	if version := try(t, filesAt(t, path), h, path, nil); version != h.last {
		t.Errorf("version %d, want %d", version, h.last)
	}
	check(t, open(t, path, nil).Verify(ctx))
}

// TestOutsideWrite: what another program has written into a store is damage.
func TestOutsideWrite(t *testing.T) {
	all, _ := small(t, false)
	path := fileIn(t.TempDir())
	all.put(t, path)
	outside(t, path, func(db *sqlite3.Conn) { check(t, db.Exec("UPDATE kv SET v = x'00'")) })
	s, err := sqlitestore.Open(path, nil)
	if err == nil {
		defer s.Close()
		err = s.Verify(ctx)
	}
	if !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("it is not noticed: %v", err)
	}
}

// TestOutsideLock: a commit waits for another program that has locked the file, and
// then fails, having changed nothing.
func TestOutsideLock(t *testing.T) {
	t.Cleanup(sqlitestore.SetBusyLimit(20 * time.Millisecond))
	path := fileIn(t.TempDir())
	s := open(t, path, nil)
	set := func() error { return update(s, func(tx store.Tx) error { return tx.Set([]byte("a"), []byte("1")) }) }
	check(t, set())
	version := versionOf(t, s)
	outside(t, path, func(db *sqlite3.Conn) {
		check(t, db.Exec("BEGIN IMMEDIATE"))
		if err := set(); !errors.Is(err, sqlite3.BUSY) || !strings.Contains(err.Error(), "another program") {
			t.Errorf("Commit = %v, want that another program has locked the file", err)
		}
		check(t, db.Exec("ROLLBACK"))
	})
	if got := versionOf(t, s); got != version {
		t.Errorf("version %d, want %d", got, version)
	}
	check(t, set())
}

// TestRemovedBeside: commits end when the log is removed under an open store, and
// Close brings what was in it into the file.
func TestRemovedBeside(t *testing.T) {
	path := fileIn(t.TempDir())
	s := open(t, path, nil)
	set := func(value string) error {
		return update(s, func(tx store.Tx) error { return tx.Set([]byte("a"), []byte(value)) })
	}
	check(t, set("1"))
	check(t, os.Remove(path+logSuffix))
	if err := set("2"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Commit = %v, want ErrNotExist", err)
	}
	check(t, os.Remove(path+"-shm"))
	if err := s.Verify(ctx); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Verify, which opens a connection = %v, want ErrNotExist", err)
	}
	check(t, s.Close())
	s = open(t, path, nil)
	check(t, content{"a": "1"}.read(t, s))
	check(t, set("3"))
}

// TestPaths: a file may be named as it likes, and reached by a link.
func TestPaths(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"a b.db", "100%.db", "what?.db", "#1&vfs=os", "über"} {
		path := filepath.Join(dir, name)
		s := open(t, path, nil)
		check(t, update(s, func(tx store.Tx) error { return tx.Set([]byte("a"), []byte(name)) }))
		if _, err := os.Stat(path + logSuffix); err != nil {
			t.Error(err)
		}
		check(t, s.Close())
		link := filepath.Join(dir, fmt.Sprint("link", i))
		check(t, os.Symlink(path, link))
		s = open(t, link, nil)
		if _, err := sqlitestore.Open(path, nil); !errors.Is(err, store.ErrInUse) {
			t.Errorf("Open beside a link = %v, want ErrInUse", err)
		}
		check(t, view(s, func(tx store.Tx) error {
			value, err := tx.Get([]byte("a"))
			if string(value) != name {
				t.Errorf("Get = %q, want %q", value, name)
			}
			return err
		}))
		check(t, s.Close())
	}
}
