package codec

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// jsonValues has what each kind is as JSON; each comes back as it was.
var jsonValues = []struct {
	name string
	in   any // of the field's type
	want string
}{
	{"bool", true, `true`},
	{"int", int64(math.MinInt64), `-9223372036854775808`},
	{"int beyond a float", int64(1<<53 + 1), `9007199254740993`},
	{"uint", uint64(math.MaxUint64), `18446744073709551615`},
	{"float", 1.5, `1.5`},
	{"whole float", 3.0, `3`},
	{"-0", math.Copysign(0, -1), `-0`},
	{"small float", 1e-7, `1e-07`},
	{"large float", math.MaxFloat64, `1.7976931348623157e+308`},
	{"float32", float32(0.1), `0.1`},
	{"NaN", math.NaN(), `"NaN"`},
	{"NaN of 32 bits", float32(math.NaN()), `"NaN"`},
	{"another NaN", math.Float64frombits(0xFFF0000000000002), `"NaN:fff0000000000002"`},
	{"another NaN of 32 bits", math.Float32frombits(0x7FA00001), `"NaN:7fa00001"`},
	{"Infinity", math.Inf(1), `"Infinity"`},
	{"-Infinity of 32 bits", float32(math.Inf(-1)), `"-Infinity"`},
	{"string", "a\"\\\b\f\n\r\t\x00\x1f\u007f\u2028é😀</", `"a\"\\\b\f\n\r\t\u0000\u001f` + "\u007f\u2028é😀</" + `"`},
	{"string of no UTF-8", "a\xff", `{"$text":"Yf8="}`},
	{"string like a marked one", `{"$text":"Yf8="}`, `"{\"$text\":\"Yf8=\"}"`},
	{"bytes", []byte{0xFB, 0xFF}, `"+/8="`},
	{"nil bytes", []byte(nil), `null`},
	{"empty bytes", []byte{}, `""`},
	{"byte array", [2]byte{1, 2}, `"AQI="`},
	{"time", noon, `"2026-03-04T11:00:00.000000005Z"`},
	{"first time", time.Time{}, `"0001-01-01T00:00:00Z"`},
	{"last time", time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC), `"9999-12-31T23:59:59.999999999Z"`},
	{"duration", 90*time.Minute + 1, `"1h30m0.000000001s"`},
	{"least duration", time.Duration(math.MinInt64), `"-2562047h47m16.854775808s"`},
	{"nil pointer", (*int)(nil), `null`},
	{"pointer", pointerOf(5), `5`},
	{"nil slice", []int(nil), `null`},
	{"empty slice", []int{}, `[]`},
	{"slice", []*int{nil, pointerOf(1)}, `[null,1]`},
	{"array", [2]bool{true, false}, `[true,false]`},
	{"nil map", map[string]int(nil), `null`},
	{"empty map", map[string]int{}, `{}`},
	{"empty map of ints", map[int]int{}, `[]`},
	{"map", map[word]int{"b": 1, "$a": 2}, `{"b":1,"$a":2}`},
	{"map with a key of no UTF-8", map[string]int{"b": 1, "\xff": 2}, `[["b",1],[{"$text":"/w=="},2]]`},
	{"map of texts", map[color]bool{{1, 2, 3}: true}, `{"#010203":true}`},
	{"map of ints", map[int8]string{-1: "a", 2: "b"}, `[[2,"b"],[-1,"a"]]`},
	{"map of NaN", map[float64]bool{math.NaN(): true}, `[["NaN",true]]`},
	{"struct", point{1, 2}, `{"X":1,"Y":2}`},
	{"binary", version{1, 2}, `"AQI="`},
	{"address", netip.MustParseAddr("10.0.0.1"), `"10.0.0.1"`},
	{"address of the other form", netip.MustParseAddr("::ffff:10.0.0.1"), `"::ffff:10.0.0.1"`},
	{"address with a zone", netip.MustParseAddr("fe80::1%a\"b"), `"fe80::1%a\"b"`},
	{"address with a zone of no UTF-8", netip.MustParseAddr("::1%\xff"), `"AAAAAAAAAAAAAAAAAAAAAf8="`},
	{"no address", netip.Addr{}, `""`},
	{"prefix", netip.MustParsePrefix("10.1.2.3/8"), `"10.1.2.3/8"`},
	{"no prefix", netip.Prefix{}, `"/w=="`},
	{"address and port", netip.MustParseAddrPort("[::1]:80"), `"[::1]:80"`},
	{"no address and port", netip.AddrPort{}, `"AAA="`},
	{"map of addresses", map[netip.Addr]bool{netip.MustParseAddr("10.0.0.1"): true}, `[["10.0.0.1",true]]`},
	{"text", color{1, 2, 255}, `"#0102ff"`},
	{"msgpack", raw{[]byte{0x91, 0x01}}, `"kQE="`},
	{"msgpack of two values", couple{"a", "b"}, `"xAShYaFi"`},
}

func TestJSON(t *testing.T) {
	for _, tt := range jsonValues {
		c := newRecordCodec(t, reflect.TypeOf(tt.in))
		body, err := c.encode(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		ty := &c.layout.Fields[0].Type
		if got, err := c.layout.AppendJSON([]byte("x"), ty, body); string(got) != "x"+tt.want || err != nil {
			t.Errorf("%s: AppendJSON = %s, %v, want %s", tt.name, got, err, tt.want)
		}
		if got, err := c.layout.AppendFromJSON([]byte("x"), ty, []byte(tt.want)); string(got) != "x"+string(body) || err != nil {
			t.Errorf("%s: AppendFromJSON(%s) = %x, %v, want %x", tt.name, tt.want, got, err, body)
		}
	}
}

// anyJSON has the JSON of values of no known type, by their bytes.
var anyJSON = []struct{ bytes, want string }{
	{"c0", `null`},
	{"c2", `false`},
	{"05", `5`},
	{"cf8000000000000000", `9223372036854775808`},
	{"d38000000000000000", `-9223372036854775808`},
	{"cc05", `{"$uint8":5}`},
	{"d0fb", `{"$int8":-5}`},
	{"cd0005", `{"$uint16":5}`},
	{"d10005", `{"$int16":5}`},
	{"ce00000005", `{"$uint32":5}`},
	{"d200000005", `{"$int32":5}`},
	{"cf0000000000000005", `{"$uint64":5}`},
	{"d30000000000000005", `{"$int64":5}`},
	{"cb3ff8000000000000", `1.5`},
	{"cb4014000000000000", `{"$float":5}`},
	{"cb7ff8000000000001", `{"$float":"NaN"}`},
	{"cbfff0000000000000", `{"$float":"-Infinity"}`},
	{"cb8000000000000000", `{"$float":-0}`},
	{"ca3fc00000", `{"$float32":1.5}`},
	{"ca7fa00001", `{"$float32":"NaN:7fa00001"}`},
	{"a3612462", `"a$b"`},
	{"a2c328", `{"$text":"wyg="}`},
	{"c40161", `{"$bytes":"YQ=="}`},
	{"d7ff0000001469a810b0", `{"$time":"2026-03-04T11:00:00.000000005Z"}`},
	{"9205c0", `[5,null]`},
	{"80", `{}`},
	{"82a16105a16290", `{"a":5,"b":[]}`},
	{"81a2246105", `{"$map":[["$a",5]]}`},
	{"81a424696e7405", `{"$map":[["$int",5]]}`},
	{"820501a16102", `{"$map":[[5,1],["a",2]]}`},
	{"81cc0501", `{"$map":[[{"$uint8":5},1]]}`},
	{"81a1ff01", `{"$map":[[{"$text":"/w=="},1]]}`},
	{"81c001", `{"$map":[[null,1]]}`},
	{"82a16205a16190", `{"$msgpack":"gqFiBaFhkA=="}`},
	{"dc000105", `{"$msgpack":"3AABBQ=="}`},
	{"d90161", `{"$msgpack":"2QFh"}`},
	{"c5000161", `{"$msgpack":"xQABYQ=="}`},
	{"d46301", `{"$msgpack":"1GMB"}`},
	{"9181a12482a16205a16190", `[{"$map":[["$",{"$msgpack":"gqFiBaFhkA=="}]]}]`},
}

func TestAnyJSON(t *testing.T) {
	ty, l := &Type{Kind: Any}, &Layout{}
	for _, tt := range anyJSON {
		value := unhex(t, tt.bytes)
		if got, err := l.AppendJSON(nil, ty, value); string(got) != tt.want || err != nil {
			t.Errorf("AppendJSON(%s) = %s, %v, want %s", tt.bytes, got, err, tt.want)
		}
		if got, err := l.AppendFromJSON(nil, ty, []byte(tt.want)); hex.EncodeToString(got) != tt.bytes || err != nil {
			t.Errorf("AppendFromJSON(%s) = %x, %v, want %s", tt.want, got, err, tt.bytes)
		}
	}
}

// TestFromJSON reads JSON that AppendJSON does not write.
func TestFromJSON(t *testing.T) {
	type holder struct{ A any }
	for _, tt := range []struct {
		name  string
		field any // of the type
		in    string
		want  any // of the field's type, or a part of the error
	}{
		{"spaces", []point{}, " [ { \"Y\" : 2 ,\n\"X\"\t: 1 } , { } ] \r\n", []point{{1, 2}, {}}},
		{"escapes", "", `"\u0041\/\ud83d\ude00\\ud800"`, `A/😀\ud800`},
		{"string marked without need", "", `{ "$text" : "YQ==" }`, "a"},
		{"whole number with a point", int8(0), `5.0e0`, int8(5)},
		{"fraction", int8(0), `5.5`, "it wants an integer from -128 to 127, not the number 5.5"},
		{"overflow", int8(0), `128`, "it wants an integer from -128 to 127, not the number 128"},
		{"overflow of 64 bits", int64(0), `9223372036854775808`, "not the number 9223372036854775808"},
		{"negative", uint8(0), `-1`, "it wants an integer from 0 to 255, not the number -1"},
		{"number in a string", int8(0), `"5"`, `not "5"`},
		{"float too large", 0.0, `1e400`, "it wants a number of 64 bits, not the number 1e400"},
		{"float32 too large", float32(0), `1e39`, "it wants a number of 32 bits, not the number 1e39"},
		{"float by another name", 0.0, `"nan"`, `it wants a number of 64 bits, not "nan"`},
		{"NaN that is none", 0.0, `"NaN:7ff0000000000000"`, "it wants a number of 64 bits"},
		{"NaN with too few digits", 0.0, `"NaN:7ff"`, "it wants a number of 64 bits"},
		{"bool from a number", false, `1`, "it wants true or false, not the number 1"},
		{"null for a number", int8(0), `null`, "it wants an integer from -128 to 127, not nil"},
		{"null for a struct", point{}, `null`, "it wants a struct"},
		{"string from a list", []string{}, `["a",["b"]]`, `[1]: it wants a string, not ["b"]`},
		{"string from an object", "", `{"$text":5}`, `it wants a string, not {"$text":5}`},
		{"string from an object with more", "", `{"$text":"YQ==","a":1}`, `it wants a string, not {"$text":"YQ==","a":1}`},
		{"string from an empty object", "", `{}`, `it wants a string, not {}`},
		{"string from wrong base64", "", `{"$text":"Y"}`, `$text wants a string of base64, not "Y"`},
		{"half a surrogate", "", `"a\ud83d"`, `has half a surrogate pair, \ud83d`},
		{"half a surrogate before another escape", "", `"\ud83d\u0041"`, `has half a surrogate pair, \ud83d`},
		{"second half of a surrogate", "", `"\\\ude00"`, `has half a surrogate pair, \ude00`},
		{"half a surrogate in a name", map[string]int{}, `{"\ud83d":1}`, `has half a surrogate pair`},
		{"no UTF-8", "", "\"\xff\"", "it is no JSON: it is not UTF-8"},
		{"no JSON", 0, `5 6`, "it is no JSON: invalid character '6' after top-level value, at byte 3"},
		{"nothing", 0, ``, "it is no JSON: unexpected end of JSON input"},
		{"bytes from no base64", []byte{}, `"a!"`, `it wants bytes in base64, not "a!"`},
		{"bytes from base64 with bits left", []byte{}, `"YR=="`, `it wants bytes in base64, not "YR=="`},
		{"address in base64", netip.Addr{}, `"CgAAAQ=="`, netip.MustParseAddr("10.0.0.1")},
		{"address that is none", netip.Addr{}, `"10.0.0.256"`, `it wants the text of a net/netip.Addr, or its bytes in base64, not "10.0.0.256"`},
		{"prefix without bits", netip.Prefix{}, `"10.0.0.1"`, `it wants the text of a net/netip.Prefix, or its bytes in base64, not "10.0.0.1"`},
		{"byte array of another length", [2]byte{}, `"AQ=="`, "it wants 2 bytes, not"},
		{"bytes from an array", []byte{}, `[1]`, "it wants bytes in base64, not [1]"},
		{"time with a zone", time.Time{}, `"2026-03-04T12:00:00.000000005+01:00"`, noon},
		{"time beyond the years", time.Time{}, `"0000-01-01T00:00:00Z"`, "is outside of the years 1 to 9999"},
		{"time that is none", time.Time{}, `"noon"`, `it wants a time such as`},
		{"duration in nanoseconds", time.Duration(0), `5`, time.Duration(5)},
		{"duration finer than those", time.Duration(0), `"0.1ns"`, `it wants a duration, not "0.1ns"`},
		{"list from an object", []int{}, `{"a":1}`, `it wants an array, not {"a":1}`},
		{"array of another length", [2]int{}, `[1]`, "it wants a list of 2, not one of 1"},
		{"map in pairs", map[string]int{}, `[["a",1]]`, map[string]int{"a": 1}},
		{"map from a string", map[string]int{}, `"a"`, `it wants an object, or an array of [key, value], not "a"`},
		{"map of ints from an object", map[int]int{}, `{"1":2}`, `it wants an array of [key, value], not {"1":2}`},
		{"map of a pair of one", map[int]int{}, `[[1]]`, "[0]: it wants [key, value], not an array of 1"},
		{"map of a pair of three", map[int]int{}, `[[1,2,3]]`, "[0]: it wants [key, value], not an array of 3"},
		{"map of no pair", map[int]int{}, `[1]`, "[0]: it wants [key, value], not 1"},
		{"key twice", map[string]int{}, `{"a":1,"\u0061":2}`, "two keys of the map are stored alike"},
		{"wrong value", map[string]int{}, `{"a":[]}`, "[a]: it wants an integer"},
		{"unknown field", point{}, `{"x":1}`, `there is no field "x"; did you mean "X"?`},
		{"unknown field inside", []holder{}, `[{"A":1},{"B":2}]`, `[1]: there is no field "B"; did you mean "A"?`},
		{"field twice", point{}, `{"X":1,"X":1}`, "X: the field is given twice"},
		{"struct from a list", point{}, `[1,2]`, "it wants an object, not [1,2]"},
		{"long path", tree{}, strings.Repeat(`{"Next":`, 500) + `{"Value":"a"}` + strings.Repeat(`}`, 500), ".Next.Value: it wants an integer"},
		{"msgpack that is none", raw{}, `"wQ=="`, "it wants one msgpack value"},
		{"any of a float", holder{}, `{"A":5.0}`, holder{5.0}},
		{"any of a float with an exponent", holder{}, `{"A":5e0}`, holder{5.0}},
		{"any integer too large", holder{}, `{"A":18446744073709551616}`, "A: the number 18446744073709551616 is no integer of 64 bits"},
		{"any with an unknown form", holder{}, `{"A":{"$x":5}}`, `A: there is no form "$x" of values`},
		{"any with a form and more", holder{}, `{"A":{"$int8":5,"b":1}}`, `A: an object with a name that begins with $, such as "$int8b", has no other`},
		{"any with more and a form", holder{}, `{"A":{"b":1,"$int8":5}}`, `A: an object with a name that begins with $, such as "$int8", has no other`},
		{"any out of its width", holder{}, `{"A":{"$int8":128}}`, "A: it wants a number that is an int8, not 128"},
		{"any of a fraction", holder{}, `{"A":{"$uint64":0.5}}`, "A: it wants a number that is an uint64, not 0.5"},
		{"any float of a string", holder{}, `{"A":{"$float":"x"}}`, `A: it wants a number of 64 bits, not "x"`},
		{"any float of null", holder{}, `{"A":{"$float":null}}`, `A: it wants a number of 64 bits, not null`},
		{"any float of a list", holder{}, `{"A":{"$float32":[1]}}`, `A: it wants a number of 32 bits, not [1]`},
		{"any bytes of a number", holder{}, `{"A":{"$bytes":1}}`, "A: $bytes wants a string of base64, not 1"},
		{"any time of a number", holder{}, `{"A":{"$time":1}}`, "A: it wants a time, not 1"},
		{"any time that is none", holder{}, `{"A":{"$time":"x"}}`, "A: it wants a time such as"},
		{"any map of an object", holder{}, `{"A":{"$map":{}}}`, "A: $map wants an array of [key, value], not {}"},
		{"any map with equal keys", holder{}, `{"A":{"$map":[[1,2],[{"$int8":1},3]]}}`, "A: it could not be read again: a map with two equal keys"},
		{"any map with a key twice", holder{}, `{"A":{"a":1,"a":2}}`, "A: it could not be read again: a map with two equal keys"},
		{"any msgpack that is none", holder{}, `{"A":{"$msgpack":""}}`, "A: it wants one msgpack value"},
		{"any map inside", holder{}, `{"A":[{"a":{"$y":1}}]}`, "A[0][a]: there is no form"},
	} {
		ty, l := typeAndLayout(t, tt.field)
		got, err := l.AppendFromJSON([]byte("x"), ty, []byte(tt.in))
		if want, isText := tt.want.(string); isText && err != nil || isText && ty.Kind != String {
			var as *Error
			if !errors.As(err, &as) || !strings.Contains(err.Error(), want) || errors.Is(err, ErrCorrupt) || string(got) != "x" || len(err.Error()) > 500 {
				t.Errorf("%s: AppendFromJSON = %q, %v, want an error with %s", tt.name, got, err, want)
			}
			continue
		}
		want, wantErr := newRecordCodec(t, reflect.TypeOf(tt.field)).encode(tt.want)
		if err != nil || wantErr != nil || string(got) != "x"+string(want) {
			t.Errorf("%s: AppendFromJSON = %x, %v, want %x, %v", tt.name, got, err, want, wantErr)
		}
	}
}

// TestJSONRandom writes random records as JSON and reads them back.
func TestJSONRandom(t *testing.T) {
	eachRandom(t, func(l *Layout, body []byte, offs []uint32) {
		text, err := l.AppendRecordJSON([]byte("before"), body)
		text = bytes.TrimPrefix(text, []byte("before"))
		if err != nil || !json.Valid(text) {
			t.Errorf("AppendRecordJSON = %s, %v", text, err)
		}
		got, gotOffs, err := l.AppendRecordFromJSON([]byte("before"), text, nil)
		if err != nil || string(got) != "before"+string(body) || !slices.Equal(gotOffs, offs) {
			t.Errorf("AppendRecordFromJSON(%s) = %x, %v, %v, want %x, %v", text, got, gotOffs, err, body, offs)
		}
	})
}

// TestJSONCorrupt writes bodies that are damaged.
func TestJSONCorrupt(t *testing.T) {
	l := mustDescribe(t, tree{})
	for _, body := range []string{"", "05c0c0", "05c0c0c0c0", "a0c0c0c0", "0591c0c0c0", "059195c0c0", "05c081a161", "05c081c0c0c0", strings.Repeat("05c0c094", maxDepth+1)} {
		got, err := l.AppendRecordJSON([]byte("x"), unhex(t, body))
		var as *Error
		if !errors.As(err, &as) || !errors.Is(err, ErrCorrupt) || string(got) != "x" {
			t.Errorf("AppendRecordJSON(%.40s) = %.40q, %v, want ErrCorrupt", body, got, err)
		}
	}
	for _, value := range []string{"", "0505", "c1", "9105c0"} {
		if got, err := l.AppendJSON([]byte("x"), &Type{Kind: Any}, unhex(t, value)); !errors.Is(err, ErrCorrupt) || string(got) != "x" {
			t.Errorf("AppendJSON(%s) = %q, %v, want ErrCorrupt", value, got, err)
		}
	}
}

// checkJSON checks of a body that it comes back from JSON as bytes that come
// back as they are.
func checkJSON(t *testing.T, l *Layout, body []byte) {
	t.Helper()
	text, err := l.AppendRecordJSON(nil, body)
	if err != nil {
		if _, recordErr := l.Record(body); !errors.Is(err, ErrCorrupt) || recordErr == nil {
			t.Fatalf("AppendRecordJSON = %v, Record = %v", err, recordErr)
		}
		return
	}
	canonical, _, err := l.AppendRecordFromJSON(nil, text, nil)
	if err != nil {
		if _, recordErr := l.Record(body); recordErr != nil {
			return // a map has a key twice, which as JSON has no order to be noticed by
		}
		t.Fatalf("AppendRecordFromJSON(%s) = %v", text, err)
	}
	again, err := l.AppendRecordJSON(nil, canonical)
	if err != nil {
		t.Fatalf("AppendRecordJSON of %s = %v", text, err)
	}
	if got, _, err := l.AppendRecordFromJSON(nil, again, nil); err != nil || !bytes.Equal(got, canonical) {
		t.Fatalf("%s comes back as %x, %v, want %x", again, got, err, canonical)
	}
}

// FuzzBodyJSON writes any bytes as JSON.
func FuzzBodyJSON(f *testing.F) {
	e, _ := mustCodec(f, reflect.TypeFor[everything]())
	l := mustDescribe(f, everything{})
	addBodies(f, e, reflect.TypeFor[everything]())
	f.Fuzz(func(t *testing.T, body []byte) { checkJSON(t, l, body) })
}

// FuzzJSON reads any text as a record: what is accepted comes back.
func FuzzJSON(f *testing.F) {
	l := mustDescribe(f, everything{})
	e, _ := mustCodec(f, reflect.TypeFor[everything]())
	for seed := range uint64(10) {
		v := reflect.New(reflect.TypeFor[everything]())
		fillAny(source{newRand(seed)}, v.Elem(), 3)
		body, _ := bodyOf(f, e, v)
		text, err := l.AppendRecordJSON(nil, body)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, tt := range anyJSON {
		f.Add([]byte(`{"Any":` + tt.want + `}`))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		body, offs, err := l.AppendRecordFromJSON(nil, text, nil)
		if err != nil {
			if errors.Is(err, ErrCorrupt) {
				t.Fatalf("AppendRecordFromJSON = %v", err)
			}
			return
		}
		if split, err := Split(body, len(l.Fields), nil); err != nil || !slices.Equal(split, offs) {
			t.Fatalf("Split = %v, %v, want %v", split, err, offs)
		}
		again, err := l.AppendRecordJSON(nil, body)
		if err != nil {
			t.Fatalf("AppendRecordJSON of %s = %v", text, err)
		}
		if got, _, err := l.AppendRecordFromJSON(nil, again, nil); err != nil || !bytes.Equal(got, body) {
			t.Fatalf("%s as %s comes back as %x, %v, want %x", text, again, got, err, body)
		}
	})
}
