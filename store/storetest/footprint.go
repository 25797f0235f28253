package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/kivisdb/kivis/store"
)

var footprintTests = []test{
	{"Reads", testFootprintReads, 0},
	{"Unrecorded", testFootprintUnrecorded, 0},
	{"Bounded", testFootprintBounded, 0},
	{"Writer", testFootprintWriter, 0},
}

// record begins a read-only transaction that notes what it reads.
func record(t testing.TB, s store.Store) (store.Tx, store.Recorder) {
	t.Helper()
	tx := begin(t, s, false)
	r, ok := tx.(store.Recorder)
	if !ok {
		t.Skip("transactions are no store.Recorder")
	}
	r.Record()
	return tx, r
}

// covers says whether key is in one of ranges, which must ascend and be disjoint.
func covers(t testing.TB, ranges []store.Range, key string) bool {
	t.Helper()
	found := false
	for i, r := range ranges {
		if r.Hi != nil && bytes.Compare(r.Lo, r.Hi) >= 0 {
			t.Fatalf("range %v of a footprint is empty", show(r))
		}
		if i > 0 && (ranges[i-1].Hi == nil || bytes.Compare(ranges[i-1].Hi, r.Lo) > 0) {
			t.Fatalf("range %v of a footprint comes after %v", show(r), show(ranges[i-1]))
		}
		found = found || bytes.Compare([]byte(key), r.Lo) >= 0 && (r.Hi == nil || bytes.Compare([]byte(key), r.Hi) < 0)
	}
	return found
}

// testFootprintReads has each way to read note what it has read, and no more.
func testFootprintReads(t *testing.T, h *harness) {
	for _, test := range []struct {
		name    string
		read    func(t *testing.T, tx store.Tx)
		in, out []string
	}{
		{"nothing", func(*testing.T, store.Tx) {}, nil, []string{"", "a", "b"}},
		{"get", func(t *testing.T, tx store.Tx) { get(t, tx, "b"); get(t, tx, "absent") },
			[]string{"b", "absent"}, []string{"a", "b\x00", "absen", "c"}},
		{"get of the empty key", func(t *testing.T, tx store.Tx) { get(t, tx, "") }, []string{""}, []string{"\x00", "a"}},
		{"get many", func(t *testing.T, tx store.Tx) {
			if err := tx.GetMany([][]byte{[]byte("c"), []byte("absent")}, make([][]byte, 2)); err != nil {
				t.Fatal(err)
			}
		}, []string{"c", "absent"}, []string{"a", "b", "d"}},
		{"scan to the end", func(t *testing.T, tx store.Tx) { scan(t, tx, span("b", "d")) },
			[]string{"b", "bb", "c", "cz"}, []string{"a", "az", "d"}},
		{"scan of an empty range", func(t *testing.T, tx store.Tx) { scan(t, tx, span("ba", "bb")) },
			[]string{"ba", "baa"}, []string{"b", "bb"}},
		{"scan broken off", func(t *testing.T, tx store.Tx) { open(t, tx, from("b")).Next() },
			[]string{"b"}, []string{"a", "b\x00", "c"}},
		{"scan broken off later", func(t *testing.T, tx store.Tx) {
			c := open(t, tx, from("a"))
			c.Next()
			c.Next()
			c.Close()
		}, []string{"a", "ab", "b"}, []string{"", "b\x00", "c"}},
		{"scan that is not begun", func(t *testing.T, tx store.Tx) { open(t, tx, from("a")) }, nil, []string{"a", "b"}},
		{"reverse", func(t *testing.T, tx store.Tx) { open(t, tx, down(span("a", "d"))).Next() },
			[]string{"c", "cz"}, []string{"b", "bz", "d"}},
		{"seek", func(t *testing.T, tx store.Tx) {
			c := open(t, tx, from("a"))
			c.Next()
			c.Seek([]byte("ca"))
		}, []string{"a", "ca", "d"}, []string{"b", "c", "d\x00"}},
		{"count", func(t *testing.T, tx store.Tx) {
			if _, err := store.Count(tx, span("b", "cc")); err != nil {
				t.Fatal(err)
			}
		}, []string{"b", "c", "cb"}, []string{"a", "cc"}},
		{"guard", func(t *testing.T, tx store.Tx) {
			if err := tx.Guard([]byte("b"), []byte("c")); err != nil {
				t.Fatal(err)
			}
		}, []string{"b", "bb"}, []string{"a", "c"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := h.filled(t, "a=1", "b=2", "c=3", "d=4", "e=5")
			tx, r := record(t, s)
			test.read(t, tx)
			wantCovered(t, r.Footprint(), test.in, test.out)
			tx.Discard()
			if !covers(t, r.Footprint(), "anything") {
				t.Error("the footprint of a transaction that has ended is not everything")
			}
		})
	}
}

// wantCovered checks which keys are in a footprint, and which are not.
func wantCovered(t testing.TB, got []store.Range, in, out []string) {
	t.Helper()
	for _, key := range in {
		if !covers(t, got, key) {
			t.Errorf("%q was read and is not in the footprint", key)
		}
	}
	for _, key := range out {
		if covers(t, got, key) {
			t.Errorf("%q was not read and is in the footprint", key)
		}
	}
}

func testFootprintUnrecorded(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	record(t, s)
	tx := begin(t, s, false)
	get(t, tx, "a")
	if !covers(t, store.Footprint(tx), "anything") {
		t.Error("the footprint of a transaction that was not told to record is not everything")
	}
}

// testFootprintBounded reads far more keys than a footprint has ranges: none may
// be lost, and none be added that lies far from all.
func testFootprintBounded(t *testing.T, h *harness) {
	s := h.new(t)
	tx, r := record(t, s)
	rnd, seed := random(t)
	var keys []string
	for range 20_000 {
		keys = append(keys, fmt.Sprintf("t%d/%06d", 2*rnd.IntN(4), rnd.IntN(1e6)))
	}
	for chunk := range slices.Chunk(keys, 100) {
		var read [][]byte
		for _, key := range chunk {
			read = append(read, []byte(key))
		}
		if err := tx.GetMany(read, make([][]byte, len(read))); err != nil {
			t.Fatal(err)
		}
	}
	got := r.Footprint()
	if len(got) > 1000 {
		t.Errorf("seed %d: a footprint of %d ranges", seed, len(got))
	}
	for range 1000 {
		if key := keys[rnd.IntN(len(keys))]; !covers(t, got, key) {
			t.Fatalf("seed %d: %q was read and is not in the footprint", seed, key)
		}
	}
	for _, key := range []string{"", "t", "t1/500000", "t7", "u"} {
		if covers(t, got, key) {
			t.Errorf("seed %d: %q is in the footprint, far from everything that was read", seed, key)
		}
	}
}

// testFootprintWriter: a write transaction always notes what it reads, but for
// its own writes.
func testFootprintWriter(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "b=2", "c=3")
	record(t, s)
	tx := begin(t, s, true)
	write(t, tx, "a=2")
	get(t, tx, "a")
	get(t, tx, "b")
	got := store.Footprint(tx)
	for key, want := range map[string]bool{"a": false, "b": true, "c": false} {
		if covers(t, got, key) != want {
			t.Errorf("%q in the footprint of a write transaction: %v, want %v", key, !want, want)
		}
	}
	commit(t, tx)
}
