package codec

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"testing"
)

func TestInts(t *testing.T) {
	for _, x := range intsAround[int64]() {
		part := AppendInt(nil, x)
		got, rest, err := ConsumeInt(append(part, 'r'))
		if err != nil || got != x || string(rest) != "r" {
			t.Errorf("ConsumeInt(%x) = %d, %q, %v, want %d", part, got, rest, err, x)
		}
		u, _, err := ConsumeUint(part)
		if (err == nil) != (x >= 0) || err == nil && u != uint64(x) {
			t.Errorf("ConsumeUint(%x) = %d, %v, want %d", part, u, err, x)
		}
	}
	for _, x := range uintsAround[uint64]() {
		part := AppendUint(nil, x)
		got, _, err := ConsumeUint(part)
		if err != nil || got != x {
			t.Errorf("ConsumeUint(%x) = %d, %v, want %d", part, got, err, x)
		}
		i, _, err := ConsumeInt(part)
		if (err == nil) != (x <= math.MaxInt64) || err == nil && i != int64(x) {
			t.Errorf("ConsumeInt(%x) = %d, %v, want %d", part, i, err, x)
		}
		if x <= math.MaxInt64 && !bytes.Equal(part, AppendInt(nil, int64(x))) {
			t.Errorf("AppendUint(%d) = %x, which is not AppendInt's", x, part)
		}
	}
}

// TestIntsRefused has integers that are cut off, or not in their shortest
// form.
func TestIntsRefused(t *testing.T) {
	for _, text := range []string{
		"", "00", "37", "f8", "ff", "f0", "f1ff", "f7ffffffffffffff", "3f", "3e00",
		"f000", "f06f", "f100ff", "f20001ff", "f700ffffffffffffff", // as long as fewer bytes, or one, need not be
		"3fff", "3fc0", "3eff00", "3efff0", "38ff00000000000000",
		"387fffffffffffffff", "380000000000000000", // below the least int64
	} {
		src, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if x, _, err := ConsumeInt(src); !errors.Is(err, ErrCorrupt) {
			t.Errorf("ConsumeInt(%s) = %d, %v, want ErrCorrupt", text, x, err)
		}
		if x, _, err := ConsumeUint(src); !errors.Is(err, ErrCorrupt) {
			t.Errorf("ConsumeUint(%s) = %d, %v, want ErrCorrupt", text, x, err)
		}
	}
}
