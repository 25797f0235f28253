package codec

import (
	"encoding/hex"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"testing"
	"time"

	vmsgpack "github.com/vmihailenco/msgpack/v5"

	"github.com/kivisdb/kivis/reflectx"
)

// The types that tests share.
type (
	word  string
	words []word
	flags byte
	grade byte // which has msgpack methods
	stamp time.Time

	point struct {
		X int
		Y float32
	}

	// A tree recurs through slices, maps and pointers.
	tree struct {
		Value int
		Kids  []tree
		Named map[string]*tree
		Next  *tree
	}

	// A celsius has binary methods, a hex text methods, but is stored by kind.
	celsius float64
	// A color has text methods with a value and a pointer receiver.
	color struct{ r, g, b byte }
	// A version has binary methods.
	version struct{ major, minor byte }
	// A pair writes two values, as the library's documentation does.
	couple struct{ a, b string }
	// A raw has the library's other interface.
	raw struct{ b []byte }
)

func (g grade) MarshalMsgpack() ([]byte, error) { return []byte{0xa1, byte(g)}, nil }

func (g *grade) UnmarshalMsgpack(b []byte) error {
	*g = grade(b[len(b)-1])
	return nil
}

func (celsius) MarshalText() ([]byte, error)  { return nil, errors.New("not to be called") }
func (*celsius) UnmarshalText(_ []byte) error { return errors.New("not to be called") }

func (c color) MarshalText() ([]byte, error) {
	return []byte("#" + hex.EncodeToString([]byte{c.r, c.g, c.b})), nil
}

func (c *color) UnmarshalText(text []byte) error {
	var b [3]byte
	if len(text) != 7 || text[0] != '#' {
		return errors.New("not a color")
	}
	_, err := hex.Decode(b[:], text[1:])
	*c = color{b[0], b[1], b[2]}
	return err
}

func (v *version) MarshalBinary() ([]byte, error) { return []byte{v.major, v.minor}, nil }

func (v *version) UnmarshalBinary(b []byte) error {
	if len(b) != 2 {
		return errors.New("not a version")
	}
	v.major, v.minor = b[0], b[1]
	return nil
}

func (c *couple) EncodeMsgpack(enc *vmsgpack.Encoder) error { return enc.EncodeMulti(c.a, c.b) }

func (c *couple) DecodeMsgpack(dec *vmsgpack.Decoder) error { return dec.DecodeMulti(&c.a, &c.b) }

func (r raw) MarshalMsgpack() ([]byte, error) { return r.b, nil }

func (r *raw) UnmarshalMsgpack(b []byte) error {
	r.b = append([]byte{}, b...)
	return nil
}

// pointerOf returns a pointer to a copy of v.
func pointerOf[T any](v T) *T { return &v }

var noon = time.Date(2026, 3, 4, 12, 0, 0, 5, time.FixedZone("", 3600))

// goldenValues is what each kind is encoded as.
var goldenValues = []struct {
	name string
	in   any
	want string
}{
	{"bool", true, "c3"},
	{"int", -1, "ff"},
	{"int8", int8(-128), "d080"},
	{"int16", int16(-300), "d1fed4"},
	{"int32", int32(1 << 20), "ce00100000"},
	{"int64", int64(math.MinInt64), "d38000000000000000"},
	{"uint", uint(300), "cd012c"},
	{"uint8", uint8(255), "ccff"},
	{"uint16", uint16(7), "07"},
	{"uint32", uint32(1 << 31), "ce80000000"},
	{"uint64", uint64(math.MaxUint64), "cfffffffffffffffff"},
	{"uintptr", uintptr(128), "cc80"},
	{"float32", float32(1.5), "ca3fc00000"},
	{"float64", 1.5, "cb3ff8000000000000"},
	{"-0", math.Copysign(0, -1), "cb8000000000000000"},
	{"string", "a\x00\xff", "a36100ff"},
	{"named string", word("a"), "a161"},
	{"bytes", []byte("ab"), "c4026162"},
	{"empty bytes", []byte{}, "c400"},
	{"nil bytes", []byte(nil), "c0"},
	{"named bytes", []flags{1, 2}, "c4020102"},
	{"bytes with msgpack methods", []grade{'A'}, "91a141"},
	{"byte array", [3]byte{1, 2, 3}, "c403010203"},
	{"time", noon, "d7ff0000001469a810b0"},
	{"zero time", time.Time{}, "c70cff00000000fffffff1886e0900"},
	{"named time", stamp(noon.UTC()), "d7ff0000001469a810b0"},
	{"struct with a time's methods", struct{ time.Time }{noon.UTC()}, "c40f010000000ee13a07b000000005ffff"},
	{"duration", time.Second, "ce3b9aca00"},
	{"nil pointer", (*int)(nil), "c0"},
	{"pointer", pointerOf(5), "05"},
	{"pointer to empty string", pointerOf(""), "a0"},
	{"pointer to empty bytes", pointerOf([]byte{}), "c400"},
	{"pointer to empty slice", pointerOf([]int{}), "90"},
	{"pointer to empty map", pointerOf(map[string]int{}), "80"},
	{"nil slice", []int(nil), "c0"},
	{"empty slice", []int{}, "90"},
	{"slice", []int{1, -1}, "9201ff"},
	{"named slice", words{"a"}, "91a161"},
	{"slice of slices", [][]string{nil, {}, {"a"}}, "93c09091a161"},
	{"array", [2]bool{true, false}, "92c3c2"},
	{"nil map", map[string]int(nil), "c0"},
	{"empty map", map[string]int{}, "80"},
	{"map", map[string]int{"b": 1, "a": 2, "ab": 3}, "83a16102a16201a2616203"},
	{"map of strings", map[string]string{"b": "", "a": "x"}, "82a161a178a162a0"},
	{"map of ints", map[int8]bool{1: true, -1: false, 100: true}, "8301c364c3ffc2"},
	{"map of floats", map[float64]int{1: 1, -1: 2, 0: 3}, "83cb000000000000000003cb3ff000000000000001cbbff000000000000002"},
	{"map of times", map[time.Time]int{noon: 1}, "81d7ff0000001469a810b001"},
	{"map of byte arrays", map[[2]byte]int{{2, 1}: 1, {1, 2}: 2}, "82c402010202c402020101"},
	{"map of texts", map[color]point{{1, 2, 3}: {1, 2}}, "81a7233031303230339201ca40000000"},
	{"map of any", map[string]any{"a": nil}, "81a161c0"},
	{"struct", point{1, 2}, "9201ca40000000"},
	{"slice of structs", []point{{1, 2}}, "919201ca40000000"},
	{"empty struct", struct{}{}, "90"},
	{"recursive", tree{1, []tree{{2, nil, nil, nil}}, map[string]*tree{"x": nil}, nil}, "9401919402c0c0c081a178c0c0"},
	{"text by kind", celsius(1.5), "cb3ff8000000000000"},
	{"text", color{1, 2, 255}, "a723303130326666"},
	{"pointer to text", &color{1, 2, 255}, "a723303130326666"},
	{"nil pointer to text", (*color)(nil), "c0"},
	{"binary", version{1, 2}, "c4020102"},
	{"text and binary", netip.MustParseAddr("1.2.3.4"), "c40401020304"},
	{"msgpack of one value", raw{[]byte{0x91, 0x01}}, "9101"},
	{"msgpack of bytes", raw{[]byte{0xc4, 0x01, 0x07}}, "c403c40107"},
	{"msgpack of two values", couple{"a", "b"}, "c404a161a162"},
	{"msgpack of no values", raw{[]byte{}}, "c400"},
	{"msgpack that is none", raw{[]byte{0xc1}}, "c401c1"},
	{"pointer to msgpack of nil", &raw{[]byte{0xc0}}, "c401c0"},
	{"slice of msgpack", []couple{{"a", "b"}}, "91c404a161a162"},
	{"nil any", struct{ A any }{}, "91c0"},
	{"any", struct{ A any }{int64(5)}, "91d30000000000000005"},
}

// recordOf returns the type of a record whose only field V has the type t.
func recordOf(t reflect.Type) reflect.Type {
	return reflect.StructOf([]reflect.StructField{{Name: "V", Type: t}})
}

// A recordCodec encodes and decodes records with one field of the type of a
// value.
type recordCodec struct {
	t      reflect.Type
	layout *Layout
	e      *Encoder
	d      *Decoder
}

func newRecordCodec(t testing.TB, field reflect.Type) *recordCodec {
	t.Helper()
	c := &recordCodec{t: recordOf(field)}
	var err error
	if c.layout, err = Describe(c.t, storedFields); err != nil {
		t.Fatal(err)
	}
	c.e, c.d = mustCodec(t, c.t)
	return c
}

func (c *recordCodec) encode(v any) ([]byte, error) {
	rec := reflect.New(c.t)
	rec.Elem().Field(0).Set(reflect.ValueOf(v))
	body, _, err := c.e.Encode(nil, reflectx.Of(rec), nil)
	return body, err
}

// decode decodes into a record that has other values, which must all go.
func (c *recordCodec) decode(body []byte) (any, error) {
	rec := reflect.New(c.t)
	s := source{newRand(1)}
	fillAny(s, rec.Elem(), 2)
	err := c.d.Decode(body, reflectx.Of(rec))
	return rec.Elem().Field(0).Interface(), err
}

func TestRecordGolden(t *testing.T) {
	for _, tt := range goldenValues {
		t.Run(tt.name, func(t *testing.T) {
			c := newRecordCodec(t, reflect.TypeOf(tt.in))
			body, err := c.encode(tt.in)
			if got := hex.EncodeToString(body); got != tt.want || err != nil {
				t.Fatalf("encode = %s, %v, want %s", got, err, tt.want)
			}
			got, err := c.decode(body)
			if want := inUTC(tt.in); !reflect.DeepEqual(got, want) || err != nil {
				t.Errorf("decode = %#v, %v, want %#v", got, err, want)
			}
		})
	}
}

// inUTC returns what v comes back as.
func inUTC(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.UTC()
	case map[time.Time]int:
		m := map[time.Time]int{}
		for k, x := range v {
			m[k.UTC()] = x
		}
		return m
	}
	return v
}
