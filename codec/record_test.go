package codec

import (
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	vmsgpack "github.com/vmihailenco/msgpack/v5"

	"github.com/kivisdb/kivis/reflectx"
)

func TestBenchUser(t *testing.T) {
	e, d := mustCodec(t, reflect.TypeFor[benchUser]())
	in, out, byHand := newBenchUser(), new(benchUser), new(benchUser)
	body, _, err := e.Encode(nil, reflectx.To(in), nil)
	hand, handErr := appendByHand(nil, in)
	if string(hand) != string(body) || err != nil || handErr != nil {
		t.Fatalf("Encode = %x, %v, by hand %x, %v", body, err, hand, handErr)
	}
	if err := d.Decode(body, reflectx.To(out)); !reflect.DeepEqual(in, out) || err != nil {
		t.Errorf("Decode = %+v, %v, want %+v", out, err, in)
	}
	if err := consumeByHand(body, byHand); !reflect.DeepEqual(in, byHand) || err != nil {
		t.Errorf("by hand %+v, %v, want %+v", byHand, err, in)
	}
	if unsafe.StringData(out.Bio) != &body[strings.Index(string(body), in.Bio)] {
		t.Error("a decoded string does not share the memory of the body")
	}
}

func TestRecordAllocs(t *testing.T) {
	e, d := mustCodec(t, reflect.TypeFor[benchUser]())
	in, out := newBenchUser(), new(benchUser)
	buf, offs := make([]byte, 0, 1024), make([]uint32, 0, 16)
	body, _, err := e.Encode(nil, reflectx.To(in), nil)
	if err != nil {
		t.Fatal(err)
	}
	key := []byte("key")
	value := Seal(append(AppendHeader(nil, 3), body...), 0, 1, key)
	l, _ := Describe(reflect.TypeFor[benchUser](), storedFields)
	conv, err := CompileConverter(l, l)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		want float64
		do   func() error
	}{
		{"Encode", 0, func() error { _, _, err := e.Encode(buf, reflectx.To(in), offs); return err }},
		{"Decode", 1, func() error { return d.Decode(body, reflectx.To(out)) }},
		{"Split", 0, func() error { _, err := Split(body, 9, offs); return err }},
		{"Convert", 0, func() error { _, err := conv.Convert(buf, body); return err }},
		{"Open", 0, func() error { _, _, err := Open(value, 1, key); return err }},
		{"Seal", 0, func() error { Seal(append(AppendHeader(buf, 3), body...), 0, 1, key); return nil }},
	} {
		got := testing.AllocsPerRun(100, func() {
			if err := tt.do(); err != nil {
				t.Fatal(err)
			}
		})
		if got > tt.want {
			t.Errorf("%s allocates %v times, want %v", tt.name, got, tt.want)
		}
	}
}

func TestEncodeAllocs(t *testing.T) {
	for _, tt := range []struct {
		in   any
		want float64
	}{
		{struct {
			A [4]point
			B []point
			C *point
			D []byte
			E time.Duration
		}{B: make([]point, 3), C: &point{}, D: []byte{1}}, 0},
		{struct{ M map[string]string }{map[string]string{"a": "b", "c": "d"}}, 1},
		{struct{ M map[string]any }{map[string]any{"a": "b", "c": 1}}, 1},
		{struct{ A any }{int64(5)}, 0},
	} {
		e, _ := mustCodec(t, reflect.TypeOf(tt.in))
		p := pointerTo(reflect.ValueOf(tt.in))
		buf, offs := make([]byte, 0, 1024), make([]uint32, 0, 16)
		got := testing.AllocsPerRun(100, func() {
			if _, _, err := e.Encode(buf, p, offs); err != nil {
				t.Fatal(err)
			}
		})
		if got > tt.want {
			t.Errorf("Encode(%T) allocates %v times, want %v", tt.in, got, tt.want)
		}
	}
}

// cyclic returns values that lead back to themselves.
func cyclic() map[string]any {
	loop := &tree{}
	loop.Next = loop
	byMap := tree{Named: map[string]*tree{}}
	byMap.Named["x"] = &byMap
	list := []any{nil}
	list[0] = list
	m := map[string]any{}
	m["m"] = m
	other := map[int]any{}
	other[1] = other
	pointer := new(any)
	*pointer = pointer
	type node struct{ Next *node }
	n := &node{}
	n.Next = n
	typed := make([]any, 1)
	typed[0] = [1]any{typed}
	return map[string]any{
		"pointer": *loop, "map": byMap,
		"any: list": struct{ A any }{list}, "any: map": struct{ A any }{m}, "any: other map": struct{ A any }{other},
		"any: pointer": struct{ A any }{pointer}, "any: struct": struct{ A any }{n}, "any: array": struct{ A any }{typed},
	}
}

func TestEncodeCycles(t *testing.T) {
	for name, v := range cyclic() {
		e, _ := mustCodec(t, reflect.TypeOf(v))
		_, _, err := e.Encode(nil, pointerTo(reflect.ValueOf(v)), nil)
		if !errors.Is(err, errCycle) {
			t.Errorf("%s: Encode = %v, want %v", name, err, errCycle)
		}
	}
	deep := &tree{}
	for range maxDepth - 1 {
		deep = &tree{Next: deep}
	}
	c := newRecordCodec(t, reflect.TypeFor[*tree]())
	body, err := c.encode(deep)
	if err != nil {
		t.Fatalf("a tree at the limit: %v", err)
	}
	if got, err := c.decode(body); !reflect.DeepEqual(got, deep) || err != nil {
		t.Errorf("a tree at the limit does not come back: %v", err)
	}
	body = append([]byte{0x94, 0, 0xc0, 0xc0}, body...)
	if _, err := c.decode(body); !errors.Is(err, errDeep) || !errors.Is(err, ErrCorrupt) {
		t.Errorf("a tree beyond the limit: %v, want %v", err, errDeep)
	}
}

func TestEncodeErrors(t *testing.T) {
	early, late := time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	west := time.FixedZone("", -3600)
	for _, tt := range []struct {
		in   any
		want string
	}{
		{struct{ T time.Time }{early}, "T: the time 0000-12-31 00:00:00 +0000 UTC is outside of the years 1 to 9999"},
		{struct{ T []inner }{[]inner{{}, {T: late}}}, "T[1].T: the time 10000-01-01 00:00:00 +0000 UTC is outside of the years 1 to 9999"},
		{struct {
			T struct{ M map[string][2]*time.Time }
		}{struct{ M map[string][2]*time.Time }{map[string][2]*time.Time{"k": {nil, &late}}}},
			"T.M[k][1]: the time 10000-01-01 00:00:00 +0000 UTC is outside of the years 1 to 9999"},
		{struct{ M map[time.Time]int }{map[time.Time]int{noon: 1, noon.In(west): 2}}, "M: two keys of the map are stored alike"},
		{struct{ M map[time.Time]int }{map[time.Time]int{early: 1}}, "M[key 0000-12-31 00:00:00 +0000 UTC]: the time 0000-12-31 00:00:00 +0000 UTC is outside of the years 1 to 9999"},
		{struct{ A any }{func() {}}, "A: a func() cannot be stored"},
		{struct{ A any }{[]any{make(chan int)}}, "A: a chan int cannot be stored"},
		{struct{ A any }{struct{ F func() }{}}, "A: msgpack: Encode(unsupported func())"},
		{struct{ A any }{late}, "A: the time 10000-01-01 00:00:00 +0000 UTC is outside of the years 1 to 9999"},
		{struct{ A any }{struct{ T time.Time }{late}}, "A: it could not be read again: a time beyond the years 1 to 9999"},
		{struct{ A any }{struct{ M map[string][1]flags }{map[string][1]flags{"k": {}}}}, "A: the msgpack library panics: reflect.Copy: uint8 != codec.flags"},
		{struct{ A any }{map[[2]byte]int{{}: 1}}, "A: it could not be read again: found bytes, want the key of a map"},
		{struct{ A any }{map[any]int{1: 1, int8(1): 2}}, "A: it could not be read again: a map with two equal keys"},
		{struct{ P *[]byte }{new([]byte)}, "P: a pointer to a nil []byte would come back as a nil pointer: let it point to an empty one, or be nil"},
		{struct{ P []*words }{[]*words{{}, new(words)}}, "P[1]: a pointer to a nil codec.words would come back as a nil pointer: let it point to an empty one, or be nil"},
		{struct{ P *map[string]int }{new(map[string]int)}, "P: a pointer to a nil map[string]int would come back as a nil pointer: let it point to an empty one, or be nil"},
		{struct{ S []failingBinary }{make([]failingBinary, 1)}, "S[0]: it failed"},
		{struct{ S []failingRaw }{make([]failingRaw, 1)}, "S[0]: it failed"},
		{struct{ S *failingCoder }{&failingCoder{}}, "S: it failed"},
		{struct{ S map[string]failing }{map[string]failing{"k": {}}}, "S[k]: it failed"},
	} {
		e, _ := mustCodec(t, reflect.TypeOf(tt.in))
		got, offs, err := e.Encode([]byte("x"), pointerTo(reflect.ValueOf(tt.in)), []uint32{9})
		var as *Error
		if !errors.As(err, &as) || as.Op != "encode" || as.Path+": "+as.Err.Error() != tt.want || errors.Is(err, ErrCorrupt) != strings.Contains(tt.want, "corrupt") {
			t.Errorf("Encode(%T) = %v, want %v", tt.in, err, tt.want)
		}
		if string(got) != "x" || len(offs) != 0 {
			t.Errorf("Encode(%T) returns %q, %v", tt.in, got, offs)
		}
	}
}

var errFailed = errors.New("it failed")

// These types fail whatever they are asked.
type (
	failing       struct{ X int }
	failingBinary struct{ X int }
	failingRaw    struct{ X int }
	failingCoder  struct{ X int }
)

func (failing) MarshalText() ([]byte, error)          { return nil, errFailed }
func (*failing) UnmarshalText(_ []byte) error         { return errFailed }
func (failingBinary) MarshalBinary() ([]byte, error)  { return nil, errFailed }
func (*failingBinary) UnmarshalBinary(_ []byte) error { return errFailed }
func (failingRaw) MarshalMsgpack() ([]byte, error)    { return nil, errFailed }
func (*failingRaw) UnmarshalMsgpack(_ []byte) error   { return errFailed }
func (*failingCoder) EncodeMsgpack(enc *vmsgpack.Encoder) error {
	_ = enc.EncodeNil()
	return errFailed
}
func (*failingCoder) DecodeMsgpack(_ *vmsgpack.Decoder) error { return errFailed }

func TestDecodeCorrupt(t *testing.T) {
	for _, tt := range []struct {
		in   any // of the field
		body string
		want string
	}{
		{true, "", "V at byte 0: corrupt data: it ends early"},
		{true, "01", "V at byte 0: corrupt data: found an integer, want a bool"},
		{true, "c2c2", " at byte 1: corrupt data: bytes after the last field"},
		{0, "cf8000000000000000", "V at byte 0: corrupt data: number out of range"},
		{int8(0), "cc80", "V at byte 0: corrupt data: number out of range: 128 is no int8"},
		{int16(0), "d2ffff7fff", "V at byte 0: corrupt data: number out of range: -32769 is no int16"},
		{int32(0), "ce80000000", "V at byte 0: corrupt data: number out of range: 2147483648 is no int32"},
		{uint8(0), "ff", "V at byte 0: corrupt data: number out of range"},
		{uint8(0), "cd0100", "V at byte 0: corrupt data: number out of range: 256 is no uint8"},
		{uint64(0), "d0ff", "V at byte 0: corrupt data: number out of range"},
		{float32(0), "cb3fb999999999999a", "V at byte 0: corrupt data: number out of range"},
		{0.5, "01", "V at byte 0: corrupt data: found an integer, want a float"},
		{"", "a2", "V at byte 0: corrupt data: it ends early"},
		{"", "c0", "V at byte 0: corrupt data: found nil, want a string"},
		{[]byte{}, "a0", "V at byte 0: corrupt data: found a string, want bytes"},
		{[2]byte{}, "c40101", "V at byte 0: corrupt data: found 1 bytes, want 2"},
		{time.Time{}, "a0", "V at byte 0: corrupt data: found a string, want a time"},
		{new(int), "a0", "V at byte 0: corrupt data: found a string, want an integer"},
		{[]int{}, "9201", "V at byte 0: corrupt data: it ends early"},
		{[]int{}, "9201a0", "V[1] at byte 2: corrupt data: found a string, want an integer"},
		{[]int{}, "ddffffffff", "V at byte 0: corrupt data: it ends early"},
		{[]string{}, "c2", "V at byte 0: corrupt data: found a bool, want an array"},
		{[2]int{}, "9101", "V at byte 0: corrupt data: found 1 elements, want 2"},
		{point{}, "9101", "V at byte 0: corrupt data: found 1 fields, want 2"},
		{point{}, "9201a0", "V.Y at byte 2: corrupt data: found a string, want a float"},
		{inner{}, "95a0c0c70cff00000000fffffff1886e0900c08101c0", "V.M[1] at byte 21: corrupt data: found nil, want a string"},
		{map[string]int{}, "81a161a0", "V[a] at byte 3: corrupt data: found a string, want an integer"},
		{map[string]int{}, "810101", "V at byte 1: corrupt data: found an integer, want a string"},
		{map[string]int{}, "82a16101a16102", "V at byte 0: corrupt data: a map with two equal keys"},
		{map[int]int{}, "8201010102", "V at byte 0: corrupt data: a map with two equal keys"},
		{map[int]int{}, "81a001", "V[key 0] at byte 1: corrupt data: found a string, want an integer"},
		{map[int]int{}, "dfffffffff", "V at byte 0: corrupt data: it ends early"},
		{map[int]int{}, "90", "V at byte 0: corrupt data: found an array, want a map"},
		{color{}, "a161", "V at byte 0: not a color"},
		{color{}, "c40161", "V at byte 0: corrupt data: found bytes, want a string"},
		{version{}, "c40161", "V at byte 0: not a version"},
		{couple{}, "c402a161", "V at byte 0: *codec.couple: EOF"},
		{couple{}, "c402a261", "V at byte 0: corrupt data: it ends early"},
		{couple{}, "91", "V at byte 0: corrupt data: it ends early"},
		{raw{}, "c1", "V at byte 0: corrupt data: 0xc1 starts no value"},
	} {
		body, err := hex.DecodeString(tt.body)
		if err != nil {
			t.Fatal(err)
		}
		c := newRecordCodec(t, reflect.TypeOf(tt.in))
		_, err = c.decode(body)
		want := "codec: decode " + c.t.String() + strings.TrimSuffix(": "+strings.TrimPrefix(tt.want, " "), "")
		if tt.want[0] == ' ' {
			want = "codec: decode " + c.t.String() + tt.want
		}
		if err == nil || err.Error() != want {
			t.Errorf("Decode(%s) into %T = %v, want %v", tt.body, tt.in, err, want)
		}
		if errors.Is(err, ErrCorrupt) != strings.Contains(tt.want, "corrupt") {
			t.Errorf("Decode(%s) into %T = %v, which should match ErrCorrupt only if it says so", tt.body, tt.in, err)
		}
	}
}

// TestDecodeClaims checks that bytes which claim to have much use little.
func TestDecodeClaims(t *testing.T) {
	_, d := mustCodec(t, reflect.TypeFor[tree]())
	const size = 1 << 20
	body := make([]byte, size)
	rest := body
	for range maxDepth { // each tree has Kids of as many elements as bytes are left
		copy(rest, []byte{0x94, 0, 0xdd})
		claim := uint32(len(rest) - 100)
		rest[3], rest[4], rest[5], rest[6] = byte(claim>>24), byte(claim>>16), byte(claim>>8), byte(claim)
		rest = rest[7:]
	}
	body = body[1:] // the record itself has no array around it
	res := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := d.Decode(body, reflectx.To(new(tree))); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("Decode = %v, want ErrCorrupt", err)
			}
		}
	})
	if got := res.AllocedBytesPerOp(); got > 100*size {
		t.Errorf("Decode of %d bytes allocates %d", size, got)
	}
}

func TestLongSlices(t *testing.T) {
	for _, n := range []int{1 << 10, 1<<12 + 1, 1 << 17} {
		floats, points, empty := make([]float64, n), make([]point, n), make([]struct{}, n)
		for i := range n {
			floats[i], points[i].X = float64(i), i
		}
		for _, v := range []any{floats, points, empty} {
			c := newRecordCodec(t, reflect.TypeOf(v))
			body, err := c.encode(v)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := c.decode(body); !reflect.DeepEqual(got, v) || err != nil {
				t.Errorf("%d %T do not come back: %v", n, v, err)
			}
		}
	}
}

func TestFloatsKeepTheirBits(t *testing.T) {
	c := newRecordCodec(t, reflect.TypeFor[[]float64]())
	for _, bits := range []uint64{0x8000000000000000, 0x7ff8000000000001, 0x7ff0000000000001, 0xfff8000000000000} {
		body, err := c.encode([]float64{math.Float64frombits(bits)})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.decode(body); err != nil || math.Float64bits(got.([]float64)[0]) != bits {
			t.Errorf("%x comes back as %v, %v", bits, got, err)
		}
	}
	nan := newRecordCodec(t, reflect.TypeFor[map[float64]int]())
	body, err := nan.encode(map[float64]int{math.NaN(): 1, math.Float64frombits(0x7ff8000000000001): 2, 1: 3})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := nan.decode(body); err != nil || len(got.(map[float64]int)) != 3 {
		t.Errorf("a map with two NaNs comes back as %v, %v", got, err)
	}
}

// TestOlderProgram checks a struct that lacks fields of the layout, or has
// them with narrower numbers.
func TestOlderProgram(t *testing.T) {
	type newer struct {
		A int64
		B float64
		C string
		D struct {
			X []int16
			Y *int
			Z color
		}
		E [3]bool
	}
	type older struct {
		D struct{ X []int8 }
		B float32
		A int8
	}
	l, err := Describe(reflect.TypeFor[newer](), storedFields)
	if err != nil {
		t.Fatal(err)
	}
	e, err := CompileEncoder(reflect.TypeFor[older](), l, storedFields)
	if err != nil {
		t.Fatal(err)
	}
	d, err := CompileDecoder(reflect.TypeFor[older](), l, l, storedFields)
	if err != nil {
		t.Fatal(err)
	}
	ne, nd := mustCodec(t, reflect.TypeFor[newer]())
	in := older{A: -5, B: 1.5}
	in.D.X = []int8{-1, 100}
	body, _, err := e.Encode(nil, reflectx.To(&in), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := newer{A: -5, B: 1.5}
	want.D.X = []int16{-1, 100}
	got := newer{C: "gone"}
	got.D.Z = color{1, 2, 3}
	if err := nd.Decode(body, reflectx.To(&got)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the newer program reads %+v, %v, want %+v", got, err, want)
	}
	got.C, got.D.Y = "kept", new(int)
	if body, _, err = ne.Encode(nil, reflectx.To(&got), nil); err != nil {
		t.Fatal(err)
	}
	var back older
	if err := d.Decode(body, reflectx.To(&back)); err != nil || !reflect.DeepEqual(back, in) {
		t.Errorf("the older program reads %+v, %v, want %+v", back, err, in)
	}
	got.A = 1000
	if body, _, err = ne.Encode(nil, reflectx.To(&got), nil); err != nil {
		t.Fatal(err)
	}
	if err := d.Decode(body, reflectx.To(&back)); !errors.Is(err, ErrNarrow) || errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), ": A at byte 0: ") {
		t.Errorf("the older program reads a number that does not fit: %v", err)
	}
}
