package storetest

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/kivisdb/kivis/store"
)

var largeTests = []test{
	{"Value", testLargeValue, 0},
	{"Key", testLargeKey, 0},
	{"ManyWrites", testManyWrites, 0},
	{"MuchData", testMuchData, 0},
	{"ManyConflicts", testLargeConflict, writers},
	{"TooLarge", testTooLarge, limit},
}

// blob returns n bytes that differ by seed and position.
func blob(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8 + seed)
	}
	return b
}

func set(t testing.TB, tx store.Tx, key string, value []byte) {
	t.Helper()
	if err := tx.Set([]byte(key), value); err != nil {
		t.Fatalf("Set(%.20q) of %d bytes: %v", key, len(value), err)
	}
}

func wantBlob(t testing.TB, tx store.Tx, key string, want []byte) {
	t.Helper()
	got, err := tx.Get([]byte(key))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("Get(%.20q) = %d bytes, %v; want the %d bytes stored", key, len(got), err, len(want))
	}
}

func testLargeValue(t *testing.T, h *harness) {
	s := h.new(t)
	sizes := []int{1000, 4096, 65535, 65536, 70000, h.maxValue}
	for i, n := range sizes {
		tx := begin(t, s, true)
		set(t, tx, fmt.Sprint(i), blob(n, i))
		wantBlob(t, tx, fmt.Sprint(i), blob(n, i))
		commit(t, tx)
	}
	tx := begin(t, s, false)
	c := open(t, tx, store.Range{})
	for i, n := range sizes {
		want := blob(n, i)
		wantBlob(t, tx, fmt.Sprint(i), want)
		if !c.Next() || !bytes.Equal(c.Value(), want) || !bytes.Equal(c.Keep(), want) {
			t.Errorf("a cursor does not show the value of %d bytes", n)
		}
	}
}

func testLargeKey(t *testing.T, h *harness) {
	s := h.new(t)
	keys := []string{string(blob(2100, 0)), string(blob(4000, 1)), string(blob(4000, 1)) + "\x00"}
	tx := begin(t, s, true)
	for _, key := range keys {
		set(t, tx, key, []byte("v"))
	}
	commit(t, tx)
	tx = begin(t, s, false)
	for _, key := range keys {
		wantGet(t, tx, key, "v")
	}
	if got := scan(t, tx, store.Range{}); len(got) != len(keys) {
		t.Errorf("a scan shows %d keys, want %d", len(got), len(keys))
	}
}

// testManyWrites has more writes than an engine's batch is likely to take.
func testManyWrites(t *testing.T, h *harness) {
	pairs := numbered(30000)
	s := h.filled(t, "zzz=old")
	tx := begin(t, s, true)
	write(t, tx, pairs...)
	write(t, tx, "zzz")
	commit(t, tx)
	wantStore(t, s, pairs...)
	tx = begin(t, s, true)
	for _, pair := range pairs {
		write(t, tx, keyOf(pair))
	}
	commit(t, tx)
	wantStore(t, s)
}

func testMuchData(t *testing.T, h *harness) {
	const n, size = 60, 100 << 10
	s := h.new(t)
	tx := begin(t, s, true)
	for i := range n {
		set(t, tx, fmt.Sprint("k", i), blob(size, i))
	}
	commit(t, tx)
	tx = begin(t, s, false)
	for i := range n {
		wantBlob(t, tx, fmt.Sprint("k", i), blob(size, i))
	}
}

// testLargeConflict has a large transaction take part in conflicts.
func testLargeConflict(t *testing.T, h *harness) {
	s := h.filled(t, "020000=old")
	reader, other := begin(t, s, true), begin(t, s, true)
	get(t, reader, "020000")
	write(t, reader, "x=1")
	write(t, other, "y=1")
	fill(t, s, numbered(30000)...)
	conflict(t, reader)
	commit(t, other)
}

func testTooLarge(t *testing.T, h *harness) {
	s := h.limited(t)
	defer s.Close()
	fill(t, s, "a=1")
	tx := begin(t, s, true)
	value := blob(16<<10, 0)
	var err error
	for i := 0; i < 1<<20 && err == nil; i++ {
		err = tx.Set(fmt.Append(nil, "k", i), value[:len(value)>>(i%15)])
	}
	if err == nil {
		_, err = tx.Commit() // a store may notice only here
	} else {
		wantRefused(t, tx, store.ErrTxTooLarge)
	}
	wantErr(t, "a transaction over the limit", err, store.ErrTxTooLarge)
	tx.Discard()
	wantStore(t, s, "a=1")
	fill(t, s, "a=2")
}
