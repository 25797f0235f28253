package main

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // SQLite in Go, as the driver "sqlite"
)

// A sqliteDriver is SQLite behind database/sql.
type sqliteDriver struct {
	name   string
	pragma func(name, value string) string // as a parameter of the data source
}

// pureSQLite is the one that needs no cgo.
var pureSQLite = sqliteDriver{"sqlite", func(name, value string) string {
	return fmt.Sprintf("_pragma=%s(%s)", name, value)
}}

// sqlitePools are two pools of connections: SQLite has one writer at a time,
// and to wait for the only connection is cheaper than to try.
type sqlitePools struct {
	read, write *sql.DB
}

// readers is how many connections may read at once.
const readers = 4

// open opens the pools as SQLite's documentation advises: a write-ahead log,
// and then NORMAL, which a crash of the machine may cost the last
// transactions, or FULL.
func (d sqliteDriver) open(cfg Config) (*sqlitePools, error) {
	sync := "NORMAL"
	if cfg.Durable {
		sync = "FULL"
	}
	source := "file:" + filepath.Join(cfg.Dir, "records.db") + "?" + strings.Join([]string{
		d.pragma("journal_mode", "WAL"),
		d.pragma("synchronous", sync),
		d.pragma("busy_timeout", "10000"),
		d.pragma("cache_size", fmt.Sprint(-cfg.Memory/4/1024)), // in KiB
		"_txlock=immediate",
	}, "&")
	write, err := sql.Open(d.name, source)
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open(d.name, source)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return &sqlitePools{read, write}, nil
}

func (p *sqlitePools) Close() error { return errors.Join(p.read.Close(), p.write.Close()) }

// sqliteFault returns the errors of the interface for SQLite's. The drivers'
// error types differ, the text is SQLite's own.
func sqliteFault(err error) error {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errNotFound
	case err != nil && strings.Contains(err.Error(), "UNIQUE constraint failed"):
		return errTaken
	}
	return err
}

// sqliteDB is SQLite as a careful user without an ORM writes it: statements
// are prepared once, times are integers, tags are one text.
type sqliteDB struct {
	*sqlitePools
	insert, setAge, setBio, remove               *sql.Stmt
	get, byEmail, byCity, fromAge, fromID, named *sql.Stmt
	all, countAges                               *sql.Stmt
}

func openSQLitePure(cfg Config) (Contender, error) { return openSQLite(pureSQLite, cfg) }

const sqliteSchema = `
CREATE TABLE IF NOT EXISTS records (
	id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, age INTEGER NOT NULL,
	city TEXT NOT NULL, team_id INTEGER NOT NULL, bio TEXT NOT NULL, created INTEGER NOT NULL, tags TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS records_age ON records (age);
CREATE INDEX IF NOT EXISTS records_city ON records (city);
CREATE INDEX IF NOT EXISTS records_team ON records (team_id);`

func openSQLite(d sqliteDriver, cfg Config) (Contender, error) {
	pools, err := d.open(cfg)
	if err != nil {
		return nil, err
	}
	c := &sqliteDB{sqlitePools: pools}
	if _, err = c.write.Exec(sqliteSchema); err == nil {
		err = c.prepare()
	}
	if err != nil {
		return nil, errors.Join(err, pools.Close())
	}
	return c, nil
}

// prepare prepares all statements.
func (c *sqliteDB) prepare() error {
	const sel = "SELECT id, email, name, age, city, team_id, bio, created, tags FROM records "
	var faults []error
	for _, s := range []struct {
		stmt **sql.Stmt
		db   *sql.DB
		text string
	}{
		{&c.insert, c.write, "INSERT INTO records (id, email, name, age, city, team_id, bio, created, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"},
		{&c.setAge, c.write, "UPDATE records SET age = ? WHERE id = ?"},
		{&c.setBio, c.write, "UPDATE records SET bio = ? WHERE id = ?"},
		{&c.remove, c.write, "DELETE FROM records WHERE id = ?"},
		{&c.get, c.read, sel + "WHERE id = ?"},
		{&c.byEmail, c.read, sel + "WHERE email = ?"},
		{&c.byCity, c.read, sel + "WHERE city = ?"},
		{&c.fromAge, c.read, sel + "WHERE age >= ? ORDER BY age, id LIMIT ?"},
		{&c.fromID, c.read, sel + "WHERE id >= ? ORDER BY id LIMIT ?"},
		{&c.named, c.read, sel + "WHERE name = ?"},
		{&c.all, c.read, sel},
		{&c.countAges, c.read, "SELECT count(*) FROM records WHERE age >= ? AND age < ?"},
	} {
		var err error
		*s.stmt, err = s.db.Prepare(s.text)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// tagBreak separates tags in their column; no tag has it.
const tagBreak = "\n"

// sqliteInsert runs the insert statement.
func sqliteInsert(stmt *sql.Stmt, r *Record) error {
	_, err := stmt.Exec(r.ID, r.Email, r.Name, r.Age, r.City, r.TeamID, r.Bio,
		r.Created.UnixNano(), strings.Join(r.Tags, tagBreak))
	return sqliteFault(err)
}

// sqliteScan reads a record from a row.
func sqliteScan(row interface{ Scan(...any) error }, r *Record) error {
	var created int64
	var tags string
	err := row.Scan(&r.ID, &r.Email, &r.Name, &r.Age, &r.City, &r.TeamID, &r.Bio, &created, &tags)
	r.Created = time.Unix(0, created).UTC()
	r.Tags = strings.Split(tags, tagBreak)
	return sqliteFault(err)
}

func (c *sqliteDB) Insert(r *Record) error { return sqliteInsert(c.insert, r) }

func (c *sqliteDB) InsertMany(rs []Record) error {
	tx, err := c.write.Begin()
	if err != nil {
		return err
	}
	stmt := tx.Stmt(c.insert)
	for i := range rs {
		if err := sqliteInsert(stmt, &rs[i]); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

func (c *sqliteDB) Get(id uint64) (r Record, err error) {
	err = sqliteScan(c.get.QueryRow(id), &r)
	return r, err
}

func (c *sqliteDB) ByEmail(email string) (r Record, err error) {
	err = sqliteScan(c.byEmail.QueryRow(email), &r)
	return r, err
}

// query visits what a statement finds.
func (c *sqliteDB) query(visit func(Record), stmt *sql.Stmt, args ...any) (err error) {
	rows, err := stmt.Query(args...)
	if err != nil {
		return err
	}
	defer closing(rows, &err)
	for rows.Next() {
		var r Record
		if err := sqliteScan(rows, &r); err != nil {
			return err
		}
		visit(r)
	}
	return rows.Err()
}

func (c *sqliteDB) ByCity(city string, visit func(Record)) error {
	return c.query(visit, c.byCity, city)
}

func (c *sqliteDB) FromAge(age, limit int, visit func(Record)) error {
	return c.query(visit, c.fromAge, age, limit)
}

func (c *sqliteDB) FromID(id uint64, limit int, visit func(Record)) error {
	return c.query(visit, c.fromID, id, limit)
}

func (c *sqliteDB) Named(name string, visit func(Record)) error {
	return c.query(visit, c.named, name)
}

func (c *sqliteDB) Filter(keep func(*Record) bool, visit func(Record)) error {
	return c.query(func(r Record) {
		if keep(&r) {
			visit(r)
		}
	}, c.all)
}

func (c *sqliteDB) All(visit func(Record)) error { return c.query(visit, c.all) }

func (c *sqliteDB) CountAges(lo, hi int) (n int, err error) {
	err = c.countAges.QueryRow(lo, hi).Scan(&n)
	return n, err
}

func (c *sqliteDB) SetAge(id uint64, age int) error { return sqliteChange(c.setAge, age, id) }

func (c *sqliteDB) SetBio(id uint64, bio string) error { return sqliteChange(c.setBio, bio, id) }

func (c *sqliteDB) Delete(id uint64) error { return sqliteChange(c.remove, id) }

// sqliteChange runs a statement that changes one record, if it is there.
func sqliteChange(stmt *sql.Stmt, args ...any) error {
	res, err := stmt.Exec(args...)
	if err != nil {
		return sqliteFault(err)
	}
	return oneRow(res.RowsAffected())
}

// oneRow returns errNotFound where no row was changed.
func oneRow(n int64, err error) error {
	if err == nil && n == 0 {
		return errNotFound
	}
	return err
}
