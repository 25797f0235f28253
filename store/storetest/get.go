package storetest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/kivisdb/kivis/store"
)

var getTests = []test{
	{"Absent", testGetAbsent, 0},
	{"Present", testGetPresent, 0},
	{"Empty", testGetEmpty, 0},
	{"AnyBytes", testGetAnyBytes, 0},
	{"Overwritten", testGetOverwritten, 0},
	{"Deleted", testGetDeleted, 0},
	{"Many", testGetMany, 0},
	{"ManyOwnWrites", testGetManyOwnWrites, 0},
	{"ManyLengths", testGetManyLengths, 0},
	{"CallerReusesBuffers", testCallerReusesBuffers, 0},
	{"ValuesStay", testValuesStay, 0},
}

func testGetAbsent(t *testing.T, h *harness) {
	s := h.filled(t, "b=1")
	for _, write := range []bool{false, true} {
		tx := begin(t, s, write)
		for _, key := range []string{"", "a", "b\x00", "bb", "c"} {
			wantGet(t, tx, key, absent)
		}
		tx.Discard()
	}
}

func testGetPresent(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "b=2")
	for _, write := range []bool{false, true} {
		tx := begin(t, s, write)
		wantGet(t, tx, "a", "1")
		wantGet(t, tx, "b", "2")
		tx.Discard()
	}
}

func testGetEmpty(t *testing.T, h *harness) {
	s := h.new(t)
	tx := begin(t, s, true)
	if err := tx.Set(nil, nil); err != nil {
		t.Fatalf("Set(nil, nil): %v", err)
	}
	write(t, tx, "a=")
	for _, own := range []bool{true, false} {
		for _, key := range [][]byte{nil, {}, []byte("a")} {
			value, err := tx.Get(key)
			if err != nil || value == nil || len(value) != 0 {
				t.Errorf("own writes %v: Get(%q) = %#v, %v; want an empty value that is not nil", own, key, value, err)
			}
		}
		wantScan(t, tx, store.Range{}, "=", "a=")
		if own {
			commit(t, tx)
			tx = begin(t, s, false)
		}
	}
	tx.Discard()
	fill(t, s, "")
	wantStore(t, s, "a=")
}

func testGetAnyBytes(t *testing.T, h *harness) {
	s := h.new(t)
	keys := []string{"\x00", "\x00\x00", "\x00\xff", "!badger!x", "\x7f", "\x80", "\xff", "\xff\xff", "\xff\xff\xff\xff\xff\xff\xff\xff\xff"}
	tx := begin(t, s, true)
	for _, key := range keys {
		if err := tx.Set([]byte(key), []byte(key)); err != nil {
			t.Fatalf("Set(%q): %v", key, err)
		}
	}
	commit(t, tx)
	tx = begin(t, s, false)
	for _, key := range keys {
		wantGet(t, tx, key, key)
	}
	c := open(t, tx, store.Range{})
	for i := 0; c.Next(); i++ {
		if i >= len(keys) || string(c.Key()) != keys[i] || string(c.Value()) != keys[i] {
			t.Errorf("entry %d is %q=%q", i, c.Key(), c.Value())
		}
	}
}

func testGetOverwritten(t *testing.T, h *harness) {
	s := h.filled(t, "a=1")
	fill(t, s, "a=2", "a=three")
	wantStore(t, s, "a=three")
	fill(t, s, "a=4")
	wantStore(t, s, "a=4")
}

func testGetDeleted(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "b=2", "c=3")
	fill(t, s, "b", "absent")
	wantStore(t, s, "a=1", "c=3")
	fill(t, s, "a", "a=5", "c=6", "c")
	wantStore(t, s, "a=5")
}

// getMany returns the values of keys as get does.
func getMany(t testing.TB, tx store.Tx, keys ...string) []string {
	t.Helper()
	in, out := make([][]byte, len(keys)), make([][]byte, len(keys))
	for i, key := range keys {
		in[i], out[i] = []byte(key), []byte("left over")
	}
	if err := tx.GetMany(in, out); err != nil {
		t.Fatalf("GetMany(%q): %v", keys, err)
	}
	got := make([]string, len(keys))
	for i, value := range out {
		got[i] = string(value)
		if value == nil {
			got[i] = absent
		}
	}
	return got
}

func wantMany(t testing.TB, tx store.Tx, keys, want []string) {
	t.Helper()
	got := getMany(t, tx, keys...)
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("GetMany(%q)[%d] = %q, want %q", keys, i, got[i], want[i])
		}
	}
}

func testGetMany(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "b=", "c=3")
	for _, write := range []bool{false, true} {
		tx := begin(t, s, write)
		wantMany(t, tx, []string{"c", "x", "b", "a", "", "c"}, []string{"3", absent, "", "1", absent, "3"})
		wantMany(t, tx, nil, nil)
		tx.Discard()
	}
}

func testGetManyOwnWrites(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "b=2", "c=3")
	tx := begin(t, s, true)
	write(t, tx, "b", "c=33", "d=4", "e=")
	wantMany(t, tx, []string{"a", "b", "c", "d", "e", "f"}, []string{"1", absent, "33", "4", "", absent})
	wantMany(t, tx, []string{"d"}, []string{"4"})
}

func testGetManyLengths(t *testing.T, h *harness) {
	tx := begin(t, h.filled(t, "a=1"), false)
	if err := tx.GetMany([][]byte{[]byte("a")}, nil); err == nil {
		t.Error("GetMany of one key into no values: no error")
	}
	wantGet(t, tx, "a", "1")
}

// testCallerReusesBuffers overwrites each argument after the call.
func testCallerReusesBuffers(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "k=2", "z=3")
	tx := begin(t, s, true)
	buf := make([]byte, 1)
	use := func(key byte, call func(key []byte) error) {
		t.Helper()
		buf[0] = key
		if err := call(buf); err != nil {
			t.Fatalf("%q: %v", key, err)
		}
		buf[0] = 'x'
	}
	var c store.Cursor
	use('b', func(key []byte) error { return tx.Set(key, key) })
	use('a', func(key []byte) error { return tx.Delete(key) })
	use('k', func(key []byte) (err error) { _, err = tx.Get(key); return err })
	use('z', func(key []byte) error { return tx.Guard(key, nil) })
	use('b', func(key []byte) (err error) { c, err = tx.Scan(store.Range{Lo: key}); return err })
	defer c.Close()
	if !c.Next() || entry(c) != "b=b" {
		t.Errorf("the scan from a reused buffer starts at %q", entry(c))
	}
	use('c', func(key []byte) error { c.Seek(key); return c.Err() })
	if entry(c) != "k=2" {
		t.Errorf("the cursor stands on %q after a Seek", entry(c))
	}
	wantScan(t, tx, store.Range{}, "b=b", "k=2", "z=3")
	c.Close()
	commit(t, tx)
	wantStore(t, s, "b=b", "k=2", "z=3")
}

// testValuesStay checks that values outlive the transaction, later writes and
// the store.
func testValuesStay(t *testing.T, h *harness) {
	s := h.filled(t, "a=one", "b=two")
	tx := begin(t, s, true)
	write(t, tx, "c=three")
	kept := map[string][]byte{}
	keep := func(name string, value []byte, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		kept[name] = value
	}
	value, err := tx.Get([]byte("a"))
	keep("one", value, err)
	value, err = tx.Get([]byte("c"))
	keep("three", value, err)
	values := make([][]byte, 1)
	keep("two", nil, tx.GetMany([][]byte{[]byte("b")}, values))
	kept["two"] = values[0]
	copies := keepAll(t, tx)
	commit(t, tx)
	fill(t, s, "a=xxx", "b=xxx", "c=xxxxx")
	fill(t, s, "a", "b", "c")
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	for want, got := range kept {
		if string(got) != want {
			t.Errorf("a value from Get was %q and is now %q", want, got)
		}
	}
	if got := bytes.Join(copies, []byte(",")); string(got) != "one,two,three" {
		t.Errorf("values from Keep are now %q", got)
	}
	if _, err := tx.Get([]byte("a")); !errors.Is(err, store.ErrTxDone) {
		t.Errorf("Get after Commit: %v", err)
	}
}

func keepAll(t testing.TB, tx store.Tx) [][]byte {
	c := open(t, tx, store.Range{})
	defer c.Close()
	var kept [][]byte
	for c.Next() {
		kept = append(kept, c.Keep())
	}
	return kept
}
