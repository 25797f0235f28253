package pgstore_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kivisdb/kivis/internal/benchtest"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/pgstore"
)

// The benchmarks do the same with a table that is written to by hand, in the same
// server: entries of 16 and 100 bytes.
const entries = 20_000

func benchKey(i int) []byte { return fmt.Appendf(nil, "key%013d", i) }

var benchValue = make([]byte, 100)

// filled returns a store of entries.
func filled(b *testing.B) *pgstore.Store {
	b.Helper()
	s := open(b, newURL(b), &pgstore.Options{Lag: time.Hour})
	_, err := update(s, func(tx store.Tx) error {
		for i := range entries {
			if err := tx.Set(benchKey(i), benchValue); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Exec(background, "analyze @.entries"); err != nil {
		b.Fatal(err)
	}
	return s
}

// byHand returns a table of the same entries.
func byHand(b *testing.B) *pgxpool.Pool {
	b.Helper()
	pool, err := pgxpool.New(background, running(b).URL(""))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	var keys, values [][]byte
	for i := range entries {
		keys, values = append(keys, benchKey(i)), append(values, benchValue)
	}
	for _, statement := range []string{"drop table if exists hand", "create table hand (key bytea primary key, value bytea)"} {
		if _, err := pool.Exec(background, statement); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := pool.Exec(background, "insert into hand select * from unnest($1::bytea[], $2::bytea[])", keys, values); err != nil {
		b.Fatal(err)
	}
	if _, err := pool.Exec(background, "analyze hand"); err != nil {
		b.Fatal(err)
	}
	return pool
}

func BenchmarkGet(b *testing.B) {
	pool := byHand(b)
	tx, err := filled(b).Begin(background, false)
	if err != nil {
		b.Fatal(err)
	}
	defer tx.Discard()
	var value []byte
	benchtest.InTurns(b, 50, func() error {
		_, err := tx.Get(benchKey(rand.IntN(entries)))
		return err
	}, func() error {
		return pool.QueryRow(background, "select value from hand where key = $1", benchKey(rand.IntN(entries))).Scan(&value)
	})
}

// BenchmarkScan1000 scans from an entry on, as far as there are any, within bounds, as the
// records of a table are scanned, and within bounds in reverse.
func BenchmarkScan1000(b *testing.B) {
	for _, bench := range []struct {
		name, hand string
		of         func(at int) (store.Range, []any)
	}{
		{"open", "key >= $1 order by key", func(at int) (store.Range, []any) {
			return store.Range{Lo: benchKey(at)}, []any{benchKey(at)}
		}},
		{"bounded", "key >= $1 and key < $2 order by key", func(at int) (store.Range, []any) {
			return store.Range{Lo: benchKey(at), Hi: benchKey(entries)}, []any{benchKey(at), benchKey(entries)}
		}},
		{"reverse", "key >= $1 and key < $2 order by key desc", func(at int) (store.Range, []any) {
			return store.Range{Lo: benchKey(0), Hi: benchKey(at + 1000), Reverse: true}, []any{benchKey(0), benchKey(at + 1000)}
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			pool := byHand(b)
			tx, err := filled(b).Begin(background, false)
			if err != nil {
				b.Fatal(err)
			}
			defer tx.Discard()
			var key, value []byte
			benchtest.InTurns(b, 5, func() error {
				r, _ := bench.of(rand.IntN(entries - 1000))
				return scan1000(tx, r)
			}, func() error {
				_, args := bench.of(rand.IntN(entries - 1000))
				rows, err := pool.Query(background, "select key, value from hand where "+bench.hand+" limit 1000", args...)
				if err != nil {
					return err
				}
				_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error { return nil })
				return err
			})
		})
	}
}

// scan1000 reads the first 1,000 entries of r.
func scan1000(tx store.Tx, r store.Range) error {
	c, err := tx.Scan(r)
	if err != nil {
		return err
	}
	defer c.Close()
	for range 1000 {
		if !c.Next() {
			return fmt.Errorf("the scan ends early: %v", c.Err())
		}
	}
	return nil
}

// some returns n keys, and values for them.
func some(n int) (keys, values [][]byte) {
	at := rand.IntN(entries - n)
	for i := range n {
		keys, values = append(keys, benchKey(at+i)), append(values, benchValue)
	}
	return keys, values
}

const upsert = "insert into hand select * from unnest($1::bytea[], $2::bytea[]) on conflict (key) do update set value = excluded.value"

// BenchmarkCommit writes entries, by hand in one statement that is a transaction of its own:
// the store begins, too, which is a request more.
func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			pool, s := byHand(b), filled(b)
			benchtest.InTurns(b, 10, func() error {
				keys, values := some(n)
				_, err := update(s, func(tx store.Tx) error {
					for i, key := range keys {
						if err := tx.Set(key, values[i]); err != nil {
							return err
						}
					}
					return nil
				})
				return err
			}, func() error {
				keys, values := some(n)
				_, err := pool.Exec(background, upsert, keys, values)
				return err
			})
		})
	}
}

// BenchmarkChange reads an entry and writes it, in a serializable transaction of either.
func BenchmarkChange(b *testing.B) {
	pool, s := byHand(b), filled(b)
	var value []byte
	benchtest.InTurns(b, 10, func() error {
		key := benchKey(rand.IntN(entries))
		_, err := update(s, func(tx store.Tx) error {
			if _, err := tx.Get(key); err != nil {
				return err
			}
			return tx.Set(key, benchValue)
		})
		return err
	}, func() error {
		key := benchKey(rand.IntN(entries))
		return pgx.BeginTxFunc(background, pool, pgx.TxOptions{IsoLevel: pgx.Serializable}, func(tx pgx.Tx) error {
			if err := tx.QueryRow(background, "select value from hand where key = $1", key).Scan(&value); err != nil {
				return err
			}
			_, err := tx.Exec(background, "update hand set value = $2 where key = $1", key, benchValue)
			return err
		})
	})
}
