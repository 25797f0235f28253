package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/ncruces/go-sqlite3"
)

// rawSQLite is a table of keys and values in SQLite as a program would use it that
// is written for this one record: the keys and values of every store used by hand,
// by the driver's own interface, with a connection that writes and some that read.
type rawSQLite struct {
	mu    sync.Mutex // of write
	write *kvConn
	read  chan *kvConn
}

// kvConn is a connection with its statements.
type kvConn struct {
	conn  *sqlite3.Conn
	stmts []*sqlite3.Stmt // by the numbers below
}

// The statements.
const (
	kvBegin = iota
	kvBeginWrite
	kvCommit
	kvRollback
	kvGet
	kvPut
	kvDelete
	kvScan
	kvCount
)

var kvTexts = []string{
	kvBegin:      "BEGIN",
	kvBeginWrite: "BEGIN IMMEDIATE",
	kvCommit:     "COMMIT",
	kvRollback:   "ROLLBACK",
	kvGet:        "SELECT v FROM kv WHERE k = ?",
	kvPut:        "INSERT INTO kv VALUES (?, ?) ON CONFLICT DO UPDATE SET v = excluded.v",
	kvDelete:     "DELETE FROM kv WHERE k = ?",
	kvScan:       "SELECT k, v FROM kv WHERE k >= ? AND k < ? ORDER BY k",
	kvCount:      "SELECT count(*) FROM kv WHERE k >= ? AND k < ?",
}

func openRawSQLite(cfg Config) (Contender, error) {
	write, err := openKV(cfg)
	if err != nil {
		return nil, err
	}
	c := &rawSQLite{write: write, read: make(chan *kvConn, readers)}
	for range readers {
		r, err := openKV(cfg)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.read <- r
	}
	return c, nil
}

// openKV opens a connection as SQLite's documentation advises.
func openKV(cfg Config) (*kvConn, error) {
	conn, err := sqlite3.Open(filepath.Join(cfg.Dir, "records.db"))
	if err != nil {
		return nil, err
	}
	sync := "NORMAL"
	if cfg.Durable {
		sync = "FULL"
	}
	c := &kvConn{conn: conn}
	err = conn.Exec("PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = " + sync +
		fmt.Sprintf("; PRAGMA cache_size = %d", -cfg.Memory/4/1024) + // in KiB
		"; CREATE TABLE IF NOT EXISTS kv(k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID")
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	for _, text := range kvTexts {
		stmt, _, err := conn.PrepareFlags(text, sqlite3.PREPARE_PERSISTENT)
		if err != nil {
			return nil, errors.Join(err, c.close())
		}
		c.stmts = append(c.stmts, stmt)
	}
	return c, nil
}

func (c *kvConn) close() error {
	for _, stmt := range c.stmts {
		stmt.Close()
	}
	return c.conn.Close()
}

func (c *rawSQLite) Close() (err error) {
	close(c.read)
	for r := range c.read {
		err = errors.Join(err, r.close())
	}
	return errors.Join(err, c.write.close())
}

// with returns a statement with its parameters.
func (c *kvConn) with(number int, params ...[]byte) (*sqlite3.Stmt, error) {
	stmt := c.stmts[number]
	for i, p := range params {
		if err := stmt.BindBlob(i+1, p); err != nil {
			return nil, err
		}
	}
	return stmt, nil
}

func (c *kvConn) exec(number int, params ...[]byte) error {
	stmt, err := c.with(number, params...)
	if err != nil {
		return err
	}
	return stmt.Exec()
}

// get calls fn with the value of a key, which is valid until it returns.
func (c *kvConn) get(key []byte, fn func([]byte) error) error {
	stmt, err := c.with(kvGet, key)
	if err != nil {
		return err
	}
	if stmt.Step() {
		err = fn(stmt.ColumnRawBlob(0))
	} else if err = stmt.Err(); err == nil {
		err = errNotFound
	}
	return errors.Join(err, stmt.Reset())
}

// free returns errTaken where the key is there.
func (c *kvConn) free(key []byte) error {
	err := plain(c.get(key, func([]byte) error { return errTaken }))
	if err == errNotFound {
		return nil
	}
	return err
}

func (c *kvConn) record(key []byte, r *Record) error {
	return plain(c.get(key, func(v []byte) error { return decodeRecord(bytes.Clone(v), r) }))
}

// scan calls fn with the entries in [lo, hi), in order, until it returns false.
func (c *kvConn) scan(lo, hi []byte, fn func(k, v []byte) (bool, error)) error {
	stmt, err := c.with(kvScan, lo, hi)
	if err != nil {
		return err
	}
	more := true
	for more && err == nil && stmt.Step() {
		more, err = fn(stmt.ColumnRawBlob(0), stmt.ColumnRawBlob(1))
	}
	if err == nil {
		err = stmt.Err()
	}
	return errors.Join(err, stmt.Reset())
}

// update has fn write in a transaction.
func (c *rawSQLite) update(fn func(*kvConn) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.write.exec(kvBeginWrite); err != nil {
		return err
	}
	if err := fn(c.write); err != nil {
		return errors.Join(err, c.write.exec(kvRollback))
	}
	return c.write.exec(kvCommit)
}

// view has fn read one state.
func (c *rawSQLite) view(fn func(*kvConn) error) error {
	r := <-c.read
	defer func() { c.read <- r }()
	if err := r.exec(kvBegin); err != nil {
		return err
	}
	return errors.Join(fn(r), r.exec(kvCommit))
}

func (c *rawSQLite) Insert(r *Record) error {
	return plain(c.update(func(w *kvConn) error { return w.insert(r) }))
}

func (c *rawSQLite) InsertMany(rs []Record) error {
	return plain(c.update(func(w *kvConn) error {
		for i := range rs {
			if err := w.insert(&rs[i]); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (c *kvConn) insert(r *Record) error {
	k := keysOf(r)
	if err := errors.Join(c.free(k.record), c.free(k.email)); err != nil {
		return err
	}
	value := encodeRecord(make([]byte, 0, 384), r)
	return errors.Join(c.exec(kvPut, k.record, value), c.exec(kvPut, k.email, k.id()),
		c.exec(kvPut, k.city, nil), c.exec(kvPut, k.age, nil), c.exec(kvPut, k.team, nil))
}

// Get reads one key, which needs no transaction around it.
func (c *rawSQLite) Get(id uint64) (r Record, err error) {
	conn := <-c.read
	defer func() { c.read <- conn }()
	err = conn.record(appendRecordKey(make([]byte, 0, 1+idBytes), id), &r)
	return r, err
}

func (c *rawSQLite) ByEmail(email string) (r Record, err error) {
	err = c.view(func(conn *kvConn) error {
		key := append(make([]byte, 0, 1+idBytes), recordSpace)
		err := conn.get(appendEmailKey(make([]byte, 0, 64), email), func(id []byte) error {
			key = append(key, id...)
			return nil
		})
		if err != nil {
			return err
		}
		return conn.record(key, &r)
	})
	return r, plain(err)
}

// plain returns the interface's errors as they are, without what came with them.
func plain(err error) error {
	for _, known := range []error{errNotFound, errTaken} {
		if errors.Is(err, known) {
			return known
		}
	}
	return err
}

func (c *rawSQLite) ByCity(city string, visit func(Record)) error {
	prefix := appendCityPrefix(make([]byte, 0, 64), city)
	end := append(bytes.Clone(prefix[:len(prefix)-1]), 1)
	return c.viaIndex(prefix, end, -1, visit)
}

func (c *rawSQLite) FromAge(age, limit int, visit func(Record)) error {
	return c.viaIndex(appendAgePrefix(make([]byte, 0, 16), age), []byte{ageSpace + 1}, limit, visit)
}

// viaIndex visits the records of at most limit index entries in [from, to).
func (c *rawSQLite) viaIndex(from, to []byte, limit int, visit func(Record)) error {
	return c.view(func(conn *kvConn) error {
		key := make([]byte, 0, 1+idBytes)
		return conn.scan(from, to, func(k, _ []byte) (bool, error) {
			var r Record
			key = appendRecordKey(key[:0], idOf(k))
			if err := conn.record(key, &r); err != nil {
				return false, err
			}
			visit(r)
			limit--
			return limit != 0, nil
		})
	})
}

func (c *rawSQLite) FromID(id uint64, limit int, visit func(Record)) error {
	return c.scan(id, func(v []byte) (bool, error) {
		limit--
		return limit > 0, handVisited(bytes.Clone(v), visit)
	})
}

// scan calls fn with the records in the order of their IDs, until it returns
// false. What fn gets is valid until it returns.
func (c *rawSQLite) scan(from uint64, fn func([]byte) (bool, error)) error {
	return c.view(func(conn *kvConn) error {
		return conn.scan(appendRecordKey(nil, from), []byte{recordSpace + 1}, func(_, v []byte) (bool, error) { return fn(v) })
	})
}

func (c *rawSQLite) Named(name string, visit func(Record)) error {
	return c.scan(0, func(v []byte) (bool, error) { return true, handNamed(v, name, visit) })
}

func (c *rawSQLite) Filter(keep func(*Record) bool, visit func(Record)) error {
	return c.scan(0, func(v []byte) (bool, error) { return true, handFiltered(bytes.Clone(v), keep, visit) })
}

func (c *rawSQLite) All(visit func(Record)) error {
	return c.scan(0, func(v []byte) (bool, error) { return true, handVisited(bytes.Clone(v), visit) })
}

func (c *rawSQLite) CountAges(lo, hi int) (n int, err error) {
	err = c.view(func(conn *kvConn) error {
		stmt, err := conn.with(kvCount, appendAgePrefix(nil, lo), appendAgePrefix(nil, hi))
		if err != nil {
			return err
		}
		if stmt.Step() {
			n = stmt.ColumnInt(0)
		}
		return errors.Join(stmt.Err(), stmt.Reset())
	})
	return n, err
}

func (c *rawSQLite) SetAge(id uint64, age int) error {
	return c.change(id, func(r *Record) { r.Age = age })
}

func (c *rawSQLite) SetBio(id uint64, bio string) error {
	return c.change(id, func(r *Record) { r.Bio = bio })
}

// change reads a record, changes it, and writes it and those index entries
// that are others then.
func (c *rawSQLite) change(id uint64, fn func(*Record)) error {
	return plain(c.update(func(w *kvConn) error {
		var r Record
		if err := w.record(appendRecordKey(make([]byte, 0, 1+idBytes), id), &r); err != nil {
			return err
		}
		old := r
		fn(&r)
		was, is := keysOf(&old), keysOf(&r)
		if old.Age != r.Age {
			if err := errors.Join(w.exec(kvDelete, was.age), w.exec(kvPut, is.age, nil)); err != nil {
				return err
			}
		}
		return w.exec(kvPut, is.record, encodeRecord(make([]byte, 0, 384), &r))
	}))
}

func (c *rawSQLite) Delete(id uint64) error {
	return plain(c.update(func(w *kvConn) error {
		var r Record
		if err := w.record(appendRecordKey(make([]byte, 0, 1+idBytes), id), &r); err != nil {
			return err
		}
		k := keysOf(&r)
		return errors.Join(w.exec(kvDelete, k.record), w.exec(kvDelete, k.email),
			w.exec(kvDelete, k.city), w.exec(kvDelete, k.age), w.exec(kvDelete, k.team))
	}))
}
