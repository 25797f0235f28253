package codec

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/kivisdb/kivis/internal/msgpack"
)

// digestOf returns the digest of a record without the field called Key.
func digestOf(t testing.TB, v any) [32]byte {
	t.Helper()
	e, _ := mustCodec(t, reflect.TypeOf(v))
	body, offs, err := e.Encode(nil, pointerTo(reflect.ValueOf(v)), nil)
	if err != nil {
		t.Fatal(err)
	}
	l := mustDescribe(t, v)
	return Digest(body, offs, l, keyPosition(l))
}

func keyPosition(l *Layout) int {
	for i := range l.Fields {
		if l.Fields[i].Name == "Key" {
			return i
		}
	}
	return -1
}

// TestDigestForm pins the form that is hashed.
func TestDigestForm(t *testing.T) {
	got := digestOf(t, struct {
		Name  string
		Count uint8
		Key   [32]byte
		At    point
		Share float32
		List  []point
		Left  string
	}{"n", 3, [32]byte{1}, point{X: 1}, 0.5, []point{{}, {Y: 1}}, ""})
	form := msgpack.AppendMapLen(nil, 5)
	form = msgpack.AppendMapLen(msgpack.AppendString(form, "At"), 1)
	form = msgpack.AppendInt(msgpack.AppendString(form, "X"), 1)
	form = msgpack.AppendInt(msgpack.AppendString(form, "Count"), 3)
	form = msgpack.AppendArrayLen(msgpack.AppendString(form, "List"), 2)
	form = msgpack.AppendMapLen(msgpack.AppendMapLen(form, 0), 1)
	form = msgpack.AppendFloat64(msgpack.AppendString(form, "Y"), 1)
	form = msgpack.AppendString(msgpack.AppendString(form, "Name"), "n")
	form = msgpack.AppendFloat64(msgpack.AppendString(form, "Share"), 0.5)
	if want := sha256.Sum256(form); got != want {
		t.Errorf("Digest = %x, want that of %x", got, form)
	}
}

func TestDigestSame(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b any
	}{
		{"the key", struct{ A, Key int }{1, 2}, struct{ A, Key int }{1, 3}},
		{"reordered", struct {
			A int
			B string
			C struct{ D, E int }
		}{1, "b", struct{ D, E int }{1, 2}}, struct {
			C struct{ E, D int }
			B string
			A int
		}{struct{ E, D int }{2, 1}, "b", 1}},
		{"widened", struct {
			A int8
			B float32
			C []float32
			D map[float32]uint8
			E *float32
		}{1, 2, []float32{3}, map[float32]uint8{-1: 2, 1: 3}, pointerOf(float32(1))}, struct {
			A int64
			B float64
			C []float64
			D map[float64]uint16
			E *float64
		}{1, 2, []float64{3}, map[float64]uint16{-1: 2, 1: 3}, pointerOf(1.0)}},
		{"zeros", struct{ A int }{1}, struct {
			A int
			B bool
			C uint
			D float32
			E float64
			F string
			G []byte
			H [2]byte
			I time.Time
			J time.Duration
			K *int
			L []int
			M [2]point
			N map[string]int
			O raw
			R any
			S point
			T struct{ Deep [2]struct{ X string } }
			U text
			V octets
		}{A: 1, O: raw{[]byte{0xc0}}}},
		{"map", struct{ M map[string]int }{map[string]int{"a": 1, "b": 2, "c": 3}}, struct{ M map[string]int }{map[string]int{"c": 3, "b": 2, "a": 1}}},
	} {
		if a, b := digestOf(t, tt.a), digestOf(t, tt.b); a != b {
			t.Errorf("%s: digests differ: %x, %x", tt.name, a, b)
		}
	}
}

// A text and an octets are stored as nothing when they are zero.
type (
	text   struct{ s string }
	octets struct{ s string }
)

func (x text) MarshalText() ([]byte, error)      { return []byte(x.s), nil }
func (x *text) UnmarshalText(b []byte) error     { x.s = string(b); return nil }
func (x octets) MarshalBinary() ([]byte, error)  { return []byte(x.s), nil }
func (x *octets) UnmarshalBinary(b []byte) error { x.s = string(b); return nil }

func TestDigestDiffers(t *testing.T) {
	seen := map[[32]byte]int{}
	for i, v := range []any{
		struct{ A int }{}, struct{ A int }{1}, struct{ B int }{1}, struct{ A float64 }{1}, struct{ A string }{"1"},
		struct{ A float64 }{math.Copysign(0, -1)},
		struct{ A []byte }{[]byte{}}, struct{ A []byte }{[]byte{0}},
		struct{ A []int }{[]int{}}, struct{ A []int }{[]int{0}}, struct{ A []int }{[]int{0, 0}},
		struct{ A map[string]int }{map[string]int{}}, struct{ A map[string]int }{map[string]int{"": 0}},
		struct{ A *int }{new(int)}, struct{ A *string }{new(string)},
		struct{ A, B string }{"ab", ""}, struct{ A, B string }{"", "ab"}, struct{ A, B string }{"a", "b"},
		struct{ A point }{point{X: 2}}, struct{ A point }{point{Y: 1}}, struct{ A []point }{[]point{{}}}, struct{ A []point }{[]point{{}, {}}},
		struct{ A [2]int }{[2]int{1, 0}}, struct{ A [2]int }{[2]int{0, 1}}, struct{ A [2]byte }{[2]byte{0, 1}},
		struct{ A time.Time }{time.Unix(0, 0)}, struct{ A text }{text{"t"}}, struct{ A octets }{octets{"b"}}, struct{ A octets }{octets{"\x00b"}},
		struct{ A any }{false}, struct{ A couple }{}, struct{ B *tree }{&tree{}}, struct{ A *tree }{&tree{Next: &tree{}}},
	} {
		sum := digestOf(t, v)
		if j, ok := seen[sum]; ok {
			t.Errorf("values %d and %d have one digest", j, i)
		}
		seen[sum] = i
	}
}

// TestDigestDamaged checks that no body makes Digest fail.
func TestDigestDamaged(t *testing.T) {
	for _, v := range []any{struct{ A []point }{}, struct{ A point }{}, struct{ A [1]point }{}, struct{ A map[string]point }{}, struct{ A tree }{}, struct{ A float64 }{}, struct{ A [2]byte }{}} {
		for _, value := range []string{"c0", "01", "90", "91c0", "9101", "920101", "919101", "8101c0", "810191", "c40100", "93010203", "ca00000000", "9490c0c0c0", "940191" + "01c0c0"} {
			body := unhex(t, value)
			sum := Digest(body, []uint32{0, uint32(len(body))}, mustDescribe(t, v), -1)
			if hex.EncodeToString(sum[:4]) == "00000000" {
				t.Errorf("Digest of %s = %x", value, sum)
			}
		}
	}
}
