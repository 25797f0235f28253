package occ

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// covers says whether f holds key.
func covers(f *Footprint, key string) bool {
	for lo, hi := range f.All() {
		if key >= string(lo) && (hi == nil || key < string(hi)) {
			return true
		}
	}
	return false
}

// randomKey returns a short key over an alphabet with few, extreme letters.
func randomKey(rnd *rand.Rand) []byte {
	key := make([]byte, rnd.IntN(4))
	for i := range key {
		key[i] = "\x00\x01ab\xff"[rnd.IntN(5)]
	}
	return key
}

// probes are all keys of up to three letters of randomKey's.
func probes() []string {
	probes := []string{""}
	for from, n := 0, 0; n < 3; n++ {
		to := len(probes)
		for _, p := range probes[from:to] {
			for _, letter := range "\x00\x01ab\xff" {
				probes = append(probes, p+string(byte2(letter)))
			}
		}
		from = to
	}
	return probes
}

func byte2(r rune) []byte { return []byte{byte(r)} }

// TestFootprintMerge checks that merging neither loses nor adds a key.
func TestFootprintMerge(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	keys := probes()
	for round := range 300 {
		var f Footprint
		for range rnd.IntN(8) {
			addRandom(&f, rnd)
		}
		before := map[string]bool{}
		for _, key := range keys {
			before[key] = covers(&f, key)
		}
		g := f.merged(noJoin)
		for _, key := range keys {
			if got := covers(&g, key); got != before[key] {
				t.Fatalf("round %d: after the merge %q is covered: %v, before: %v", round, key, got, before[key])
			}
		}
		h := g.merged(g.closest())
		for _, key := range keys {
			if before[key] && !covers(&h, key) {
				t.Fatalf("round %d: %q is lost when close ranges are joined", round, key)
			}
		}
	}
}

func addRandom(f *Footprint, rnd *rand.Rand) {
	lo, hi := randomKey(rnd), randomKey(rnd)
	switch rnd.IntN(8) {
	case 0, 1, 2:
		f.AddRange(lo, hi)
	case 3:
		f.addThrough(lo, hi)
	case 4:
		if rnd.IntN(4) == 0 {
			f.AddRange(lo, nil)
		}
	default:
		f.AddKey(lo)
	}
}

func TestFootprintThrough(t *testing.T) {
	var f Footprint
	f.addThrough([]byte("b"), []byte("d"))
	for key, want := range map[string]bool{"a": false, "b": true, "d": true, "d\x00": false} {
		if got := covers(&f, key); got != want {
			t.Errorf("%q is covered: %v, want %v", key, got, want)
		}
	}
}

// TestFootprintBounded adds more than fits: what was added must stay covered,
// and what lies far from it must not become so.
func TestFootprintBounded(t *testing.T) {
	var f Footprint
	const n = 5 * maxSpans
	for i := range n {
		f.AddKey(fmt.Appendf(nil, "table-a/%08d", i*7))
		f.AddKey(fmt.Appendf(nil, "table-c/%08d", i*7))
		if len(f.spans) > maxSpans || len(f.arena) > maxArena+100 {
			t.Fatalf("%d spans, %d bytes", len(f.spans), len(f.arena))
		}
	}
	for i := 0; i < n; i += 997 {
		if key := fmt.Sprintf("table-a/%08d", i*7); !covers(&f, key) {
			t.Fatalf("%q is lost", key)
		}
	}
	for _, key := range []string{"", "table", "table-b/00000000", "table-d"} {
		if covers(&f, key) {
			t.Errorf("%q is covered, far from everything that was read", key)
		}
	}
}

func TestFootprintHugeKeys(t *testing.T) {
	var f Footprint
	key := bytes.Repeat([]byte("k"), 1<<20)
	for i := range 20 {
		key[0] = byte(i)
		f.AddKey(key)
		if len(f.arena) > maxArena+len(key) {
			t.Fatalf("%d bytes", len(f.arena))
		}
	}
	for i := range 20 {
		key[0] = byte(i)
		if !covers(&f, string(key)) {
			t.Errorf("key %d is lost", i)
		}
	}
}

func TestFootprintRepeats(t *testing.T) {
	var f Footprint
	for range 10 {
		f.AddKey([]byte("a"))
	}
	if f.Len() != 1 {
		t.Errorf("one key takes %d spans", f.Len())
	}
	f.AddRange([]byte("b"), []byte("a"))
	f.AddRange([]byte("a"), []byte("a"))
	if f.Len() != 1 {
		t.Errorf("inverted and empty ranges take %d spans", f.Len()-1)
	}
}
