package sqlitestore

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/kivisdb/kivis/store"
)

// cursor is a scan of one version: a statement that stands on a row. What it shows
// is a copy, since the engine's memory is written to again.
type cursor struct {
	s     *Store
	r     *reader
	c     *conn
	table string
	text  string // of the statement
	stmt  *sqlite3.Stmt
	turn  int // the connection's, when the statement began

	g     store.Range
	seek  []byte // the upper bound of a scan downwards that has been moved on
	key   []byte
	value []byte

	begun bool
	ended bool
	there bool // on a row
	err   error
}

const (
	tableData = "kv"
	tableLog  = "log"
)

// scanText returns the statement of a scan.
func scanText(table string, g store.Range) string {
	text := "SELECT k, v FROM "
	if g.KeysOnly {
		text = "SELECT k FROM "
	}
	text += table + " WHERE k >= ?1"
	if g.Hi != nil {
		text += " AND k < ?2"
	}
	text += " ORDER BY k"
	if g.Reverse {
		text += " DESC"
	}
	return text
}

// Scan implements occ.Reader.
func (r *reader) Scan(g store.Range) (store.Cursor, error) {
	cur, err := r.scan(tableData, g)
	if err != nil {
		return nil, err
	}
	return cur, nil
}

func (r *reader) scan(table string, g store.Range) (*cursor, error) {
	c, err := r.conn()
	if err != nil {
		return nil, err
	}
	c.mu.Unlock()
	return &cursor{s: r.snap.s, r: r, c: c, table: table, text: scanText(table, g), g: g}, nil
}

// Next implements store.Cursor.
func (c *cursor) Next() bool { return c.step(nil) }

// Seek implements store.Cursor. The key lies ahead, and within the range.
func (c *cursor) Seek(key []byte) bool {
	if key == nil {
		key = []byte{}
	}
	return c.step(key)
}

// step goes to the next row, or if to is not nil to the first at or beyond it.
func (c *cursor) step(to []byte) bool {
	if c.ended {
		return false
	}
	c.c.mu.Lock()
	defer c.c.mu.Unlock()
	defer c.s.caught(c.c, &c.err)
	c.ended = true // unless it arrives
	if c.c.broken {
		c.err = errBroken
		return false
	}
	if err := c.aim(to); err != nil {
		c.err = c.s.engineError("scan", err)
		return false
	}
	if !c.stmt.Step() {
		c.err = c.s.engineError("scan", c.stmt.Err())
		c.free()
		return false
	}
	c.key = append(c.key[:0], c.stmt.ColumnRawBlob(0)...)
	if !c.g.KeysOnly {
		c.value = append(c.value[:0], c.stmt.ColumnRawBlob(1)...)
	}
	if err := c.stmt.Err(); err != nil {
		c.err = c.s.engineError("scan", err)
		return false
	}
	c.ended, c.there = false, true
	return true
}

// aim has the statement begin where the scan does, or at to if that is not nil, or
// behind the last row where the connection has begun anew.
func (c *cursor) aim(to []byte) (err error) {
	if c.begun && to == nil && c.turn == c.c.turn {
		return nil
	}
	lo, hi := c.g.Lo, c.g.Hi
	switch {
	case to == nil && !c.begun:
	case c.g.Reverse:
		c.below(to)
		hi = c.seek
	case to == nil:
		c.seek = append(append(c.seek[:0], c.key...), 0) // the next key after it
		lo = c.seek
	default:
		lo = to
	}
	c.begun, c.turn = true, c.c.turn
	if c.stmt == nil {
		if c.stmt, err = c.c.scanStmt(c.text); err != nil {
			return err
		}
	} else if err = c.stmt.Reset(); err != nil {
		return err
	}
	if err = bind(c.stmt, 1, lo); err == nil && hi != nil {
		err = bind(c.stmt, 2, hi)
	}
	return err
}

// below makes seek the upper bound that has the scan downwards begin at to, or below
// the last row if that is nil.
func (c *cursor) below(to []byte) {
	if c.seek = append(c.seek[:0], c.key...); to != nil {
		c.seek = append(append(c.seek[:0], to...), 0) // the next key after it
	}
	if c.g.Hi == nil {
		c.free()
		c.g.Hi = c.seek // the range has an upper bound from here on
		c.text = scanText(c.table, c.g)
	}
}

// scanStmt returns the statement of a scan, for one cursor alone.
func (c *conn) scanStmt(text string) (*sqlite3.Stmt, error) {
	if idle := c.idle[text]; len(idle) > 0 {
		last := len(idle) - 1
		c.idle[text] = idle[:last]
		return idle[last], nil
	}
	return c.prepare(text)
}

// maxIdle is how many statements of a text a connection keeps.
const maxIdle = 8

// free gives back the statement.
func (c *cursor) free() {
	stmt := c.stmt
	c.stmt = nil
	if stmt == nil || c.c.broken {
		return
	}
	if stmt.Reset() == nil && len(c.c.idle[c.text]) < maxIdle {
		c.c.idle[c.text] = append(c.c.idle[c.text], stmt)
		return
	}
	stmt.Close()
}

// Key implements store.Cursor.
func (c *cursor) Key() []byte {
	if c.ended || !c.there {
		return nil
	}
	return c.key[:len(c.key):len(c.key)]
}

// Value implements store.Cursor.
func (c *cursor) Value() []byte {
	if c.ended || !c.there || c.g.KeysOnly {
		return nil
	}
	if c.value == nil {
		c.value = []byte{}
	}
	return c.value[:len(c.value):len(c.value)]
}

// Keep implements store.Cursor.
func (c *cursor) Keep() []byte {
	value := c.Value()
	if value == nil {
		return nil
	}
	return append(make([]byte, 0, len(value)), value...)
}

// Err implements store.Cursor.
func (c *cursor) Err() error { return c.err }

// Close implements store.Cursor. The cursor is not used again, but what Key and
// Value have returned may be.
func (c *cursor) Close() {
	if c.stmt == nil {
		return
	}
	c.c.mu.Lock()
	defer c.c.mu.Unlock()
	var err error
	defer c.s.caught(c.c, &err)
	c.free()
}
