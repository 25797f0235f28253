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

// knowing returns a bare store, and a layer over one that knows everything.
func knowing(tb testing.TB) (bare, layered store.Store) {
	bare, origin := memstore.New(), memstore.New()
	fillBench(tb, bare)
	fillBench(tb, origin)
	layered, err := cache.Stack(origin, cache.Memory(256<<20))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { layered.Close() })
	tx := begin(tb, layered, false)
	defer tx.Discard()
	for i := range benchKeys {
		if _, err := tx.Get(benchKey(nil, i)); err != nil {
			tb.Fatal(err)
		}
	}
	scan(tb, tx, store.Range{})
	return bare, layered
}

// spread has keys asked for in another order than the one in which they were written,
// so that no store finds what it needs next beside what it has just read.
const spread = 30_011

// questions are what is asked of a store, the ith time: to read a key, and the like.
var questions = []struct {
	name string
	ask  func(tb testing.TB, s store.Store, i int)
}{
	{"newest", func(tb testing.TB, s store.Store, i int) {
		var buf [16]byte
		if _, err := store.Get(context.Background(), s, benchKey(buf[:], i*spread)); err != nil {
			tb.Fatal(err)
		}
	}},
	{"transaction", func(tb testing.TB, s store.Store, i int) {
		tx := begin(tb, s, false)
		readKey(tb, tx, i)
		tx.Discard()
	}},
	{"scan 100", func(tb testing.TB, s store.Store, i int) {
		tx := begin(tb, s, false)
		defer tx.Discard()
		c, err := tx.Scan(store.Range{Lo: benchKey(nil, i*spread)})
		if err != nil {
			tb.Fatal(err)
		}
		for n := 0; n < 100 && c.Next(); n++ {
			c.Keep()
		}
		c.Close()
	}},
	{"set", func(tb testing.TB, s store.Store, i int) {
		tx := begin(tb, s, true)
		if err := tx.Set(benchKey(nil, i*spread), make([]byte, 100)); err != nil {
			tb.Fatal(err)
		}
		commit(tb, tx)
	}},
}

func readKey(tb testing.TB, tx store.Tx, i int) {
	var buf [16]byte
	if _, err := tx.Get(benchKey(buf[:], i*spread)); err != nil {
		tb.Fatal(err)
	}
}

func BenchmarkHit(b *testing.B) {
	bare, layered := knowing(b)
	for _, of := range []struct {
		name string
		s    store.Store
	}{{"memstore", bare}, {"memory layer", layered}} {
		for _, q := range questions {
			b.Run(q.name+"/"+of.name, func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					q.ask(b, of.s, i)
				}
			})
		}
		b.Run("in one transaction/"+of.name, func(b *testing.B) {
			tx := begin(b, of.s, false)
			defer tx.Discard()
			for i := 0; b.Loop(); i++ {
				readKey(b, tx, i)
			}
		})
	}
}
