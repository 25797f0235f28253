package codec

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	own "github.com/kivisdb/kivis/internal/msgpack"
)

// everyKey has a field of every type that may be part of a key.
type everyKey struct {
	Bool    flag
	Int     int
	Int8    small
	Int16   int16
	Int32   int32
	Int64   int64
	Uint    uint
	Uint8   uint8
	Uint16  uint16
	Uint32  uint32
	Uint64  uint64
	Float32 ratio
	Float64 float64
	String  code
	Bytes   blob
	Array   id16
	Time    time.Time
	Elapsed time.Duration
	Nested  struct {
		A string
		B *int
	}
	PString *string
	PTime   *time.Time
	PNested *struct {
		A *float64
		B [3]byte
	}
}

// encodeWith encodes v with the msgpack library, structs as arrays.
func encodeWith(t testing.TB, v any, compact bool) []byte {
	t.Helper()
	var buf bytes.Buffer
	enc := msgpack.NewEncoder(&buf)
	enc.UseArrayEncodedStructs(true)
	enc.UseCompactInts(compact)
	if err := enc.Encode(v); err != nil {
		t.Fatalf("encode %v: %v", v, err)
	}
	return buf.Bytes()
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// A source makes random values, many of them at the ends of their types.
type source struct{ *rand.Rand }

func (s source) fill(v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(s.time()))
	case v.Kind() == reflect.Pointer:
		if s.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			s.fill(v.Elem())
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			s.fill(v.Field(i))
		}
	case v.Kind() == reflect.Slice:
		if s.IntN(4) > 0 {
			v.SetBytes([]byte(s.text()))
		}
	case v.Kind() == reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(s.Uint64() & 0xFF >> s.IntN(9))
		}
	case v.CanInt():
		v.SetInt(int64(s.Uint64()) >> (64 - v.Type().Bits() + s.IntN(v.Type().Bits())))
	case v.CanUint():
		v.SetUint(s.Uint64() >> (64 - v.Type().Bits() + s.IntN(v.Type().Bits())))
	case v.CanFloat():
		v.SetFloat(s.float())
	case v.Kind() == reflect.String:
		v.SetString(s.text())
	case v.Kind() == reflect.Bool:
		v.SetBool(s.IntN(2) == 0)
	}
}

func (s source) time() time.Time {
	switch s.IntN(4) {
	case 0:
		return time.Time{}
	case 1:
		return time.Unix(s.Int64N(1<<32), 0)
	case 2:
		return time.Unix(s.Int64N(1<<34), s.Int64N(1e9))
	}
	return time.Unix(unixYear1+s.Int64N(timeSeconds), s.Int64N(1e9))
}

func (s source) float() float64 {
	special := []float64{0, math.Copysign(0, -1), 1, -1, math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat32, math.SmallestNonzeroFloat32}
	if s.IntN(2) == 0 {
		return special[s.IntN(len(special))]
	}
	return s.NormFloat64()
}

func (s source) text() string {
	pieces := []string{"\x00", "\x00\x01", "\x01", "\xFF", "a", "A", "k", "\u212A", "ß", "ä", "Ä", "\xC3", "日本"}
	var b []byte
	for range s.IntN(6) {
		b = append(b, pieces[s.IntN(len(pieces))]...)
	}
	return string(b)
}

// vary changes directions and folds in k at random.
func (s source) vary(k *KeyType) {
	k.Desc = s.IntN(2) == 0
	k.Fold = k.Kind == String && s.IntN(2) == 0
	for i := range k.Parts {
		s.vary(&k.Parts[i])
	}
}

// TestTranscode compares parts made from msgpack with those made from Go
// values: for every kind of field, and for all of them as a tuple.
func TestTranscode(t *testing.T) {
	seed := rand.Uint64()
	s := source{newRand(seed)}
	typ := reflect.TypeFor[everyKey]()
	base := mustKeyType(t, typ)
	for range 2000 {
		v := reflect.New(typ).Elem()
		s.fill(v)
		k := base.Base()
		s.vary(&k)
		checkTranscode(t, v, base, k)
		for i := range v.NumField() {
			checkTranscode(t, v.Field(i), base.Parts[i], k.Parts[i])
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func checkTranscode(t *testing.T, v reflect.Value, base, k KeyType) {
	t.Helper()
	part := mustAppend(t, mustPlan(t, v.Type(), k), v)
	for _, compact := range []bool{true, false} {
		value := encodeWith(t, v.Interface(), compact)
		got, err := k.Transcode([]byte("x"), value)
		if err != nil || !bytes.Equal(got[1:], part) {
			t.Errorf("Transcode(%x) as %v = %x, %v, want %x", value, k, got, err, part)
		}
	}
	if rest, err := k.Skip(part); err != nil || len(rest) > 0 {
		t.Errorf("Skip(%x) as %v = %x, %v", part, k, rest, err)
	}
	exact := mustAppend(t, mustPlan(t, v.Type(), base), v)
	if got, err := k.AppendLiteral(nil, exact); err != nil || !bytes.Equal(got, part) {
		t.Errorf("AppendLiteral(%x) as %v = %x, %v, want %x", exact, k, got, err, part)
	}
	back, err := k.AppendExact([]byte("x"), part)
	if k.folded() {
		if err != errFolded || string(back) != "x" {
			t.Errorf("AppendExact(%x) as %v = %x, %v, want %v", part, k, back, err, errFolded)
		}
	} else if err != nil || !bytes.Equal(back[1:], exact) {
		t.Errorf("AppendExact(%x) as %v = %x, %v, want %x", part, k, back, err, exact)
	}
}

func TestTranscodeErrors(t *testing.T) {
	type pair struct{ A, B int }
	for _, test := range []struct {
		name  string
		typ   reflect.Type
		value any
	}{
		{"a string for an integer", reflect.TypeFor[int](), "x"},
		{"an integer for a string", reflect.TypeFor[string](), 1},
		{"an integer for a float", reflect.TypeFor[float64](), 1},
		{"an integer for a bool", reflect.TypeFor[bool](), 1},
		{"an integer for a time", reflect.TypeFor[time.Time](), 1},
		{"bytes for a string", reflect.TypeFor[string](), []byte("x")},
		{"nil for a string", reflect.TypeFor[string](), nil},
		{"nil for an integer", reflect.TypeFor[int](), nil},
		{"nil for an array", reflect.TypeFor[[3]byte](), nil},
		{"nil for a struct", reflect.TypeFor[pair](), nil},
		{"a short array", reflect.TypeFor[[3]byte](), [2]byte{}},
		{"a short struct", reflect.TypeFor[pair](), struct{ A int }{}},
		{"a long struct", reflect.TypeFor[pair](), struct{ A, B, C int }{}},
		{"another struct", reflect.TypeFor[pair](), struct{ A, B string }{}},
		{"a time before the year 1", reflect.TypeFor[time.Time](), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		k := mustKeyType(t, test.typ, "desc")
		value := encodeWith(t, test.value, true)
		if got, err := k.Transcode([]byte("x"), value); !errors.Is(err, ErrCorrupt) || string(got) != "x" {
			t.Errorf("%s: Transcode(%x) = %q, %v, want ErrCorrupt", test.name, value, got, err)
		}
	}
	k := KeyType{Kind: Int}
	for _, value := range []string{"", "\x01\x01", "\xCD\x01", "\xC1"} {
		if got, err := k.Transcode([]byte("x"), []byte(value)); !errors.Is(err, ErrCorrupt) || string(got) != "x" {
			t.Errorf("Transcode(%q) = %q, %v, want ErrCorrupt", value, got, err)
		}
	}
	k = KeyType{Kind: Map}
	if _, err := k.Transcode(nil, []byte("\x80")); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Transcode of a map = %v, want ErrCorrupt", err)
	}
}

// TestPlainText: where PlainText says so, a string's bytes decide what its part
// would.
func TestPlainText(t *testing.T) {
	texts := []string{"", "a", "b", "ab", "a\x00", "a\x00\xff", "\x00", "\xff", strings.Repeat("x", 300)}
	for _, k := range []KeyType{{Kind: String}, {Kind: String, Fold: true}, {Kind: String, Desc: true}, {Kind: String, Ptr: true}, {Kind: Bytes}} {
		for _, want := range texts {
			part, err := k.Transcode(nil, own.AppendString(nil, want))
			if err != nil {
				continue // no string
			}
			s, ok := k.PlainText(part)
			plain := k.Kind == String && !k.Fold && !k.Desc && !k.Ptr && !strings.Contains(want, "\x00")
			if ok != plain {
				t.Errorf("%+v: PlainText(%x) = %q, %t; want %t", k, part, s, ok, plain)
			}
			for _, have := range texts {
				is, err := StringIs(own.AppendString(nil, have), s)
				if err != nil || ok && is != (have == want) {
					t.Errorf("StringIs(%q, %q) = %t, %v", have, s, is, err)
				}
			}
		}
	}
	for _, bad := range [][]byte{nil, {0xc0}, {0xa2, 'a'}, {0xa1, 'a', 'b'}} {
		if is, err := StringIs(bad, []byte("a")); is || !errors.Is(err, ErrCorrupt) {
			t.Errorf("StringIs of %x = %t, %v; want ErrCorrupt", bad, is, err)
		}
	}
}
