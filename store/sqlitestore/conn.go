package sqlitestore

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// conn is a connection of SQLite's, with statements that are prepared once.
type conn struct {
	db    *sqlite3.Conn
	users int // readers of the snapshot that it is in; under that one's lock

	mu     sync.Mutex // several readers may share it
	turn   int        // counts its read transactions of one version
	broken bool       // the engine has panicked in it, or lost the version
	stmts  map[string]*sqlite3.Stmt
	idle   map[string][]*sqlite3.Stmt // of scans that have ended
}

// busyLimit is how long to wait for another program that has the file locked; tests
// wait for less.
var busyLimit = 10 * time.Second

// maxEngineMemory is how much of the address space a connection may take.
const maxEngineMemory = 4 << 30

// The statements, but for those of scans.
const (
	sqlBegin      = "BEGIN"
	sqlBeginWrite = "BEGIN IMMEDIATE"
	sqlCommit     = "COMMIT"
	sqlRollback   = "ROLLBACK"
	sqlState      = "SELECT version, closed FROM meta"
	sqlSetState   = "UPDATE meta SET version = ?1, closed = ?2"
	sqlGet        = "SELECT v FROM kv WHERE k = ?1"
	sqlCount      = "SELECT count(*) FROM kv WHERE k >= ?1 AND k < ?2"
	sqlCountOn    = "SELECT count(*) FROM kv WHERE k >= ?1"
	sqlSet        = "INSERT INTO kv VALUES (?1, ?2) ON CONFLICT DO UPDATE SET v = excluded.v"
	sqlDelete     = "DELETE FROM kv WHERE k = ?1"
	sqlSetLog     = "INSERT INTO log VALUES (?1, ?2) ON CONFLICT DO UPDATE SET v = excluded.v"
	sqlDeleteLog  = "DELETE FROM log WHERE k = ?1"
)

// connect opens a connection to a file, and executes some SQL.
func (fs *fileSystem) connect(path, query string, setUp ...string) (c *conn, err error) {
	u := url.URL{Scheme: "file", Path: path, RawQuery: "vfs=" + fs.name + query}
	db, err := sqlite3.OpenContext(sqlite3.WithMaxMemory(context.Background(), maxEngineMemory), u.String())
	if err != nil {
		return nil, err
	}
	c = &conn{db: db, stmts: map[string]*sqlite3.Stmt{}, idle: map[string][]*sqlite3.Stmt{}}
	err = db.BusyTimeout(busyLimit)
	if err == nil {
		_, err = db.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true) // until Close
	}
	if err != nil {
		c.close()
		return nil, err
	}
	for _, text := range setUp {
		if err := db.Exec(text); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

// close closes a connection in which nothing goes on.
func (c *conn) close() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the engine panicked: %v", p)
		}
	}()
	for stmt := range c.db.Stmts() {
		defer stmt.Close()
	}
	for _, stmt := range c.stmts {
		stmt.Close()
	}
	for _, stmts := range c.idle {
		for _, stmt := range stmts {
			stmt.Close()
		}
	}
	return c.db.Close()
}

// stmt returns the statement of a text.
func (c *conn) stmt(text string) (*sqlite3.Stmt, error) {
	if stmt := c.stmts[text]; stmt != nil {
		return stmt, nil
	}
	stmt, err := c.prepare(text)
	if err == nil {
		c.stmts[text] = stmt
	}
	return stmt, err
}

func (c *conn) prepare(text string) (*sqlite3.Stmt, error) {
	stmt, _, err := c.db.PrepareFlags(text, sqlite3.PREPARE_PERSISTENT)
	return stmt, err
}

// exec executes a statement without parameters.
func (c *conn) exec(text string) error {
	stmt, err := c.stmt(text)
	if err != nil {
		return err
	}
	return stmt.Exec()
}

// bind binds a blob that may be nil, which is an empty one.
func bind(stmt *sqlite3.Stmt, param int, b []byte) error {
	if b == nil {
		b = []byte{}
	}
	return stmt.BindBlob(param, b)
}

// state is what the file says of itself.
type state struct {
	version uint64
	closed  bool // by Close: there is nothing in a log
}

// state reads the state. In a transaction that has read nothing yet, it takes the
// snapshot.
func (c *conn) state() (st state, err error) {
	stmt, err := c.stmt(sqlState)
	if err != nil {
		return st, err
	}
	if stmt.Step() {
		st = state{uint64(stmt.ColumnInt64(0)), stmt.ColumnInt64(1) != 0}
	}
	err = stmt.Err()
	if e := stmt.Reset(); err == nil {
		err = e
	}
	if err == nil && st.version == 0 {
		err = sqlite3.CORRUPT
	}
	return st, err
}

// setState writes the state.
func (c *conn) setState(st state) error {
	stmt, err := c.stmt(sqlSetState)
	if err == nil {
		err = stmt.BindInt64(1, int64(st.version))
	}
	if err == nil {
		err = stmt.BindBool(2, st.closed)
	}
	if err != nil {
		return err
	}
	return stmt.Exec()
}

// set writes or deletes the value of a key, by the statements of a table.
func (c *conn) set(set, remove string, key, value []byte, deleted bool) error {
	text := set
	if deleted {
		text = remove
	}
	stmt, err := c.stmt(text)
	if err == nil {
		err = bind(stmt, 1, key)
	}
	if err == nil && !deleted {
		err = bind(stmt, 2, value)
	}
	if err != nil {
		return err
	}
	return stmt.Exec()
}
