package codec

import (
	"encoding/hex"
	"math"
	"reflect"
	"testing"
	"time"
)

// TestKeyGolden has the bytes and the text of parts. They are on disk: a
// change here is a change of the format.
func TestKeyGolden(t *testing.T) {
	s, n := "a", 5
	type pair struct {
		Name string
		N    int
	}
	for _, test := range []struct {
		value any
		mods  []string
		want  string
		text  string
	}{
		{value: false, want: "80", text: "false"},
		{value: true, want: "81", text: "true"},
		{value: true, mods: []string{"desc"}, want: "7e", text: "true"},
		{value: 0, want: "80", text: "0"},
		{value: uint8(111), want: "ef", text: "111"},
		{value: int16(112), want: "f070", text: "112"},
		{value: uint64(255), want: "f0ff", text: "255"},
		{value: 256, want: "f10100", text: "256"},
		{value: uint32(math.MaxUint32), want: "f3ffffffff", text: "4294967295"},
		{value: int64(math.MaxInt64), want: "f77fffffffffffffff", text: "9223372036854775807"},
		{value: uint64(math.MaxUint64), want: "f7ffffffffffffffff", text: "18446744073709551615"},
		{value: int8(-1), want: "7f", text: "-1"},
		{value: -64, want: "40", text: "-64"},
		{value: -65, want: "3fbf", text: "-65"},
		{value: -256, want: "3f00", text: "-256"},
		{value: -257, want: "3efeff", text: "-257"},
		{value: int64(math.MinInt64), want: "388000000000000000", text: "-9223372036854775808"},
		{value: 256, mods: []string{"desc"}, want: "0efeff", text: "256"},
		{value: 90 * time.Minute, want: "f504e94914f000", text: "1h30m0s"},
		{value: 0.0, want: "8000000000000000", text: "0"},
		{value: math.Copysign(0, -1), want: "8000000000000000", text: "0"},
		{value: 1.0, want: "bff0000000000000", text: "1"},
		{value: float32(-1.5), want: "4007ffffffffffff", text: "-1.5"},
		{value: math.Inf(1), want: "fff0000000000000", text: "+Inf"},
		{value: math.Inf(-1), want: "000fffffffffffff", text: "-Inf"},
		{value: math.NaN(), want: "fff8000000000000", text: "NaN"},
		{value: "", want: "0001", text: `""`},
		{value: "JFK", want: "4a464b0001", text: `"JFK"`},
		{value: "JFK", mods: []string{"desc"}, want: "b5b9b4fffe", text: `"JFK"`},
		{value: "a\x00\xFF", want: "6100ffff0001", text: `"a\x00\xff"`},
		{value: "a\x00\xFF", mods: []string{"desc"}, want: "9eff0000fffe", text: `"a\x00\xff"`},
		{value: "Straße \u212A", mods: []string{"fold"}, want: "53545241c39f45204b0001", text: `"STRAßE K"`},
		{value: []byte{0, 1}, want: "00ff010001", text: "0x0001"},
		{value: []byte(nil), want: "0001", text: "0x"},
		{value: [4]byte{0, 1, 2, 255}, want: "000102ff", text: "0x000102ff"},
		{value: [4]byte{0, 1, 2, 255}, mods: []string{"desc"}, want: "fffefd00", text: "0x000102ff"},
		{value: id16{0x01, 0x8f, 15: 0xff}, want: "018f00000000000000000000000000ff", text: "018f0000-0000-0000-0000-0000000000ff"},
		{value: time.Time{}, want: "800000000000000000", text: "0001-01-01T00:00:00Z"},
		{value: time.Unix(0, 0), want: "8e7791f70000000000", text: "1970-01-01T00:00:00Z"},
		{value: time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC), want: "c97786387f3b9ac9ff", text: "9999-12-31T23:59:59.999999999Z"},
		{value: (*string)(nil), want: "00", text: "nil"},
		{value: &s, want: "01610001", text: `"a"`},
		{value: (*int)(nil), mods: []string{"desc"}, want: "ff", text: "nil"},
		{value: &n, mods: []string{"desc"}, want: "fe7a", text: "5"},
		{value: pair{"a", 5}, want: "61000185", text: `("a", 5)`},
		{value: pair{"a", 5}, mods: []string{"desc"}, want: "9efffe7a", text: `("a", 5)`},
		{value: &pair{"a", 5}, want: "0161000185", text: `("a", 5)`},
		{value: struct {
			A *string
			B pair
		}{nil, pair{"b", -1}}, want: "006200017f", text: `(nil, ("b", -1))`},
	} {
		v := reflect.ValueOf(test.value)
		k := mustKeyType(t, v.Type(), test.mods...)
		part := mustAppend(t, mustPlan(t, v.Type(), k), v)
		if got := hex.EncodeToString(part); got != test.want {
			t.Errorf("part of %v as %v = %s, want %s", v, k, got, test.want)
		}
		text, rest, err := k.Format(part)
		if text != test.text || err != nil || len(rest) > 0 {
			t.Errorf("Format(%x) as %v = %s, %x, %v, want %s", part, k, text, rest, err, test.text)
		}
	}
}

// TestKeyRefused has parts that are not in their one form, or end early.
func TestKeyRefused(t *testing.T) {
	for _, test := range []struct {
		typ  reflect.Type
		part string
	}{
		{reflect.TypeFor[bool](), "82"},
		{reflect.TypeFor[bool](), "7f"},
		{reflect.TypeFor[bool](), "f070"},
		{reflect.TypeFor[int](), "f06f"},
		{reflect.TypeFor[float64](), "7fffffffffffffff"}, // -0
		{reflect.TypeFor[float64](), "fff8000000000001"}, // another NaN
		{reflect.TypeFor[float64](), "fff0000000000001"},
		{reflect.TypeFor[float64](), "0007ffffffffffff"}, // a NaN with a sign
		{reflect.TypeFor[string](), "00"},
		{reflect.TypeFor[string](), "6100"},
		{reflect.TypeFor[string](), "0000"},
		{reflect.TypeFor[string](), "00020001"},
		{reflect.TypeFor[string](), "00ff"},
		{reflect.TypeFor[[]byte](), "00fe0001"},
		{reflect.TypeFor[[4]byte](), "000000"},
		{reflect.TypeFor[time.Time](), "000000000000000000"}, // no top bit
		{reflect.TypeFor[time.Time](), "80000000003b9aca00"}, // a whole second of nanoseconds
		{reflect.TypeFor[time.Time](), "c97786388000000000"}, // the year 10000
		{reflect.TypeFor[time.Time](), "ffffffffffffffffff"},
		{reflect.TypeFor[*int](), ""},
		{reflect.TypeFor[*int](), "01"},
		{reflect.TypeFor[*int](), "0280"},
		{reflect.TypeFor[*int](), "ff"},
		{reflect.TypeFor[struct{ A, B int }](), "80"},
	} {
		src, err := hex.DecodeString(test.part)
		if err != nil {
			t.Fatal(err)
		}
		for _, mods := range [][]string{nil, {"desc"}} {
			k := mustKeyType(t, test.typ, mods...)
			checkRefused(t, mustPlan(t, test.typ, k), src)
			complement(src, 0)
		}
	}
}
