package sqlitedrivers

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	_ "modernc.org/sqlite"
)

// engine is a table of keys and values in a file, in WAL mode, with statements
// that are prepared once.
type engine interface {
	get(key []byte) ([]byte, error)
	scan(from []byte, n int) error // copies each key and value
	commit(keys, values [][]byte) error
	close() error
}

const (
	schema   = "CREATE TABLE kv(k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID"
	selectV  = "SELECT v FROM kv WHERE k = ?"
	selectKV = "SELECT k, v FROM kv WHERE k >= ? ORDER BY k LIMIT ?"
	upsert   = "INSERT INTO kv VALUES (?, ?) ON CONFLICT DO UPDATE SET v = excluded.v"
)

// drivers are the contenders, the store's own first.
var drivers = []struct {
	name string
	open func(path string, pageSize int, sync string) (engine, error)
}{
	{"ncruces", openNcruces},
	{"modernc", openModernc},
}

// pragmas configure a connection.
func pragmas(pageSize int, sync string) []string {
	return []string{
		fmt.Sprintf("PRAGMA page_size = %d", pageSize),
		"PRAGMA journal_mode = WAL",
		"PRAGMA synchronous = " + sync,
		"PRAGMA cache_size = -16384",
	}
}

// ncruces is a connection of github.com/ncruces/go-sqlite3, by its own interface.
type ncruces struct {
	conn                                       *sqlite3.Conn
	getStmt, scanStmt, putStmt, begin, commits *sqlite3.Stmt
	kept                                       []byte
}

func openNcruces(path string, pageSize int, sync string) (engine, error) {
	conn, err := sqlite3.Open(path)
	if err != nil {
		return nil, err
	}
	for _, text := range append(pragmas(pageSize, sync), schema) {
		if err := conn.Exec(text); err != nil {
			return nil, err
		}
	}
	e := &ncruces{conn: conn}
	for text, stmt := range map[string]**sqlite3.Stmt{
		selectV: &e.getStmt, selectKV: &e.scanStmt, upsert: &e.putStmt, "BEGIN IMMEDIATE": &e.begin, "COMMIT": &e.commits,
	} {
		if *stmt, _, err = conn.Prepare(text); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *ncruces) get(key []byte) ([]byte, error) {
	if err := e.getStmt.BindBlob(1, key); err != nil {
		return nil, err
	}
	if !e.getStmt.Step() {
		return nil, fmt.Errorf("no key %x: %w", key, e.getStmt.Reset())
	}
	value := e.getStmt.ColumnBlob(0, nil)
	return value, e.getStmt.Reset()
}

func (e *ncruces) scan(from []byte, n int) error {
	if err := e.scanStmt.BindBlob(1, from); err != nil {
		return err
	}
	if err := e.scanStmt.BindInt(2, n); err != nil {
		return err
	}
	for range n {
		if !e.scanStmt.Step() {
			return fmt.Errorf("the scan ends: %w", e.scanStmt.Reset())
		}
		e.kept = append(e.kept[:0], e.scanStmt.ColumnRawBlob(0)...)
		e.kept = append(e.kept, e.scanStmt.ColumnRawBlob(1)...)
	}
	return e.scanStmt.Reset()
}

func (e *ncruces) commit(keys, values [][]byte) error {
	if err := e.begin.Exec(); err != nil {
		return err
	}
	for i := range keys {
		if err := e.putStmt.BindBlob(1, keys[i]); err != nil {
			return err
		}
		if err := e.putStmt.BindBlob(2, values[i]); err != nil {
			return err
		}
		if err := e.putStmt.Exec(); err != nil {
			return err
		}
	}
	return e.commits.Exec()
}

func (e *ncruces) close() error { return e.conn.Close() }

// modernc is a database of modernc.org/sqlite, which has database/sql alone.
type modernc struct {
	db                         *sql.DB
	getStmt, scanStmt, putStmt *sql.Stmt
	kept                       []byte
}

func openModernc(path string, pageSize int, sync string) (engine, error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	for _, text := range append(pragmas(pageSize, sync), schema) {
		if _, err := db.Exec(text); err != nil {
			return nil, err
		}
	}
	e := &modernc{db: db}
	for text, stmt := range map[string]**sql.Stmt{selectV: &e.getStmt, selectKV: &e.scanStmt, upsert: &e.putStmt} {
		if *stmt, err = db.Prepare(text); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *modernc) get(key []byte) (value []byte, err error) {
	err = e.getStmt.QueryRow(key).Scan(&value)
	return value, err
}

func (e *modernc) scan(from []byte, n int) error {
	rows, err := e.scanStmt.Query(from, n)
	if err != nil {
		return err
	}
	defer rows.Close()
	var key, value sql.RawBytes
	found := 0
	for ; rows.Next(); found++ {
		if err := rows.Scan(&key, &value); err != nil {
			return err
		}
		e.kept = append(append(e.kept[:0], key...), value...)
	}
	if found != n {
		return fmt.Errorf("the scan finds %d: %w", found, rows.Err())
	}
	return rows.Err()
}

func (e *modernc) commit(keys, values [][]byte) error {
	tx, err := e.db.Begin()
	if err != nil {
		return err
	}
	put := tx.Stmt(e.putStmt)
	for i := range keys {
		if _, err := put.Exec(keys[i], values[i]); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (e *modernc) close() error { return e.db.Close() }

// work is what a driver is to do, numbered.
var work = []struct {
	name string
	n    int
	do   func(e engine, i int) error
}{
	{"get", 10_000, func(e engine, i int) error {
		_, err := e.get(keyOf(i * 7919 % records))
		return err
	}},
	{"scan1000", 50, func(e engine, i int) error { return e.scan(keyOf(i*7919%(records-1000)), 1000) }},
	{"commit1", 300, func(e engine, i int) error { return put(e, i, 1) }},
	{"commit100", 50, func(e engine, i int) error { return put(e, i, 100) }},
}

const (
	records = 100_000
	turns   = 5
)

// put writes n records, with values that are not there yet: what is there already
// SQLite does not write.
func put(e engine, i, n int) error {
	var keys, values [][]byte
	for j := range n {
		keys = append(keys, keyOf((i*n+j)*7919%records))
		values = append(values, valueOf(i+j+records))
	}
	return e.commit(keys, values)
}

func keyOf(i int) []byte { return binary.BigEndian.AppendUint64([]byte("table/"), uint64(i)) }

// valueOf is a record of 303 bytes.
func valueOf(i int) []byte {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	v := make([]byte, 0, 304)
	for len(v) < 303 {
		v = binary.BigEndian.AppendUint64(v, r.Uint64())
	}
	return v[:303]
}

// BenchmarkDrivers has the drivers do the same work in turns, and reports the time
// of an operation of each and the median of the ratios of a turn to the first.
func BenchmarkDrivers(b *testing.B) {
	for _, sync := range []string{"FULL", "NORMAL"} {
		for _, pageSize := range []int{4096, 8192, 16384} {
			b.Run(fmt.Sprintf("%s/page=%d", sync, pageSize), func(b *testing.B) { compare(b, pageSize, sync) })
		}
	}
}

func compare(b *testing.B, pageSize int, sync string) {
	engines := make([]engine, len(drivers))
	for i, d := range drivers {
		e, err := d.open(filepath.Join(b.TempDir(), "db"), pageSize, sync)
		if err != nil {
			b.Fatal(err)
		}
		defer e.close()
		engines[i] = e
		for from := 0; from < records; from += 1000 {
			var keys, values [][]byte
			for j := range 1000 {
				keys, values = append(keys, keyOf(from+j)), append(values, valueOf(from+j))
			}
			if err := e.commit(keys, values); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, w := range work {
		b.Run(w.name, func(b *testing.B) {
			times := make([][]float64, len(engines))
			ratios := make([][]float64, len(engines))
			for turn := range turns {
				for i, e := range engines {
					start := time.Now()
					for j := range w.n {
						if err := w.do(e, turn*w.n+j); err != nil {
							b.Fatal(err)
						}
					}
					times[i] = append(times[i], float64(time.Since(start))/float64(w.n))
					ratios[i] = append(ratios[i], times[i][turn]/times[0][turn])
				}
			}
			b.ReportMetric(0, "ns/op")
			for i, d := range drivers {
				b.ReportMetric(median(times[i])/1e3, d.name+"-µs")
				b.ReportMetric(median(ratios[i]), d.name+"-ratio")
			}
		})
	}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// TestDrivers has each driver read back what it has written.
func TestDrivers(t *testing.T) {
	for _, d := range drivers {
		t.Run(d.name, func(t *testing.T) {
			e, err := d.open(filepath.Join(t.TempDir(), "db"), 8192, "NORMAL")
			if err != nil {
				t.Fatal(err)
			}
			defer e.close()
			keys, values := [][]byte{keyOf(1), keyOf(2)}, [][]byte{valueOf(1), valueOf(2)}
			if err := e.commit(keys, values); err != nil {
				t.Fatal(err)
			}
			if got, err := e.get(keys[1]); err != nil || string(got) != string(values[1]) {
				t.Errorf("get = %d bytes, %v", len(got), err)
			}
			if err := e.scan(keys[0], 2); err != nil {
				t.Error(err)
			}
		})
	}
}
