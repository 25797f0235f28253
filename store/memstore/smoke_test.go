package memstore

import (
	"context"
	"errors"
	"testing"

	"github.com/kivisdb/kivis/store"
)

func TestSmoke(t *testing.T) {
	s := New()
	ctx := context.Background()
	tx, _ := s.Begin(ctx, true)
	for i := range 1000 {
		tx.Set([]byte{byte(i >> 8), byte(i)}, []byte("v"))
	}
	if n, err := store.Count(tx, store.Range{}); n != 1000 || err != nil {
		t.Fatal(n, err)
	}
	old, _ := s.Begin(ctx, true)
	if _, err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if n, err := store.Count(old, store.Range{}); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	old.Set([]byte("a"), nil)
	if _, err := old.Commit(); !errors.Is(err, store.ErrConflict) {
		t.Fatal(err)
	}
	tx, _ = s.Begin(ctx, true)
	tx.Delete([]byte{0, 5})
	tx.Set([]byte{0, 6, 1}, []byte("x"))
	c, _ := tx.Scan(store.Range{Reverse: true, Hi: []byte{0, 9}})
	n := 0
	for c.Next() {
		n++
	}
	c.Close()
	if n != 9 {
		t.Fatal(n)
	}
	tx.Discard()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Begin(ctx, false); !errors.Is(err, store.ErrClosed) {
		t.Fatal(err)
	}
}

func BenchmarkGet(b *testing.B) {
	s := New()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tx, _ := s.Begin(ctx, true)
	for i := range 10000 {
		tx.Set([]byte{byte(i >> 8), byte(i)}, []byte("v"))
	}
	tx.Commit()
	b.ReportAllocs()
	for b.Loop() {
		tx, _ := s.Begin(ctx, false)
		tx.Get([]byte{3, 4})
		tx.Discard()
	}
}

func BenchmarkSet(b *testing.B) {
	s := New()
	ctx := context.Background()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		tx, _ := s.Begin(ctx, true)
		tx.Set([]byte{byte(i >> 16), byte(i >> 8), byte(i)}, []byte("v"))
		tx.Commit()
	}
}
