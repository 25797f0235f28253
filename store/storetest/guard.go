package storetest

import (
	"testing"

	"github.com/kivisdb/kivis/store"
)

var guardTests = []test{
	{"Conflicts", testGuardConflicts, writers},
	{"Skew", testGuardSkew, writers},
	{"OwnWrites", testGuardOwnWrites, 0},
	{"EarlierWrites", testGuardEarlierWrites, 0},
	{"AfterTheWrite", testGuardAfterTheWrite, writers},
}

func testGuardConflicts(t *testing.T, h *harness) {
	point := []byte("d")
	tests := []struct {
		name   string
		lo, hi []byte
		hits   []string
		spare  []string
	}{
		{"Range", []byte("c"), []byte("e"), []string{"c", "d", "dd"}, []string{"b", "e", "f"}},
		{"Point", point, append(point, 0), []string{"d"}, []string{"c", "d\x00", "e"}},
		{"FromStart", nil, []byte("c"), []string{"", "a", "b"}, []string{"c", "d"}},
		{"ToEnd", []byte("e"), nil, []string{"e", "f", "\xff"}, []string{"d", "d\xff"}},
		{"Everything", nil, nil, []string{"", "d", "\xff\xff"}, nil},
		{"Inverted", []byte("e"), []byte("c"), nil, []string{"b", "c", "d", "e", "f"}},
		{"Empty", []byte("d"), []byte("d"), nil, []string{"c", "d", "e"}},
		{"BeforeAll", nil, []byte{}, nil, []string{"", "a"}},
	}
	for _, test := range tests {
		guard := read{test.name, func(t testing.TB, tx store.Tx) {
			if err := tx.Guard(test.lo, test.hi); err != nil {
				t.Fatalf("Guard(%q, %q): %v", test.lo, test.hi, err)
			}
		}, test.hits, test.spare}
		t.Run(test.name, func(t *testing.T) { testRead(t, h, guard) })
	}
}

// testGuardSkew guards what the other transaction writes.
func testGuardSkew(t *testing.T, h *harness) {
	s := h.new(t)
	a, b := begin(t, s, true), begin(t, s, true)
	for i, tx := range []store.Tx{a, b} {
		own, others := []string{"x", "y"}[i], []string{"y", "x"}[i]
		if err := tx.Guard([]byte(others), []byte(others+"\x00")); err != nil {
			t.Fatal(err)
		}
		write(t, tx, own+"=1")
	}
	commit(t, a)
	conflict(t, b)
	wantStore(t, s, "x=1")
}

// testGuardOwnWrites checks that a transaction does not conflict with itself.
func testGuardOwnWrites(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	tx := begin(t, s, true)
	if err := tx.Guard(nil, nil); err != nil {
		t.Fatal(err)
	}
	write(t, tx, "a=2", "b=3")
	commit(t, tx)
	wantStore(t, s, "a=2", "b=3")
}

// testGuardEarlierWrites checks that what was there before is no conflict.
func testGuardEarlierWrites(t *testing.T, h *harness) {
	s := h.new(t)
	for range 3 {
		fill(t, s, "a=1", "b=2")
		tx := begin(t, s, true)
		if err := tx.Guard(nil, nil); err != nil {
			t.Fatal(err)
		}
		write(t, tx, "c=3")
		commit(t, tx)
	}
}

// testGuardAfterTheWrite guards when the other transaction has committed: it
// counts from the snapshot on.
func testGuardAfterTheWrite(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	tx := begin(t, s, true)
	fill(t, s, "a=2")
	if err := tx.Guard([]byte("a"), []byte("b")); err != nil {
		t.Fatal(err)
	}
	write(t, tx, "c=3")
	conflict(t, tx)
}
