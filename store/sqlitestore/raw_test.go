package sqlitestore_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/kivisdb/kivis/internal/benchtest"
)

// raw is SQLite as a program would use it that keeps keys and values in a table: by
// the same driver, one connection, statements that are prepared once.
type raw struct {
	path string
	mu   sync.Mutex
	conn *sqlite3.Conn
	get, up, down, number, set, replace,
	begin, commit *sqlite3.Stmt
}

func openRaw(t testing.TB, path string, noSync bool) *raw {
	t.Helper()
	conn, err := sqlite3.Open(path)
	check(t, err)
	level := "FULL"
	if noSync {
		level = "NORMAL"
	}
	check(t, conn.Exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = "+level+"; PRAGMA cache_size = -16384;"+
		"CREATE TABLE IF NOT EXISTS kv(k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID"))
	r := &raw{path: path, conn: conn}
	for text, stmt := range map[string]**sqlite3.Stmt{
		"SELECT v FROM kv WHERE k = ?":                               &r.get,
		"SELECT k, v FROM kv WHERE k >= ? ORDER BY k LIMIT 100":      &r.up,
		"SELECT k, v FROM kv WHERE k <= ? ORDER BY k DESC LIMIT 100": &r.down,
		"SELECT count(*) FROM kv WHERE k >= ? AND k < ?":             &r.number,
		"INSERT INTO kv VALUES (?, ?)":                               &r.set,
		"UPDATE kv SET v = ?2 WHERE k = ?1":                          &r.replace,
		"BEGIN IMMEDIATE":                                            &r.begin,
		"COMMIT":                                                     &r.commit,
	} {
		*stmt, _, err = conn.PrepareFlags(text, sqlite3.PREPARE_PERSISTENT)
		check(t, err)
	}
	return r
}

// close closes it.
func (r *raw) close() error {
	for _, stmt := range []*sqlite3.Stmt{r.get, r.up, r.down, r.number, r.set, r.replace, r.begin, r.commit} {
		stmt.Close()
	}
	return r.conn.Close()
}

// read reads a record as a program would that keeps it.
func (r *raw) read(key []byte) error {
	if err := r.get.BindBlob(1, key); err != nil {
		return err
	}
	if !r.get.Step() {
		return fmt.Errorf("key %x is absent: %w", key, r.get.Err())
	}
	kept = r.get.ColumnBlob(0, nil)
	return r.get.Reset()
}

// scan100 reads 100 records from number at on, as the store's cursor does.
func (r *raw) scan100(at int, reverse bool) error {
	stmt, n := r.up, 0
	if reverse {
		stmt = r.down
	}
	if err := stmt.BindBlob(1, benchtest.Key(at)); err != nil {
		return err
	}
	for ; stmt.Step(); n++ {
		kept = append(append(kept[:0], stmt.ColumnRawBlob(0)...), stmt.ColumnRawBlob(1)...)
	}
	if n != 100 {
		return fmt.Errorf("a scan from %d finds %d", at, n)
	}
	return stmt.Reset()
}

func (r *raw) count(lo, hi []byte) error {
	if err := r.number.BindBlob(1, lo); err != nil {
		return err
	}
	if err := r.number.BindBlob(2, hi); err != nil {
		return err
	}
	if !r.number.Step() {
		return r.number.Err()
	}
	return r.number.Reset()
}

// update has f put what it likes, as a transaction.
func (r *raw) update(f func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.begin.Exec(); err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	return r.commit.Exec()
}

func (r *raw) put(key, value []byte) error { return write(r.set, key, value) }

// write has a statement write a value under a key.
func write(stmt *sqlite3.Stmt, key, value []byte) error {
	if err := stmt.BindBlob(1, key); err != nil {
		return err
	}
	if err := stmt.BindBlob(2, value); err != nil {
		return err
	}
	return stmt.Exec()
}

// change reads a record and replaces it.
func (r *raw) change(key, value []byte) error {
	return r.update(func() error {
		if err := r.read(key); err != nil {
			return err
		}
		return write(r.replace, key, value)
	})
}

// insert inserts a record that is not there yet.
func (r *raw) insert(i int, value []byte) error {
	return r.update(func() error { return r.put(benchtest.Key(i), value) })
}
