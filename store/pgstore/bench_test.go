package pgstore_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

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
	b.Run("store", func(b *testing.B) {
		s := filled(b)
		tx, err := s.Begin(background, false)
		if err != nil {
			b.Fatal(err)
		}
		defer tx.Discard()
		for b.Loop() {
			if _, err := tx.Get(benchKey(rand.IntN(entries))); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("hand", func(b *testing.B) {
		pool := byHand(b)
		var value []byte
		for b.Loop() {
			if err := pool.QueryRow(background, "select value from hand where key = $1", benchKey(rand.IntN(entries))).Scan(&value); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkScan1000(b *testing.B) {
	b.Run("store", func(b *testing.B) {
		s := filled(b)
		tx, err := s.Begin(background, false)
		if err != nil {
			b.Fatal(err)
		}
		defer tx.Discard()
		for b.Loop() {
			c, err := tx.Scan(store.Range{Lo: benchKey(rand.IntN(entries - 1000))})
			if err != nil {
				b.Fatal(err)
			}
			for range 1000 {
				if !c.Next() {
					b.Fatal(c.Err())
				}
			}
			c.Close()
		}
	})
	b.Run("hand", func(b *testing.B) {
		pool := byHand(b)
		for b.Loop() {
			rows, err := pool.Query(background, "select key, value from hand where key >= $1 order by key limit 1000", benchKey(rand.IntN(entries-1000)))
			if err != nil {
				b.Fatal(err)
			}
			var key, value []byte
			if _, err := pgx.ForEachRow(rows, []any{&key, &value}, func() error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n, "/store"), func(b *testing.B) {
			s := filled(b)
			for b.Loop() {
				_, err := update(s, func(tx store.Tx) error {
					for range n {
						if err := tx.Set(benchKey(rand.IntN(entries)), benchValue); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprint(n, "/hand"), func(b *testing.B) {
			pool := byHand(b)
			for b.Loop() {
				keys, values := make([][]byte, n), make([][]byte, n)
				at := rand.IntN(entries - n)
				for i := range keys {
					keys[i], values[i] = benchKey(at+i), benchValue
				}
				_, err := pool.Exec(background, "insert into hand select * from unnest($1::bytea[], $2::bytea[]) on conflict (key) do update set value = excluded.value", keys, values)
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
