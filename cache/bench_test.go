package cache_test

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/kivisdb/kivis/cache"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

const benchKeys = 100_000

// benchKey writes the i-th key, spread over the store, into buf.
func benchKey(buf []byte, i int) []byte {
	return append(binary.BigEndian.AppendUint64(buf[:0], uint64(i*7919%benchKeys)), "/record"...)
}

func fillBench(tb testing.TB, s store.Store) {
	for at := 0; at < benchKeys; {
		tx := begin(tb, s, true)
		for ; at < benchKeys && at%10_000 < 9_999; at++ {
			tx.Set(benchKey(nil, at), make([]byte, 100))
		}
		tx.Set(benchKey(nil, at), make([]byte, 100))
		at++
		commit(tb, tx)
	}
}

func begin(tb testing.TB, s store.Store, write bool) store.Tx {
	tb.Helper()
	tx, err := s.Begin(context.Background(), write)
	if err != nil {
		tb.Fatal(err)
	}
	return tx
}

func commit(tb testing.TB, tx store.Tx) uint64 {
	tb.Helper()
	version, err := tx.Commit()
	if err != nil {
		tb.Fatal(err)
	}
	return version
}

// benchStores are the bare store, and layers over one that know everything.
func benchStores(b *testing.B) map[string]store.Store {
	bare := memstore.New()
	fillBench(b, bare)
	origin := memstore.New()
	fillBench(b, origin)
	layered, err := cache.Stack(origin, cache.Memory(256<<20))
	if err != nil {
		b.Fatal(err)
	}
	tx := begin(b, layered, false)
	var key []byte
	for i := range benchKeys {
		key = benchKey(key, i)
		if _, err := tx.Get(key); err != nil {
			b.Fatal(err)
		}
	}
	c, _ := tx.Scan(store.Range{})
	for c.Next() {
	}
	c.Close()
	tx.Discard()
	return map[string]store.Store{"memstore": bare, "memory layer": layered}
}

// spread has keys asked for in another order than the one in which they were written,
// so that no store finds what it needs next beside what it has just read.
const spread = 30_011

func BenchmarkHit(b *testing.B) {
	stores := benchStores(b)
	for _, name := range []string{"memstore", "memory layer"} {
		s := stores[name]
		b.Run("newest/"+name, func(b *testing.B) {
			var key []byte
			for i := 0; b.Loop(); i++ {
				key = benchKey(key, i*spread)
				if _, err := store.Get(context.Background(), s, key); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("transaction/"+name, func(b *testing.B) {
			var key []byte
			for i := 0; b.Loop(); i++ {
				key = benchKey(key, i*spread)
				tx := begin(b, s, false)
				if _, err := tx.Get(key); err != nil {
					b.Fatal(err)
				}
				tx.Discard()
			}
		})
		b.Run("in one transaction/"+name, func(b *testing.B) {
			tx := begin(b, s, false)
			defer tx.Discard()
			var key []byte
			for i := 0; b.Loop(); i++ {
				key = benchKey(key, i*spread)
				if _, err := tx.Get(key); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("scan 100/"+name, func(b *testing.B) {
			var key []byte
			for i := 0; b.Loop(); i++ {
				key = benchKey(key, i*spread)
				tx := begin(b, s, false)
				c, err := tx.Scan(store.Range{Lo: key})
				if err != nil {
					b.Fatal(err)
				}
				for n := 0; n < 100 && c.Next(); n++ {
					c.Keep()
				}
				c.Close()
				tx.Discard()
			}
		})
		b.Run("set/"+name, func(b *testing.B) {
			var key []byte
			for i := 0; b.Loop(); i++ {
				key = benchKey(key, i*spread)
				tx := begin(b, s, true)
				tx.Set(key, make([]byte, 100))
				commit(b, tx)
			}
		})
	}
}
