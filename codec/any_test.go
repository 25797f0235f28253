package codec

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"testing"
	"time"

	vmsgpack "github.com/vmihailenco/msgpack/v5"

	"github.com/kivisdb/kivis/reflectx"
)

type anyRecord struct{ A any }

// longInt returns an int of more than 32 bits or, where an int has only those, a
// uint64 that is written alike.
func longInt() any {
	n := uint64(1 << 40)
	if bits.UintSize == 32 {
		return n
	}
	return int(n)
}

// anyValues has what a value of type any comes back as.
var anyValues = []struct {
	in, want any
	bytes    string
}{
	{nil, nil, "c0"},
	{true, true, "c3"},
	{5, int64(5), "05"},
	{-5, int64(-5), "fb"},
	{300, int64(300), "cd012c"},
	{70000, int64(70000), "ce00011170"},
	{longInt(), int64(1 << 40), "cf0000010000000000"},
	{200, int64(200), "ccc8"},
	{-200, int64(-200), "d1ff38"},
	{-70000, int64(-70000), "d2fffeee90"},
	{int8(5), int64(5), "d005"},
	{int16(5), int64(5), "d10005"},
	{int32(5), int64(5), "d200000005"},
	{int64(5), int64(5), "d30000000000000005"},
	{uint(5), int64(5), "05"},
	{uint8(5), int64(5), "cc05"},
	{uint16(5), int64(5), "cd0005"},
	{uint32(5), int64(5), "ce00000005"},
	{uint64(5), int64(5), "cf0000000000000005"},
	{time.Duration(5), int64(5), "d30000000000000005"},
	{uint64(math.MaxUint64), uint64(math.MaxUint64), "cfffffffffffffffff"},
	{Raw{0xd4, 0x63, 0x01}, Raw{0xd4, 0x63, 0x01}, "d46301"},
	{Raw{0x91, 0x01}, []any{int64(1)}, "9101"},
	{float32(1.5), float32(1.5), "ca3fc00000"},
	{1.5, 1.5, "cb3ff8000000000000"},
	{"text", "text", "a474657874"},
	{word("w"), "w", "a177"},
	{[]byte("b"), []byte("b"), "c40162"},
	{[]flags{1}, []byte{1}, "c40101"},
	{[]grade{'A', 'B'}, []any{"A", "B"}, "92a141a142"},
	{[1]grade{'A'}, []any{"A"}, "91a141"},
	{[2]byte{1, 2}, []byte{1, 2}, "c4020102"},
	{[2]flags{1, 2}, []byte{1, 2}, "c4020102"},
	{noon, noon.UTC(), "d7ff0000001469a810b0"},
	{[]any{nil, "a"}, []any{nil, "a"}, "92c0a161"},
	{[]any(nil), nil, "c0"},
	{[]string{"a"}, []any{"a"}, "91a161"},
	{[]string(nil), nil, "c0"},
	{[1]bool{true}, []any{true}, "91c3"},
	{map[string]any{"b": nil, "a": false}, map[string]any{"b": nil, "a": false}, "82a161c2a162c0"},
	{map[string]any(nil), nil, "c0"},
	{map[string]int{"b": 2, "a": 1}, map[string]any{"b": int64(2), "a": int64(1)}, "82a16101a16202"},
	{map[int]string{2: "b", 1: "a"}, map[any]any{int64(1): "a", int64(2): "b"}, "8201a16102a162"},
	{map[any]any{"s": 1, true: 2}, map[any]any{"s": int64(1), true: int64(2)}, "82a17301c302"},
	{map[time.Time]int{noon: 1}, map[any]any{noon.UTC(): int64(1)}, "81d7ff0000001469a810b001"},
	{(*int)(nil), nil, "c0"},
	{pointerOf(5), int64(5), "05"},
	{pointerOf[any](pointerOf("x")), "x", "a178"},
	{color{1, 2, 3}, "#010203", "c40723303130323033"},
	{version{1, 2}, []byte{1, 2}, "c4020102"},
	{&version{1, 2}, []byte{1, 2}, "c4020102"},
	{raw{[]byte{0x91, 0x01}}, []any{int64(1)}, "9101"},
	{struct {
		A int
		B *point
	}{1, &point{2, 3}}, map[string]any{"A": int64(1), "B": map[string]any{"X": int64(2), "Y": float32(3)}}, "82a14101a14282a15802a159ca40400000"},
}

func TestAny(t *testing.T) {
	e, d := mustCodec(t, reflect.TypeFor[anyRecord]())
	for _, tt := range anyValues {
		if c, ok := tt.in.(color); ok {
			tt.want = []byte(fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b)) // the library stores texts as bytes
		}
		body, _, err := e.Encode(nil, reflectx.To(&anyRecord{tt.in}), nil)
		if got := hex.EncodeToString(body); got != tt.bytes || err != nil {
			t.Errorf("%#v: Encode = %s, %v, want %s", tt.in, got, err, tt.bytes)
			continue
		}
		got := anyRecord{"before"}
		if err := d.Decode(body, reflectx.To(&got)); !reflect.DeepEqual(got.A, tt.want) || err != nil {
			t.Errorf("%#v: Decode = %#v, %v, want %#v", tt.in, got.A, err, tt.want)
		}
		checkAnyLibrary(t, tt.in, body)
	}
}

// checkAnyLibrary checks that the library encodes v the same, and reads it the
// same, as far as it can.
func checkAnyLibrary(t *testing.T, v any, body []byte) {
	t.Helper()
	var buf bytes.Buffer
	enc := vmsgpack.NewEncoder(&buf)
	enc.SetSortMapKeys(true)
	switch v.(type) {
	case nil, Raw, []grade, [1]grade:
		return // of Raw it knows nothing, and the methods of grade it passes over
	}
	p := reflect.New(reflect.TypeOf(v)) // the library panics at some values without an address
	p.Elem().Set(reflect.ValueOf(v))
	if err := enc.EncodeValue(p.Elem()); err == nil && reflect.TypeOf(v).Kind() != reflect.Map && !bytes.Equal(buf.Bytes(), body) {
		t.Errorf("%#v: the library encodes %x, want %x", v, buf.Bytes(), body)
	}
	dec := vmsgpack.NewDecoder(bytes.NewReader(body))
	dec.SetMapDecoder(func(d *vmsgpack.Decoder) (any, error) { return d.DecodeUntypedMap() })
	if _, err := dec.DecodeInterface(); err != nil {
		t.Errorf("%#v: the library cannot read %x: %v", v, body, err)
	}
}

func TestAnyCorrupt(t *testing.T) {
	_, d := mustCodec(t, reflect.TypeFor[anyRecord]())
	deep := hex.EncodeToString(bytes.Repeat([]byte{0x91}, maxDepth+1)) + "c0"
	deepMap := hex.EncodeToString(bytes.Repeat([]byte{0x81, 0}, maxDepth+1)) + "c0"
	for _, body := range []string{
		"", "c1", "91", "8101", "a1", "c401", "ddffffffff", "dfffffffff", "81c0", "818001", "81c4010101", "81910101", "81d4000101",
		"820101" + "0101", "82a16101a16102", "d4ff00", "82d0050105" + "01", deep, deepMap, "cc", "ca00", "cb00", "d6ff",
	} {
		v := anyRecord{"before"}
		if err := d.Decode(unhex(t, body), reflectx.To(&v)); err == nil {
			t.Errorf("Decode(%s) = %v, want an error", body, v.A)
		} else if !errors.Is(err, ErrCorrupt) {
			t.Errorf("Decode(%s) = %v, want ErrCorrupt", body, err)
		}
	}
}

// An extension is a type that a program registers with the library.
type extension struct{ n byte }

func (x *extension) MarshalMsgpack() ([]byte, error) { return []byte{x.n}, nil }

func (x *extension) UnmarshalMsgpack(b []byte) error {
	if b[0] == 99 {
		panic("99")
	}
	x.n = b[0]
	return nil
}

func TestAnyExtension(t *testing.T) {
	vmsgpack.RegisterExt(42, (*extension)(nil))
	defer vmsgpack.UnregisterExt(42)
	e, d := mustCodec(t, reflect.TypeFor[anyRecord]())
	in, out := anyRecord{&extension{7}}, anyRecord{}
	body, _, err := e.Encode(nil, reflectx.To(&in), nil)
	if got := hex.EncodeToString(body); got != "d42a07" || err != nil {
		t.Fatalf("Encode = %s, %v", got, err)
	}
	if err := d.Decode(body, reflectx.To(&out)); err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("Decode = %v, %v", out, err)
	}
	if err := d.Decode(unhex(t, "d42a63"), reflectx.To(&out)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Decode with a decoder that panics = %v, want ErrCorrupt", err)
	}
}
