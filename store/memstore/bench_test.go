package memstore_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/google/btree"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

// The benchmarks do the same work on the store and by hand on the B-tree under
// it, which has no transactions, no snapshots and no locks.

const benchKeys = 100_000

// item is an entry of the tree by hand.
type item struct{ key, value []byte }

func lessItem(a, b item) bool { return bytes.Compare(a.key, b.key) < 0 }

// benchKey writes the i-th key, spread over the tree, into buf.
func benchKey(buf []byte, i int) []byte {
	buf = binary.BigEndian.AppendUint64(buf[:0], uint64(i*7919%benchKeys))
	return append(buf, "/record"...)
}

func rawTree() *btree.BTreeG[item] {
	tree := btree.NewG(16, lessItem)
	for i := range benchKeys {
		tree.ReplaceOrInsert(item{benchKey(nil, i), make([]byte, 100)})
	}
	return tree
}

func benchStore(tb testing.TB) store.Store {
	s := memstore.New()
	tx, err := s.Begin(context.Background(), true)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range benchKeys {
		tx.Set(benchKey(nil, i), make([]byte, 100))
	}
	if _, err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
	return s
}

func BenchmarkGet(b *testing.B) {
	b.Run("btree", func(b *testing.B) {
		tree, key, i := rawTree(), []byte(nil), 0
		b.ReportAllocs()
		for b.Loop() {
			key, i = benchKey(key, i), i+1
			if _, ok := tree.Get(item{key: key}); !ok {
				b.Fatal("absent")
			}
		}
	})
	for name, ctx := range contexts(b) {
		b.Run(name, func(b *testing.B) {
			s, key, i := benchStore(b), []byte(nil), 0
			b.ReportAllocs()
			for b.Loop() {
				key, i = benchKey(key, i), i+1
				getOne(b, ctx, s, key)
			}
		})
	}
	b.Run("in one transaction", func(b *testing.B) {
		tx, _ := benchStore(b).Begin(context.Background(), false)
		key, i := []byte(nil), 0
		b.ReportAllocs()
		for b.Loop() {
			key, i = benchKey(key, i), i+1
			if _, err := tx.Get(key); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkGetParallel reads on all processors, while commits go on or not.
func BenchmarkGetParallel(b *testing.B) {
	for name, writing := range map[string]bool{"alone": false, "with a writer": true} {
		b.Run(name, func(b *testing.B) {
			s, stop := benchStore(b), make(chan struct{})
			defer close(stop)
			if writing {
				go commitUntil(b, s, stop)
			}
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				var key []byte
				for i := 0; pb.Next(); i++ {
					key = benchKey(key, i)
					getOne(b, context.Background(), s, key)
				}
			})
		})
	}
}

func commitUntil(b *testing.B, s store.Store, stop chan struct{}) {
	var key []byte
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
			key = benchKey(key, i)
			setOne(b, s, key, key)
		}
	}
}

// contexts returns a context that cannot end and one that can, as a server's
// requests have.
func contexts(tb testing.TB) map[string]context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	tb.Cleanup(cancel)
	return map[string]context.Context{"store": context.Background(), "store, cancellable": ctx}
}

func getOne(tb testing.TB, ctx context.Context, s store.Store, key []byte) {
	tx, err := s.Begin(ctx, false)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := tx.Get(key); err != nil {
		tb.Fatal(err)
	}
	tx.Discard()
}

func BenchmarkSetCommit(b *testing.B) {
	value := make([]byte, 100)
	b.Run("btree", func(b *testing.B) {
		tree, key, i := rawTree(), []byte(nil), 0
		b.ReportAllocs()
		for b.Loop() {
			key, i = benchKey(key, i), i+1
			tree.ReplaceOrInsert(item{bytes.Clone(key), bytes.Clone(value)})
		}
	})
	b.Run("store", func(b *testing.B) {
		s, key, i := benchStore(b), []byte(nil), 0
		b.ReportAllocs()
		for b.Loop() {
			key, i = benchKey(key, i), i+1
			setOne(b, s, key, value)
		}
	})
	b.Run("store, others live", func(b *testing.B) {
		s, key, i := benchStore(b), []byte(nil), 0
		b.ReportAllocs()
		for b.Loop() {
			key, i = benchKey(key, i), i+1
			other, _ := s.Begin(context.Background(), false)
			setOne(b, s, key, value)
			other.Discard()
		}
	})
}

// setOne writes a key, in a transaction.
func setOne(tb testing.TB, s store.Store, key, value []byte) {
	tx, err := s.Begin(context.Background(), true)
	if err != nil {
		tb.Fatal(err)
	}
	if err := tx.Set(key, value); err != nil {
		tb.Fatal(err)
	}
	if _, err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
}

func BenchmarkScan100(b *testing.B) {
	b.Run("btree", func(b *testing.B) {
		tree, key, i := rawTree(), []byte(nil), 0
		b.ReportAllocs()
		for b.Loop() {
			key, i = benchKey(key, i), i+1
			n, size := 0, 0
			tree.AscendGreaterOrEqual(item{key: key}, func(e item) bool {
				n++
				size += len(e.key) + len(e.value)
				return n < 100
			})
		}
	})
	for name, ctx := range contexts(b) {
		b.Run(name, func(b *testing.B) {
			s, key, i := benchStore(b), []byte(nil), 0
			b.ReportAllocs()
			for b.Loop() {
				key, i = benchKey(key, i), i+1
				scanSome(b, ctx, s, key, nil)
			}
		})
	}
	b.Run("store, over writes", func(b *testing.B) {
		s, key, i := benchStore(b), []byte(nil), 0
		write := binary.BigEndian.AppendUint64(nil, benchKeys/2)
		b.ReportAllocs()
		for b.Loop() {
			key, i = benchKey(key, i), i+1
			scanSome(b, context.Background(), s, key, write)
		}
	})
}

// scanSome scans 100 entries from key on, in a transaction that writes another
// key if it is not nil.
func scanSome(tb testing.TB, ctx context.Context, s store.Store, key, write []byte) {
	tx, err := s.Begin(ctx, write != nil)
	if err != nil {
		tb.Fatal(err)
	}
	if write != nil {
		tx.Set(write, nil)
	}
	c, err := tx.Scan(store.Range{Lo: key})
	if err != nil {
		tb.Fatal(err)
	}
	size := 0
	for n := 0; n < 100 && c.Next(); n++ {
		size += len(c.Key()) + len(c.Keep())
	}
	c.Close()
	tx.Discard()
}
