package record_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/kivisdb/kivis/codec"
	"github.com/kivisdb/kivis/internal/record"
)

// TestSplice replaces random columns of random bodies and compares with a body
// made from the values anew.
func TestSplice(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	value := func() []byte {
		b := make([]byte, rng.IntN(8)*rng.IntN(8))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	for range 2000 {
		prefix := value()
		columns := make([][]byte, 1+rng.IntN(6))
		for i := range columns {
			columns[i] = value()
		}
		body, offs := join(prefix, columns)
		for range 3 {
			i := rng.IntN(len(columns))
			columns[i] = value()
			body = record.Splice(body, len(prefix), offs, i, columns[i])
		}
		want, wantOffs := join(prefix, columns)
		if !bytes.Equal(body, want) {
			t.Fatalf("seed %d: body %x, want %x", seed, body, want)
		}
		for i := range offs {
			if offs[i] != wantOffs[i] {
				t.Fatalf("seed %d: offsets %v, want %v", seed, offs, wantOffs)
			}
		}
	}
}

// join returns columns one after the other behind prefix, without room to grow,
// and their offsets.
func join(prefix []byte, columns [][]byte) ([]byte, []uint32) {
	b := bytes.Clone(prefix)
	var offs []uint32
	for _, c := range columns {
		offs = append(offs, uint32(len(b)-len(prefix)))
		b = append(b, c...)
	}
	return b, append(offs, uint32(len(b)-len(prefix)))
}

func TestMaxID(t *testing.T) {
	for _, c := range []struct {
		t    codec.Type
		want uint64
	}{
		{codec.Type{Kind: codec.Int, Bits: 8}, 127},
		{codec.Type{Kind: codec.Uint, Bits: 8}, 255},
		{codec.Type{Kind: codec.Int, Bits: 64}, 1<<63 - 1},
		{codec.Type{Kind: codec.Uint, Bits: 64}, 1<<64 - 1},
	} {
		if got := record.MaxID(c.t); got != c.want {
			t.Errorf("MaxID(%v) = %d, want %d", c.t, got, c.want)
		}
	}
}

func TestID(t *testing.T) {
	for _, id := range []uint64{0, 1, 127, 128, 1<<32 + 5, 1<<64 - 1} {
		if got := record.ID(record.AppendID(nil, id)); got != id {
			t.Errorf("ID(AppendID(%d)) = %d", id, got)
		}
	}
	if got := record.ID([]byte{0xFF}); got != 0 {
		t.Errorf("ID of -1 = %d, want 0", got)
	}
}
