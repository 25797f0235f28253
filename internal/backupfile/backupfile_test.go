package backupfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/store"
)

// state is what a store holds.
type state map[string]string

// write returns the file of what differs between two states.
func write(t testing.TB, h Header, before, now state) ([]byte, Info) {
	t.Helper()
	var buf bytes.Buffer
	w := NewWriter(&buf, h)
	all := maps.Clone(now)
	if all == nil {
		all = state{}
	}
	maps.Copy(all, before)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		value, there := now[key]
		old, was := before[key]
		var err error
		switch {
		case there && was && old == value:
		case there:
			err = w.Set([]byte(key), []byte(value))
		default:
			err = w.Delete([]byte(key))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	info, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes(), info
}

// randomState returns a state of about n entries, some of them long.
func randomState(r *rand.Rand, n int) state {
	s := make(state)
	for range n {
		key := fmt.Sprintf("%0*d", 1+r.IntN(6), r.IntN(max(n, 1)))
		switch r.IntN(60) {
		case 0:
			key += strings.Repeat("k", r.IntN(5000))
		case 1:
			s[key] = string(noise(r, r.IntN(5*blockSize)))
			continue
		}
		s[key] = string(noise(r, r.IntN(60)))
	}
	return s
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// changed returns a state that differs in some entries.
func changed(r *rand.Rand, s state) state {
	next := maps.Clone(s)
	for key := range s {
		switch r.IntN(8) {
		case 0:
			delete(next, key)
		case 1:
			next[key] = fmt.Sprint("new", r.IntN(100))
		}
	}
	maps.Copy(next, randomState(r, len(s)/8))
	return next
}

func sortedEntries(s state, r store.Range) []string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if key >= string(r.Lo) && (r.Hi == nil || key < string(r.Hi)) {
			all = append(all, key+"="+s[key])
		}
	}
	if r.Reverse {
		slices.Reverse(all)
	}
	return all
}

// TestChain holds random backups with up to three increments against the state
// that they are of.
func TestChain(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := randomState(r, []int{0, 1, 20, 3000}[r.IntN(4)])
		data, info := write(t, Header{Version: 1}, nil, s)
		files := []io.ReaderAt{bytes.NewReader(data)}
		for i := range r.IntN(4) {
			next := changed(r, s)
			data, info = write(t, Header{Version: uint64(2 + i), Previous: info.Hash}, s, next)
			files, s = append(files, bytes.NewReader(data)), next
		}
		c, err := OpenChain(files[0], files[1:]...)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := c.Verify(context.Background(), nil); err != nil {
			t.Errorf("seed %d: Verify: %v", seed, err)
		}
		wantChain(t, seed, r, c, s)
	}
}

func wantChain(t *testing.T, seed uint64, r *rand.Rand, c *Chain, s state) {
	t.Helper()
	keys := slices.Sorted(maps.Keys(s))
	some := func() []byte {
		if len(keys) == 0 || r.IntN(6) == 0 {
			return fmt.Append(nil, r.IntN(3000))
		}
		return []byte(keys[r.IntN(len(keys))])
	}
	for i := range 12 {
		rg := store.Range{Reverse: i%2 == 1}
		if i > 1 {
			rg.Lo, rg.Hi = some(), some()
		}
		want := sortedEntries(s, rg)
		cur := c.Scan(rg)
		var got []string
		for cur.Next() {
			got = append(got, string(cur.Key())+"="+string(cur.Value()))
		}
		if cur.Err() != nil || !slices.Equal(got, want) {
			t.Fatalf("seed %d: Scan(%.20q to %.20q, reverse %v) = %d entries, %v; want %d", seed, rg.Lo, rg.Hi, rg.Reverse, len(got), cur.Err(), len(want))
		}
		if n, err := c.Count(rg); n != len(want) || err != nil {
			t.Errorf("seed %d: Count = %d, %v; want %d", seed, n, err, len(want))
		}
	}
	for range 200 {
		key := some()
		want, there := s[string(key)]
		got, err := c.Get(key)
		if there != (err == nil) || string(got) != want || !there && !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("seed %d: Get(%.20q) = %.20q, %v; want %.20q, %v", seed, key, got, err, want, there)
		}
	}
}

// TestSameBytes has one state always give one file.
func TestSameBytes(t *testing.T) {
	s := randomState(rand.New(rand.NewPCG(1, 1)), 5000)
	a, _ := write(t, Header{Version: 3}, nil, s)
	b, _ := write(t, Header{Version: 3}, nil, s)
	if !bytes.Equal(a, b) {
		t.Error("two files of the same entries differ")
	}
}

// TestEveryByte changes each byte of a file in turn, and cuts and lengthens it:
// Verify, if not Open, refuses each.
func TestEveryByte(t *testing.T) {
	s := state{"long": string(noise(rand.New(rand.NewPCG(1, 1)), 2*blockSize+5)), "": "x"}
	for i := range 40 {
		s[fmt.Sprint("k", i)] = strings.Repeat("v", i)
	}
	good, _ := write(t, Header{Version: 3}, nil, s)
	refused := func(what string, data []byte) {
		t.Helper()
		f, err := Open(bytes.NewReader(data))
		if err == nil {
			err = f.Verify(context.Background(), nil)
		}
		if !errors.Is(err, store.ErrCorrupt) && !errors.Is(err, ErrNewer) {
			t.Errorf("%s: %v, want ErrCorrupt", what, err)
		}
	}
	bad := bytes.Clone(good)
	for i := range bad {
		if i > 3000 && i < len(bad)-3000 && i%97 != 0 {
			continue
		}
		bad[i] ^= 1 << (i % 8)
		refused(fmt.Sprint("byte ", i, " changed"), bad)
		bad[i] = good[i]
	}
	for _, n := range []int{0, 1, headerSize - 1, headerSize, headerSize + footerSize, len(good) / 2, len(good) - footerSize, len(good) - 1} {
		refused(fmt.Sprint("cut to ", n), good[:n])
	}
	refused("a byte more", append(bytes.Clone(good), 0))
	refused("the file twice", append(bytes.Clone(good), good...))
}

// TestIndexLevels has keys so long that the index has many levels: a block has
// two children, however long their keys are.
func TestIndexLevels(t *testing.T) {
	var buf bytes.Buffer
	w := NewWriter(&buf, Header{Version: 1})
	r := rand.New(rand.NewPCG(1, 1))
	const n = 200
	for i := range n {
		if err := w.Set(append(fmt.Appendf(nil, "%06d", i), noise(r, maxKey-6)...), nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := Open(bytes.NewReader(buf.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.foot.levels, 8; got != want { // 2^8 >= 200
		t.Errorf("the index has %d levels, want %d", got, want)
	}
	if err := f.Verify(context.Background(), nil); err != nil {
		t.Error(err)
	}
	c := &Chain{[]*File{f}}
	for _, reverse := range []bool{false, true} {
		count := 0
		cur := c.Scan(store.Range{Reverse: reverse})
		for cur.Next() {
			count++
		}
		if count != n || cur.Err() != nil {
			t.Errorf("a scan finds %d, %v; want %d", count, cur.Err(), n)
		}
	}
	if got, err := c.Count(store.Range{Lo: []byte("000020"), Hi: []byte("000150")}); got != 130 || err != nil {
		t.Errorf("Count = %d, %v; want 130", got, err)
	}
}

func TestWriterRefuses(t *testing.T) {
	tests := []struct {
		name string
		do   func(w *Writer) error
	}{
		{"a key twice", func(w *Writer) error { w.Set([]byte("b"), nil); return w.Set([]byte("b"), nil) }},
		{"a key too early", func(w *Writer) error { w.Set([]byte("b"), nil); return w.Delete([]byte("a")) }},
		{"a key too long", func(w *Writer) error { return w.Set(make([]byte, maxKey+1), nil) }},
		{"a second Close", func(w *Writer) error { w.Close(); _, err := w.Close(); return err }},
	}
	for _, tt := range tests {
		w := NewWriter(io.Discard, Header{})
		err := tt.do(w)
		if err == nil {
			t.Errorf("%s: no error", tt.name)
		}
		if _, again := w.Close(); !errors.Is(again, err) {
			t.Errorf("%s: Close after %v: %v", tt.name, err, again)
		}
	}
}

// full takes n bytes.
type full struct{ n int }

var errFull = errors.New("full")

func (f *full) Write(b []byte) (int, error) {
	if f.n -= len(b); f.n < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriterFails(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for n := 0; n < 900_000; n += 50_000 {
		w := NewWriter(&full{n}, Header{})
		for i := range 10 {
			w.Set([]byte{byte(i)}, noise(r, 100_000))
		}
		if _, err := w.Close(); !errors.Is(err, errFull) {
			t.Errorf("Close over a writer of %d bytes: %v", n, err)
		}
	}
}

// plain is an io.ReaderAt alone.
type plain struct{ r io.ReaderAt }

func (p plain) ReadAt(b []byte, off int64) (int, error) { return p.r.ReadAt(b, off) }

func TestSizeOf(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, n := range []int64{0, 1, 2, 3, 127, 128, 4097} {
		data := make([]byte, n)
		if err := os.WriteFile(file.Name(), data, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, r := range []io.ReaderAt{bytes.NewReader(data), plain{bytes.NewReader(data)}, file, plain{file}} {
			if got, err := sizeOf(r); got != n || err != nil {
				t.Errorf("sizeOf(%T of %d bytes) = %d, %v", r, n, got, err)
			}
		}
	}
}
