package tikvstore

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/kivisdb/kivis/store"
)

// body puts the parts of a record together, as the log's reader does.
func body(parts [][]byte) (b []byte) {
	for _, part := range parts {
		b = append(b, part[4:]...)
	}
	return b
}

// TestRecord reads what it writes, in one part and in several.
func TestRecord(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for _, n := range []int{0, 1, 3, 100, 600_000} {
		want := &record{version: 7, start: rnd.Uint64()}
		for i := range want.id {
			want.id[i] = byte(rnd.Uint32())
		}
		key := []byte{}
		for i := range n {
			key = append(bytes.Clone(key[:rnd.IntN(len(key)+1)]), byte(i), byte(rnd.Uint32()))
			want.writes = append(want.writes, store.Write{Key: key, Deleted: i%3 == 0, Created: i%3 == 1})
		}
		parts := want.encode()
		if n == 600_000 && len(parts) < 2 {
			t.Errorf("%d writes make %d parts", n, len(parts))
		}
		if count, start, err := decodeHeader(parts[0]); count != len(parts) || start != want.start || err != nil {
			t.Errorf("the header says %d parts from %d, %v; want %d from %d", count, start, err, len(parts), want.start)
		}
		got, err := decode(7, body(parts))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("a record of %d writes is read as another, error %v", n, err)
		}
	}
}

// TestRecordBytes is what is in clusters.
func TestRecordBytes(t *testing.T) {
	r := &record{id: [16]byte{15: 1}, start: 2, writes: []store.Write{{Key: []byte("ab")}, {Key: []byte("ac"), Created: true}, {Key: nil, Deleted: true}}}
	const want = "00000001" + "00000000000000000000000000000001" + "0000000000000002" + "00000003" + "00" + "00" + "02" + "6162" + "02" + "01" + "01" + "63" + "01" + "00" + "00"
	if got := hex.EncodeToString(r.encode()[0]); got != want {
		t.Errorf("a record is written as %s, want %s", got, want)
	}
	st := state{boundary: 1, since: 2, dropped: 3}
	if got, want := hex.EncodeToString(st.encode()), "01"+"0000000000000001"+"0000000000000002"+"0000000000000003"; got != want {
		t.Errorf("a state is written as %s, want %s", got, want)
	}
	if got, err := decodeState(st.encode()); got != st || err != nil {
		t.Errorf("a state is read as %+v, %v", got, err)
	}
}

// FuzzRecord: whatever is in the log, it is read or is damaged.
func FuzzRecord(f *testing.F) {
	r := &record{writes: []store.Write{{Key: []byte("ab")}, {Key: []byte("ac"), Deleted: true}}}
	f.Add(body(r.encode()))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decode(1, b)
		if err != nil {
			if !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("error %v, want ErrCorrupt", err)
			}
			return
		}
		again, err := decode(1, body(r.encode()))
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Errorf("what was read is written as another, error %v", err)
		}
	})
}

// TestState: a newer release's store, and a damaged one, are refused.
func TestState(t *testing.T) {
	for _, b := range [][]byte{{format + 1}, {format}, append((&state{}).encode(), 0)} {
		if _, err := decodeState(b); err == nil {
			t.Errorf("%x is read as a state", b)
		}
	}
	if _, err := decodeHead([]byte{1}); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("a head of one byte: %v, want ErrCorrupt", err)
	}
}

// TestTouches compares with looking at each range.
func TestTouches(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	key := func() []byte { return []byte{byte('a' + rnd.IntN(8)), byte('a' + rnd.IntN(3))} }
	for range 5000 {
		var ranges []store.Range
		for _, lo := range []string{"", "b", "d", "f"} {
			if rnd.IntN(2) == 0 {
				ranges = append(ranges, store.Range{Lo: []byte(lo), Hi: append([]byte(lo), 'b')})
			}
		}
		if rnd.IntN(3) == 0 {
			ranges = append(ranges, store.Range{Lo: []byte("g")})
		}
		w := store.Write{Key: key()}
		want := false
		for _, r := range ranges {
			want = want || bytes.Compare(w.Key, r.Lo) >= 0 && (r.Hi == nil || bytes.Compare(w.Key, r.Hi) < 0)
		}
		if got := touches([]store.Write{w}, ranges); got != want {
			t.Fatalf("a write of %q touches %v: %v, want %v", w.Key, ranges, got, want)
		}
	}
}
