package msgpack

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	vm "github.com/vmihailenco/msgpack/v5"
)

var golden = []struct {
	name string
	got  []byte
	want string
}{
	{"nil", AppendNil(nil), "c0"},
	{"false", AppendBool(nil, false), "c2"},
	{"true", AppendBool(nil, true), "c3"},
	{"0", AppendInt(nil, 0), "00"},
	{"127", AppendInt(nil, 127), "7f"},
	{"128", AppendInt(nil, 128), "cc80"},
	{"255", AppendUint(nil, 255), "ccff"},
	{"256", AppendUint(nil, 256), "cd0100"},
	{"65536", AppendUint(nil, 65536), "ce00010000"},
	{"1<<32", AppendUint(nil, 1<<32), "cf0000000100000000"},
	{"max uint64", AppendUint(nil, math.MaxUint64), "cfffffffffffffffff"},
	{"-1", AppendInt(nil, -1), "ff"},
	{"-32", AppendInt(nil, -32), "e0"},
	{"-33", AppendInt(nil, -33), "d0df"},
	{"-129", AppendInt(nil, -129), "d1ff7f"},
	{"-32769", AppendInt(nil, -32769), "d2ffff7fff"},
	{"min int64", AppendInt(nil, math.MinInt64), "d38000000000000000"},
	{"int8 1", AppendIntBits(nil, 1, 8), "d001"},
	{"int16 1", AppendIntBits(nil, 1, 16), "d10001"},
	{"int32 1", AppendIntBits(nil, 1, 32), "d200000001"},
	{"int64 1", AppendIntBits(nil, 1, 64), "d30000000000000001"},
	{"uint8 1", AppendUintBits(nil, 1, 8), "cc01"},
	{"uint16 1", AppendUintBits(nil, 1, 16), "cd0001"},
	{"uint32 1", AppendUintBits(nil, 1, 32), "ce00000001"},
	{"uint64 1", AppendUintBits(nil, 1, 64), "cf0000000000000001"},
	{"float32", AppendFloat32(nil, 1.5), "ca3fc00000"},
	{"float64", AppendFloat64(nil, 1.5), "cb3ff8000000000000"},
	{"-0", AppendFloat64(nil, math.Copysign(0, -1)), "cb8000000000000000"},
	{"empty string", AppendString(nil, ""), "a0"},
	{"string", AppendString(nil, "ab"), "a26162"},
	{"string of bytes", AppendStringBytes(nil, []byte("ab")), "a26162"},
	{"string of 32", AppendString(nil, strings.Repeat("a", 32))[:4], "d9206161"},
	{"string of 256", AppendStringBytes(nil, make([]byte, 256))[:4], "da010000"},
	{"string of 65536", AppendString(nil, strings.Repeat("a", 65536))[:6], "db0001000061"},
	{"empty bytes", AppendBytes(nil, nil), "c400"},
	{"bytes", AppendBytes(nil, []byte{1, 2}), "c4020102"},
	{"array of 15", AppendArrayLen(nil, 15), "9f"},
	{"array of 16", AppendArrayLen(nil, 16), "dc0010"},
	{"array of 65536", AppendArrayLen(nil, 65536), "dd00010000"},
	{"map of 15", AppendMapLen(nil, 15), "8f"},
	{"map of 16", AppendMapLen(nil, 16), "de0010"},
	{"map of 65536", AppendMapLen(nil, 65536), "df00010000"},
	{"time in 4 bytes", AppendTime(nil, time.Unix(1, 0)), "d6ff00000001"},
	{"time in 8 bytes", AppendTime(nil, time.Unix(1, 2)), "d7ff0000000800000001"},
	{"time in 12 bytes", AppendTime(nil, time.Unix(-1, 2)), "c70cff00000002ffffffffffffffff"},
	{"zero time", AppendTime(nil, time.Time{}), "c70cff00000000fffffff1886e0900"},
}

func TestGolden(t *testing.T) {
	for _, tt := range golden {
		if got := hex.EncodeToString(tt.got); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestInts(t *testing.T) {
	for shift := range 64 {
		for _, d := range []uint64{^uint64(0), 0, 1} {
			u := uint64(1)<<shift + d
			for _, v := range []int64{int64(u), -int64(u)} {
				checkInt(t, v, AppendInt(nil, v))
				checkInt(t, v, AppendIntBits(nil, v, 64))
			}
			for _, b := range [][]byte{AppendUint(nil, u), AppendUintBits(nil, u, 64)} {
				if got, rest, err := ConsumeUint(b); got != u || len(rest) > 0 || err != nil {
					t.Errorf("ConsumeUint(%x) = %d, %x, %v, want %d", b, got, rest, err, u)
				}
			}
		}
	}
}

func checkInt(t *testing.T, v int64, b []byte) {
	t.Helper()
	if got, rest, err := ConsumeInt(b); got != v || len(rest) > 0 || err != nil {
		t.Errorf("ConsumeInt(%x) = %d, %x, %v, want %d", b, got, rest, err, v)
	}
	var lib int64
	if err := vm.Unmarshal(b, &lib); err != nil || lib != v {
		t.Errorf("the library reads %x as %d, %v, want %d", b, lib, err, v)
	}
}

func TestFloats(t *testing.T) {
	for _, v := range []float64{0, math.Copysign(0, -1), 1.5, math.Inf(1), math.NaN(), math.MaxFloat64} {
		got, rest, err := ConsumeFloat(AppendFloat64(nil, v))
		if math.Float64bits(got) != math.Float64bits(v) || len(rest) > 0 || err != nil {
			t.Errorf("ConsumeFloat of %v = %v, %x, %v", v, got, rest, err)
		}
	}
	signaling := math.Float32frombits(0x7fa00001)
	if got, _, err := ConsumeFloat32(AppendFloat32(nil, signaling)); math.Float32bits(got) != 0x7fa00001 || err != nil {
		t.Errorf("ConsumeFloat32 of a signaling NaN = %x, %v", math.Float32bits(got), err)
	}
	if got, _, err := ConsumeFloat(AppendFloat32(nil, 1.5)); got != 1.5 || err != nil {
		t.Errorf("ConsumeFloat of a float32 = %v, %v", got, err)
	}
	if got, _, err := ConsumeFloat32(AppendFloat64(nil, 1.5)); got != 1.5 || err != nil {
		t.Errorf("ConsumeFloat32 of a float64 = %v, %v", got, err)
	}
	if _, _, err := ConsumeFloat32(AppendFloat64(nil, 0.1)); !errors.Is(err, ErrRange) {
		t.Errorf("ConsumeFloat32 of a float64 that is none = %v, want ErrRange", err)
	}
}

func TestLengths(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536} {
		data := bytes.Repeat([]byte{'x'}, n)
		tail := append(bytes.Clone(data), data...)
		if s, rest, err := ConsumeString(append(AppendStringBytes(nil, data), 1)); !bytes.Equal(s, data) || len(rest) != 1 || err != nil {
			t.Errorf("ConsumeString of %d = %d bytes, %x, %v", n, len(s), rest, err)
		}
		if s, rest, err := ConsumeBytes(append(AppendBytes(nil, data), 1)); s == nil || !bytes.Equal(s, data) || len(rest) != 1 || err != nil {
			t.Errorf("ConsumeBytes of %d = %d bytes, %x, %v", n, len(s), rest, err)
		}
		if got, rest, err := ConsumeArrayLen(append(AppendArrayLen(nil, n), data...)); got != n || len(rest) != n || err != nil {
			t.Errorf("ConsumeArrayLen of %d = %d, %d, %v", n, got, len(rest), err)
		}
		if got, rest, err := ConsumeMapLen(append(AppendMapLen(nil, n), tail...)); got != n || len(rest) != 2*n || err != nil {
			t.Errorf("ConsumeMapLen of %d = %d, %d, %v", n, got, len(rest), err)
		}
		if n > 0 {
			if _, _, err := ConsumeMapLen(append(AppendMapLen(nil, n), tail[1:]...)); err != ErrTruncated {
				t.Errorf("ConsumeMapLen of %d in too few bytes = %v, want ErrTruncated", n, err)
			}
		}
	}
}

func TestTimes(t *testing.T) {
	for _, sec := range []int64{MinSecond, -1, 0, 1, math.MaxUint32, math.MaxUint32 + 1, 1<<34 - 1, 1 << 34, MaxSecond} {
		for _, ns := range []int64{0, 1, 999999999} {
			want := time.Unix(sec, ns).UTC()
			b := AppendTime(nil, want)
			if got, rest, err := ConsumeTime(b); got != want || len(rest) > 0 || err != nil {
				t.Errorf("ConsumeTime(%x) = %v, %x, %v, want %v", b, got, rest, err, want)
			}
			var lib time.Time
			if err := vm.Unmarshal(b, &lib); err != nil || !lib.Equal(want) {
				t.Errorf("the library reads %x as %v, %v, want %v", b, lib, err, want)
			}
		}
	}
}

func TestCorrupt(t *testing.T) {
	consume := map[string]func(b []byte) ([]byte, error){
		"nil":     ConsumeNil,
		"bool":    func(b []byte) ([]byte, error) { _, r, err := ConsumeBool(b); return r, err },
		"int":     func(b []byte) ([]byte, error) { _, r, err := ConsumeInt(b); return r, err },
		"uint":    func(b []byte) ([]byte, error) { _, r, err := ConsumeUint(b); return r, err },
		"float":   func(b []byte) ([]byte, error) { _, r, err := ConsumeFloat(b); return r, err },
		"float32": func(b []byte) ([]byte, error) { _, r, err := ConsumeFloat32(b); return r, err },
		"string":  func(b []byte) ([]byte, error) { _, r, err := ConsumeString(b); return r, err },
		"bytes":   func(b []byte) ([]byte, error) { _, r, err := ConsumeBytes(b); return r, err },
		"array":   func(b []byte) ([]byte, error) { _, r, err := ConsumeArrayLen(b); return r, err },
		"map":     func(b []byte) ([]byte, error) { _, r, err := ConsumeMapLen(b); return r, err },
		"time":    func(b []byte) ([]byte, error) { _, r, err := ConsumeTime(b); return r, err },
		"ext":     func(b []byte) ([]byte, error) { _, _, r, err := ConsumeExt(b); return r, err },
		"skip":    Skip,
	}
	for _, tt := range []struct{ kind, in string }{
		{"nil", ""}, {"nil", "c2"}, {"bool", ""}, {"bool", "c0"}, {"bool", "01"},
		{"int", ""}, {"int", "c0"}, {"int", "cc"}, {"int", "cd00"}, {"int", "ce000000"}, {"int", "d300000000000000"},
		{"int", "cf8000000000000000"}, {"int", "cb0000000000000000"}, {"int", "a0"},
		{"uint", ""}, {"uint", "ff"}, {"uint", "d0ff"}, {"uint", "d3ffffffffffffffff"}, {"uint", "c3"},
		{"float", ""}, {"float", "ca000000"}, {"float", "cb00000000000000"}, {"float", "01"},
		{"float32", ""}, {"float32", "ca000000"}, {"float32", "cb00000000000000"}, {"float32", "cb3fb999999999999a"},
		{"string", ""}, {"string", "a1"}, {"string", "d9"}, {"string", "d901"}, {"string", "da0001"}, {"string", "dbffffffff"}, {"string", "db0000"}, {"string", "c400"},
		{"bytes", ""}, {"bytes", "c0"}, {"bytes", "c401"}, {"bytes", "c6ffffffff00"}, {"bytes", "a0"}, {"bytes", "c7"},
		{"array", ""}, {"array", "91"}, {"array", "dc00"}, {"array", "dc0001"}, {"array", "ddffffffff"}, {"array", "de0000"}, {"array", "80"},
		{"map", ""}, {"map", "81"}, {"map", "8101"}, {"map", "df00000001"}, {"map", "dc0000"},
		{"time", ""}, {"time", "d6ff000000"}, {"time", "d60000000000"}, {"time", "d4ff00"}, {"time", "a0"},
		{"time", "d7ffffffffff00000000"}, {"time", "c70cff00000000fffffff1886e08ff"}, {"time", "c70cff0000000000000" + "03afff44180"},
		{"ext", ""}, {"ext", "c7"}, {"ext", "c70100"}, {"ext", "c9ffffffff00"}, {"ext", "d4"}, {"ext", "00"}, {"ext", "d9"},
		{"skip", ""}, {"skip", "c1"}, {"skip", "91"}, {"skip", "9191"}, {"skip", "8101"}, {"skip", "ddffffffff00"}, {"skip", "dfffffffff00"}, {"skip", "dc"}, {"skip", "d6ff"}, {"skip", "c7"}, {"skip", "dbffffffff"},
	} {
		in, err := hex.DecodeString(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		rest, err := consume[tt.kind](in)
		if !errors.Is(err, ErrCorrupt) || !bytes.Equal(rest, in) {
			t.Errorf("%s %s: got rest %x, error %v, want all of it and ErrCorrupt", tt.kind, tt.in, rest, err)
		}
	}
}

func TestSkip(t *testing.T) {
	for _, tt := range golden {
		b := append(bytes.Clone(tt.got), bytes.Repeat([]byte{1}, 1<<18)...)
		rest, err := Skip(b)
		deep, errDeep := SkipDepth(b, 1)
		if err != nil || errDeep != nil || len(rest) != len(deep) {
			t.Errorf("%s: Skip leaves %d, %v, SkipDepth %d, %v", tt.name, len(rest), err, len(deep), errDeep)
		}
	}
	deep := append(bytes.Repeat([]byte{0x91}, 1e6), 0xc0, 0xc0)
	if rest, err := Skip(deep); len(rest) != 1 || err != nil {
		t.Errorf("Skip of a deep array leaves %x, %v", rest, err)
	}
	if _, err := SkipDepth(deep, 1000); !errors.Is(err, ErrCorrupt) {
		t.Errorf("SkipDepth of a deep array = %v, want ErrCorrupt", err)
	}
	if _, err := SkipDepth([]byte{0x91, 0x90}, 1); err != nil {
		t.Errorf("SkipDepth of an empty array at the limit = %v", err)
	}
}

func TestNameOf(t *testing.T) {
	want := map[byte]string{
		0x00: "an integer", 0xff: "an integer", 0xd0: "an integer", 0x81: "a map", 0xdf: "a map", 0x91: "an array", 0xdd: "an array",
		0xa0: "a string", 0xdb: "a string", 0xc0: "nil", 0xc2: "a bool", 0xc6: "bytes", 0xca: "a float", 0xcb: "a float",
		0xc1: "no msgpack", 0xc7: "an extension", 0xd4: "an extension", 0xd8: "an extension",
	}
	for c, name := range want {
		if got := NameOf([]byte{c}); got != name {
			t.Errorf("NameOf(%#x) = %q, want %q", c, got, name)
		}
	}
	if got := NameOf(nil); got != "nothing" {
		t.Errorf("NameOf(nil) = %q", got)
	}
}

func TestIntTypeOf(t *testing.T) {
	want := map[byte]string{
		0x00: "int8", 0xff: "int8", 0xcc: "uint8", 0xcd: "uint16", 0xce: "uint32", 0xcf: "uint64",
		0xd0: "int8", 0xd1: "int16", 0xd2: "int32", 0xd3: "int64",
	}
	for c, name := range want {
		if got := IntTypeOf([]byte{c}); got != name {
			t.Errorf("IntTypeOf(%#x) = %q, want %q", c, got, name)
		}
	}
}

// FuzzSkip checks that the two ways to skip agree with each other and, where
// they find a value, with the library.
func FuzzSkip(f *testing.F) {
	for _, tt := range golden {
		f.Add(tt.got)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rest, err := Skip(b)
		deep, errDeep := SkipDepth(b, 100)
		if errDeep == nil && (err != nil || len(rest) != len(deep)) {
			t.Fatalf("Skip leaves %x, %v, SkipDepth %x", rest, err, deep)
		}
		if err != nil {
			return
		}
		dec := vm.NewDecoder(bytes.NewReader(b))
		raw, libErr := dec.DecodeRaw()
		if libErr == nil && len(raw) != len(b)-len(rest) {
			t.Fatalf("the library takes %x, Skip leaves %x", raw, rest)
		}
	})
}

var noExt = AnyForms{Ext: func([]byte) (any, error) { return nil, errors.New("no extensions") }}

// inOneType returns v as ConsumeAny has it: an integer as an int64, or a uint64
// where that is too small. The library keeps the width of the encoding.
func inOneType(v any) any {
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		return r.Int()
	case r.CanUint() && r.Uint() <= math.MaxInt64:
		return int64(r.Uint())
	}
	return v
}

func TestConsumeAny(t *testing.T) {
	for _, tt := range golden {
		if strings.Contains(tt.name, " of ") {
			continue // only its start
		}
		v, rest, err := ConsumeAny(tt.got, 0, noExt)
		var want any
		libErr := vm.Unmarshal(tt.got, &want)
		if tm, ok := want.(time.Time); ok {
			want = tm.UTC()
		}
		if want = inOneType(want); !reflect.DeepEqual(v, want) || len(rest) > 0 || err != nil || libErr != nil {
			t.Errorf("%s: ConsumeAny = %#v, %x, %v, the library %#v, %v", tt.name, v, rest, err, want, libErr)
		}
	}
	list := AppendArrayLen(nil, 2)
	list = AppendInt(AppendString(AppendMapLen(list, 1), "a"), 1)
	list = AppendBool(AppendInt(AppendNil(AppendString(AppendMapLen(list, 2), "a")), 300), true)
	want := []any{map[string]any{"a": int64(1)}, map[any]any{"a": nil, int64(300): true}}
	if v, _, err := ConsumeAny(list, 2, noExt); !reflect.DeepEqual(v, want) || err != nil {
		t.Errorf("ConsumeAny = %#v, %v, want %#v", v, err, want)
	}
	pairs := AnyForms{Map: func(list []any) any { return append([]any{"map"}, list...) }}
	want = []any{[]any{"map", "a", int64(1)}, []any{"map", "a", nil, int64(300), true}}
	if v, _, err := ConsumeAny(list, 2, pairs); !reflect.DeepEqual(v, want) || err != nil {
		t.Errorf("ConsumeAny with a function for maps = %v, %v, want %v", v, err, want)
	}
	if _, _, err := ConsumeAny(list, 1, noExt); !errors.Is(err, ErrCorrupt) {
		t.Errorf("ConsumeAny beyond the depth = %v, want ErrCorrupt", err)
	}
	for n := range list {
		if _, _, err := ConsumeAny(list[:n], 2, noExt); !errors.Is(err, ErrCorrupt) {
			t.Errorf("ConsumeAny of %d bytes = %v, want ErrCorrupt", n, err)
		}
	}
	for _, bad := range []string{"c1", "820101" + "0101", "82d0050105" + "01", "819001", "81c0", "81d4000101", "81c4000101", "", "9101c1"} {
		b, _ := hex.DecodeString(bad)
		if v, rest, err := ConsumeAny(b, 9, noExt); err == nil && len(rest) == 0 {
			t.Errorf("ConsumeAny(%s) = %v", bad, v)
		}
	}
	if _, _, err := ConsumeAny([]byte{0xd4, 1, 1}, 9, noExt); err == nil || err.Error() != "no extensions" {
		t.Errorf("ConsumeAny of an extension = %v", err)
	}
}
