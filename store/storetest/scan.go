package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/kivisdb/kivis/store"
)

var scanTests = []test{
	{"Ranges", testScanRanges, 0},
	{"Nothing", testScanNothing, 0},
	{"Long", testScanLong, 0},
	{"KeysOnly", testScanKeysOnly, 0},
	{"Seek", testSeek, 0},
	{"SeekRandom", testSeekRandom, 0},
	{"EndStays", testScanEndStays, 0},
	{"Nested", testScanNested, 0},
	{"Keep", testScanKeep, 0},
	{"KeyAndValueUntilMove", testScanUntilMove, 0},
	{"Closed", testScanClosed, 0},
	{"Count", testScanCount, 0},
}

// inRange returns the pairs of sorted ones that r holds, in its direction.
func inRange(pairs []string, r store.Range) []string {
	var want []string
	for _, pair := range pairs {
		key := keyOf(pair)
		if key >= string(r.Lo) && (r.Hi == nil || key < string(r.Hi)) {
			want = append(want, pair)
		}
	}
	if r.Reverse {
		slices.Reverse(want)
	}
	return want
}

func keyOf(pair string) string {
	for i := range pair {
		if pair[i] == '=' {
			return pair[:i]
		}
	}
	return pair
}

// bounds are keys at, before, between and after those of a small store.
var bounds = []string{"", "\x00", "a", "b", "b\x00", "bb", "c", "d", "d\xff", "e", "f", "g", "\xff"}

// eachRange calls f for every range between bounds, open ones included.
func eachRange(f func(r store.Range)) {
	for _, reverse := range []bool{false, true} {
		for _, lo := range bounds {
			for _, hi := range bounds {
				f(store.Range{Lo: []byte(lo), Hi: []byte(hi), Reverse: reverse})
			}
			f(store.Range{Lo: []byte(lo), Reverse: reverse})
		}
		f(store.Range{Reverse: reverse})
	}
}

func testScanRanges(t *testing.T, h *harness) {
	pairs := []string{"b=1", "bb=2", "d=3", "f=4"}
	s := h.filled(t, pairs...)
	ro, rw, own := begin(t, s, false), begin(t, s, true), begin(t, h.new(t), true)
	write(t, own, pairs...)
	eachRange(func(r store.Range) {
		want := inRange(pairs, r)
		wantScan(t, ro, r, want...)
		wantScan(t, rw, r, want...)
		wantScan(t, own, r, want...)
	})
}

func testScanNothing(t *testing.T, h *harness) {
	s := h.new(t)
	for _, write := range []bool{false, true} {
		tx := begin(t, s, write)
		wantScan(t, tx, store.Range{})
		wantScan(t, tx, down(store.Range{}))
		c := open(t, tx, store.Range{})
		if c.Seek([]byte("a")) {
			t.Error("Seek in an empty store found something")
		}
		tx.Discard()
	}
}

func testScanLong(t *testing.T, h *harness) {
	pairs := numbered(3000)
	s := h.filled(t, pairs...)
	tx := begin(t, s, false)
	for _, r := range []store.Range{{}, span("000007", "002983"), from("001500")} {
		wantScan(t, tx, r, inRange(pairs, r)...)
		wantScan(t, tx, down(r), inRange(pairs, down(r))...)
	}
}

func testScanKeysOnly(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "b=", "c=3")
	tx := begin(t, s, true)
	write(t, tx, "b", "d=4")
	for _, r := range []store.Range{{KeysOnly: true}, {KeysOnly: true, Reverse: true}} {
		want := inRange([]string{"a", "c", "d"}, r)
		wantScan(t, tx, r, want...) // an entry without "=" has a nil Value
		c := open(t, tx, r)
		for c.Next() {
			if kept := c.Keep(); kept != nil {
				t.Errorf("Keep of %q in a scan of keys = %q, want nil", c.Key(), kept)
			}
		}
		c.Close()
	}
}

// testSeek lists the keys seeked, "+" being Next, and what the cursor shows
// after each, "." being the end.
func testSeek(t *testing.T, h *harness) {
	s := h.filled(t, "b=", "d=", "f=", "h=")
	tests := []struct {
		r     store.Range
		moves []string
		want  []string
	}{
		{store.Range{}, []string{"d"}, []string{"d"}},
		{store.Range{}, []string{"c"}, []string{"d"}},
		{store.Range{}, []string{""}, []string{"b"}},
		{store.Range{}, []string{"a", "+"}, []string{"b", "d"}},
		{store.Range{}, []string{"i", "+"}, []string{".", "."}},
		{store.Range{}, []string{"+", "f", "+"}, []string{"b", "f", "h"}},
		{store.Range{}, []string{"f", "c"}, []string{"f", "h"}}, // never back
		{store.Range{}, []string{"d", "d"}, []string{"d", "f"}}, // the current key is passed
		{store.Range{}, []string{"h", "a", "b"}, []string{"h", ".", "."}},
		{span("c", "g"), []string{"a"}, []string{"d"}},
		{span("c", "g"), []string{"g"}, []string{"."}},
		{span("c", "g"), []string{"f", "h"}, []string{"f", "."}},
		{span("c", "g"), []string{"z", "d"}, []string{".", "."}},
		{down(store.Range{}), []string{"d"}, []string{"d"}},
		{down(store.Range{}), []string{"e"}, []string{"d"}},
		{down(store.Range{}), []string{"z", "+"}, []string{"h", "f"}},
		{down(store.Range{}), []string{"a", "+"}, []string{".", "."}},
		{down(store.Range{}), []string{"+", "d", "+"}, []string{"h", "d", "b"}},
		{down(store.Range{}), []string{"d", "g"}, []string{"d", "b"}},
		{down(store.Range{}), []string{"d", "d"}, []string{"d", "b"}},
		{down(span("c", "g")), []string{"z"}, []string{"f"}},
		{down(span("c", "g")), []string{"g"}, []string{"f"}},
		{down(span("c", "g")), []string{"b"}, []string{"."}},
		{down(span("d", "f")), []string{"f"}, []string{"d"}},
		{down(span("c", "g")), []string{"f", "d", "a"}, []string{"f", "d", "."}},
	}
	plain, own := begin(t, s, false), begin(t, h.filled(t, "b=", "e=", "f="), true)
	write(t, own, "d=", "e", "f=", "h=") // the same entries, from both sides
	for _, test := range tests {
		for _, tx := range []store.Tx{plain, own} {
			if got := moves(t, tx, test.r, test.moves); !slices.Equal(got, test.want) {
				t.Errorf("%v: moves %q show %q, want %q", show(test.r), test.moves, got, test.want)
			}
		}
	}
}

// moves returns the key a cursor over r shows after each move, "." at the end.
func moves(t testing.TB, tx store.Tx, r store.Range, moves []string) []string {
	c := open(t, tx, r)
	defer c.Close()
	var got []string
	for _, move := range moves {
		ok := false
		if move == "+" {
			ok = c.Next()
		} else {
			ok = c.Seek([]byte(move))
		}
		if ok {
			got = append(got, string(c.Key()))
		} else {
			got = append(got, ".")
		}
	}
	if err := c.Err(); err != nil {
		t.Errorf("cursor: %v", err)
	}
	return got
}

func testSeekRandom(t *testing.T, h *harness) {
	rnd, seed := random(t)
	pairs := numbered(2000)
	s := h.filled(t, pairs...)
	tx := begin(t, s, true)
	write(t, tx, "000100", "000500=v500", "001999=v1999")
	pairs = slices.DeleteFunc(pairs, func(p string) bool { return keyOf(p) == "000100" })
	for range 200 {
		r := store.Range{Reverse: rnd.IntN(2) == 0}
		c := open(t, tx, r)
		left := inRange(pairs, r)
		for range 20 {
			var key string
			ok := false
			if rnd.IntN(3) == 0 {
				ok = c.Next()
			} else {
				key = fmt.Sprintf("%06d", rnd.IntN(2100))
				ok = c.Seek([]byte(key))
				left = seekIn(left, key, r.Reverse)
			}
			if ok != (len(left) > 0) || ok && entry(c) != left[0] {
				t.Fatalf("seed %d: %v at %q: %v %q, want the first of %.3q", seed, show(r), key, ok, entry(c), left)
			}
			left = left[min(1, len(left)):]
		}
		c.Close()
	}
}

// seekIn returns what is left of pairs from key on, in the scan's direction.
func seekIn(pairs []string, key string, reverse bool) []string {
	for len(pairs) > 0 {
		k := keyOf(pairs[0])
		if k == key || (k > key) != reverse {
			break
		}
		pairs = pairs[1:]
	}
	return pairs
}

func testScanEndStays(t *testing.T, h *harness) {
	tx := begin(t, h.filled(t, "a=1"), false)
	for _, r := range []store.Range{{}, {Reverse: true}, span("x", "y"), span("y", "x")} {
		c := open(t, tx, r)
		for c.Next() {
		}
		if c.Next() || c.Seek([]byte("a")) || c.Next() {
			t.Errorf("%v: the cursor moved beyond the end", show(r))
		}
		if err := c.Err(); err != nil {
			t.Errorf("%v: error at the natural end: %v", show(r), err)
		}
		c.Close()
		if err := c.Err(); err != nil {
			t.Errorf("%v: error after the natural end and Close: %v", show(r), err)
		}
	}
}

// testScanNested has three cursors on a write transaction at a time.
func testScanNested(t *testing.T, h *harness) {
	s := h.filled(t, "a=1", "b=2")
	tx := begin(t, s, true)
	write(t, tx, "c=3", "a=4")
	want := []string{"a=4", "b=2", "c=3"}
	outer := open(t, tx, store.Range{})
	for i := 0; outer.Next(); i++ {
		middle := open(t, tx, down(store.Range{}))
		for j := len(want) - 1; middle.Next(); j-- {
			wantScan(t, tx, store.Range{}, want...)
			if entry(middle) != want[j] || entry(outer) != want[i] {
				t.Errorf("middle shows %q, outer %q; want %q and %q", entry(middle), entry(outer), want[j], want[i])
			}
		}
		middle.Close()
	}
}

func testScanKeep(t *testing.T, h *harness) {
	pairs := numbered(600)
	tx := begin(t, h.filled(t, pairs...), true)
	write(t, tx, "000300=own")
	pairs[300] = "000300=own"
	var keys []string
	c := open(t, tx, store.Range{})
	var kept [][]byte
	for c.Next() {
		keys = append(keys, string(c.Key()))
		kept = append(kept, c.Keep())
	}
	c.Close()
	tx.Discard()
	for i, pair := range pairs {
		if got := keys[i] + "=" + string(kept[i]); got != pair {
			t.Fatalf("kept %q, want %q", got, pair)
		}
	}
}

// testScanUntilMove checks that other calls leave a cursor's bytes alone.
func testScanUntilMove(t *testing.T, h *harness) {
	tx := begin(t, h.filled(t, "a=1", "b=2", "c=3"), true)
	write(t, tx, "d=4")
	c := open(t, tx, from("b"))
	c.Next()
	key, value := c.Key(), c.Value()
	other := open(t, tx, store.Range{})
	other.Next()
	get(t, tx, "c")
	write(t, tx, "b=22", "b")
	other.Close()
	if string(key) != "b" || string(value) != "2" || entry(c) != "b=2" {
		t.Errorf("the current entry became %q=%q, and %q", key, value, entry(c))
	}
}

func testScanClosed(t *testing.T, h *harness) {
	tx := begin(t, h.filled(t, "a=1", "b=2"), false)
	c := open(t, tx, store.Range{})
	c.Next()
	c.Close()
	c.Close()
	if c.Next() || c.Seek([]byte("b")) {
		t.Error("a closed cursor moves")
	}
	wantErr(t, "Err of a closed cursor that was moved", c.Err(), store.ErrTxDone)
	wantScan(t, tx, store.Range{}, "a=1", "b=2")
}

func testScanCount(t *testing.T, h *harness) {
	pairs := []string{"b=1", "bb=2", "d=3", "f=4"}
	ro := begin(t, h.filled(t, pairs...), false)
	rw := begin(t, h.filled(t, "b=0", "d=3", "e=5", "f=4"), true)
	count := func(tx store.Tx, r store.Range) {
		t.Helper()
		n, err := store.Count(tx, r)
		if want := len(inRange(pairs, r)); n != want || err != nil {
			t.Errorf("Count(%v) = %d, %v; want %d", show(r), n, err, want)
		}
	}
	write(t, rw, "b=1", "bb=2", "e")
	eachRange(func(r store.Range) {
		count(ro, r)
		count(rw, r)
	})
}
