package codec

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/reflectx"
)

// bodyOf returns the body of the record that v points to, as its Go type
// encodes it.
func bodyOf(t testing.TB, e *Encoder, v reflect.Value) (body []byte, offs []uint32) {
	t.Helper()
	body, offs, err := e.Encode(nil, reflectx.Of(v), nil)
	if err != nil {
		t.Fatal(err)
	}
	return body, offs
}

// TestValueRandom reads random records without their Go type and writes them
// again: the bytes are those of the typed encoder.
func TestValueRandom(t *testing.T) {
	typ := reflect.TypeFor[everything]()
	e, _ := mustCodec(t, typ)
	l := mustDescribe(t, everything{})
	for seed := range uint64(500) {
		in := reflect.New(typ)
		fillAny(source{newRand(seed)}, in.Elem(), 4)
		body, offs := bodyOf(t, e, in)
		rec, err := l.Record(body)
		if err != nil {
			t.Fatalf("seed %d: Record = %v", seed, err)
		}
		got, gotOffs, err := l.AppendRecord([]byte("before"), rec, nil)
		if err != nil || string(got) != "before"+string(body) || !slices.Equal(gotOffs, offs) {
			t.Fatalf("seed %d: AppendRecord = %x, %v, %v, want %x, %v", seed, got, gotOffs, err, body, offs)
		}
		for i, f := range l.Fields {
			v, err := l.Value(&f.Type, body[offs[i]:offs[i+1]])
			if err != nil {
				t.Fatalf("seed %d: Value of %s: %v", seed, f.Name, err)
			}
			if again, err := l.AppendValue(nil, &f.Type, v); err != nil || !bytes.Equal(again, body[offs[i]:offs[i+1]]) {
				t.Fatalf("seed %d: AppendValue of %s = %x, %v, want %x", seed, f.Name, again, err, body[offs[i]:offs[i+1]])
			}
		}
		loose, _, err := l.AppendRecord(nil, looseStruct(in.Elem(), l.Fields, l, rec), nil)
		if err != nil || !bytes.Equal(loose, body) {
			t.Fatalf("seed %d: AppendRecord of Go values = %x, %v, want %x", seed, loose, err, body)
		}
	}
}

// TestValueRandomTypes is TestValueRandom for random types.
func TestValueRandomTypes(t *testing.T) {
	eachRandom(t, func(l *Layout, body []byte, offs []uint32) {
		rec, err := l.Record(body)
		if err != nil {
			t.Errorf("Record of %x = %v", body, err)
		}
		got, gotOffs, err := l.AppendRecord(nil, rec, nil)
		if err != nil || !bytes.Equal(got, body) || !slices.Equal(gotOffs, offs) {
			t.Errorf("AppendRecord = %x, %v, %v, want %x, %v", got, gotOffs, err, body, offs)
		}
	})
}

// looseStruct returns the struct v as a map by names of its Go values, but for
// types that marshal themselves, which are taken from model.
func looseStruct(v reflect.Value, fields []Field, l *Layout, model Members) map[string]any {
	m := map[string]any{}
	for i := range fields {
		list, _ := storedFields(v.Type())
		at := slices.IndexFunc(list, func(f StructField) bool { return f.Name == fields[i].Name })
		p := reflectx.Of(v.Addr()).At(list[at].Offset)
		m[fields[i].Name] = looseValue(p.Value(list[at].Type), &fields[i].Type, l, model[i].Value)
	}
	return m
}

func looseValue(v reflect.Value, t *Type, l *Layout, model any) any {
	switch t.Kind {
	case Struct:
		return looseStruct(v, l.Structs[t.Struct], l, model.(Members))
	case Slice, Array, Map, Pointer, Binary, Text, Custom:
		if model == nil || t.Elem == nil || !isPlain(t.Elem) {
			return model
		}
	}
	return v.Interface()
}

func isPlain(t *Type) bool {
	switch t.Kind {
	case Struct, Slice, Array, Map, Pointer, Binary, Text, Custom, Any:
		return false
	}
	return true
}

// typeAndLayout returns the stored type of v as a field.
func typeAndLayout(t testing.TB, v any) (*Type, *Layout) {
	t.Helper()
	l, err := Describe(recordOf(reflect.TypeOf(v)), storedFields)
	if err != nil {
		t.Fatal(err)
	}
	return &l.Fields[0].Type, l
}

// TestValueGolden reads what each kind is encoded as, as values without a type.
func TestValueGolden(t *testing.T) {
	for _, tt := range goldenValues {
		ty, l := typeAndLayout(t, tt.in)
		v, err := l.Value(ty, unhex(t, tt.want))
		if err != nil {
			t.Errorf("%s: Value = %v", tt.name, err)
			continue
		}
		if got, err := l.AppendValue(nil, ty, v); hex.EncodeToString(got) != tt.want || err != nil {
			t.Errorf("%s: %#v comes back as %x, %v, want %s", tt.name, v, got, err, tt.want)
		}
	}
}

// TestValueModel has the Go value of each kind.
func TestValueModel(t *testing.T) {
	for _, tt := range []struct {
		name     string
		in, want any
	}{
		{"bool", true, true},
		{"int8", int8(-5), int64(-5)},
		{"uint16", uint16(5), uint64(5)},
		{"float32", float32(1.5), 1.5},
		{"string", word("a"), "a"},
		{"bytes", []flags{1}, []byte{1}},
		{"nil bytes", []byte(nil), nil},
		{"empty bytes", []byte{}, []byte{}},
		{"byte array", [2]byte{1, 2}, []byte{1, 2}},
		{"time", noon, noon.UTC()},
		{"duration", time.Second, time.Second},
		{"nil pointer", (*int)(nil), nil},
		{"pointer", pointerOf(5), int64(5)},
		{"nil slice", []int(nil), nil},
		{"empty slice", []int{}, []any{}},
		{"slice", []int{1}, []any{int64(1)}},
		{"array", [1]bool{true}, []any{true}},
		{"nil map", map[string]int(nil), nil},
		{"empty map", map[string]int{}, []Pair{}},
		{"map", map[string]int{"bb": 1, "c": 2}, []Pair{{"c", int64(2)}, {"bb", int64(1)}}},
		{"struct", point{1, 2}, Members{{"X", int64(1)}, {"Y", 2.0}}},
		{"text", color{1, 2, 255}, "#0102ff"},
		{"binary", version{1, 2}, []byte{1, 2}},
		{"msgpack", raw{[]byte{0x91, 0x01}}, Raw{0x91, 0x01}},
		{"msgpack of two values", couple{"a", "b"}, Raw{0xc4, 4, 0xa1, 'a', 0xa1, 'b'}},
		{"any", struct{ A any }{map[any]any{"s": 1, true: float32(2)}}, Members{{"A", []Pair{{"s", int64(1)}, {true, float32(2)}}}}},
		{"any extension", struct{ A any }{Raw{0xd4, 0x63, 1}}, Members{{"A", Raw{0xd4, 0x63, 1}}}},
		{"any uint64", struct{ A any }{uint64(math.MaxUint64)}, Members{{"A", uint64(math.MaxUint64)}}},
	} {
		c := newRecordCodec(t, reflect.TypeOf(tt.in))
		body, err := c.encode(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.layout.Value(&c.layout.Fields[0].Type, body); !reflect.DeepEqual(got, tt.want) || err != nil {
			t.Errorf("%s: Value = %#v, %v, want %#v", tt.name, got, err, tt.want)
		}
	}
	rec := Members{{"A", 1}, {"B", nil}}
	if v, ok := rec.Get("B"); v != nil || !ok {
		t.Errorf("Get(B) = %v, %t", v, ok)
	}
	if _, ok := rec.Get("C"); ok {
		t.Error("Get(C) finds a field")
	}
}

// TestAppendValue has values of other Go types than those that Value returns.
func TestAppendValue(t *testing.T) {
	type number int
	type named map[word]number
	for _, tt := range []struct {
		name  string
		field any // of the type
		in    any
		want  any // of the field's type, or a part of the error
	}{
		{"int from uint8", int64(0), uint8(5), int64(5)},
		{"int from a named int", int8(0), number(-5), int8(-5)},
		{"int from a whole float", int8(0), 5.0, int8(5)},
		{"int from a json.Number", int64(0), json.Number("9223372036854775807"), int64(math.MaxInt64)},
		{"int from 5e1", int64(0), json.Number("5e1"), int64(50)},
		{"least int", int64(0), int64(math.MinInt64), int64(math.MinInt64)},
		{"int too large", int8(0), 128, "it wants an integer from -128 to 127, not the int 128"},
		{"int too small", int8(0), int64(-129), "it wants an integer from -128 to 127, not the int64 -129"},
		{"uint64 into int64", int64(0), uint64(1 << 63), "it wants an integer from -9223372036854775808 to 9223372036854775807, not the uint64 9223372036854775808"},
		{"int from a fraction", int64(0), 5.5, "it wants an integer from -9223372036854775808 to 9223372036854775807, not the float64 5.5"},
		{"int from NaN", int64(0), math.NaN(), "not the float64 NaN"},
		{"int from 5.5 of JSON", int64(0), json.Number("5.5"), "not the number 5.5"},
		{"int from a number that a float rounds", int64(0), json.Number("9007199254740993.0"), "not the number 9007199254740993.0"},
		{"int from a string", int64(0), "5", `not "5"`},
		{"int from a bool", int64(0), true, "not the bool true"},
		{"int from nil", int64(0), nil, "not nil"},
		{"uint from an int", uint16(0), 65535, uint16(65535)},
		{"negative uint", uint16(0), -1, "it wants an integer from 0 to 65535, not the int -1"},
		{"largest uint", uint64(0), json.Number("18446744073709551615"), uint64(math.MaxUint64)},
		{"float from an int", 0.0, 5, 5.0},
		{"float from an int that it cannot hold", 0.0, int64(1<<53 + 1), "it wants a number of 64 bits, not the int64 9007199254740993"},
		{"float from the largest uint64", 0.0, uint64(math.MaxUint64), "it wants a number of 64 bits"},
		{"float from a json.Number", 0.0, json.Number("0.1"), 0.1},
		{"float from a json.Number too large", 0.0, json.Number("1e400"), "it wants a number of 64 bits"},
		{"float from a json.Number that is none", 0.0, json.Number("NaN"), "it wants a number of 64 bits"},
		{"float32 is the nearest", float32(0), 0.1, float32(0.1)},
		{"float32 too large", float32(0), 1e39, "it wants a number of 32 bits, not the float64 1e+39"},
		{"float32 infinite", float32(0), math.Inf(-1), float32(math.Inf(-1))},
		{"float32 from a large int", float32(0), 1<<24 + 1, "it wants a number of 32 bits"},
		{"string from a named one", "", word("a"), "a"},
		{"string of any bytes", "", "\xff", "\xff"},
		{"string from a number", "", 5, "it wants a string, not the int 5"},
		{"string from a json.Number", "", json.Number("5"), "it wants a string, not the number 5"},
		{"text from a number", color{}, 5, "it wants a string, not the int 5"},
		{"bytes from an array", []byte{}, [2]flags{1, 2}, []byte{1, 2}},
		{"bytes from a named slice", []byte{}, []flags{1, 2}, []byte{1, 2}},
		{"bytes from a string", []byte{}, "a", `it wants bytes, not "a"`},
		{"array from a slice", [2]byte{}, []byte{1, 2}, [2]byte{1, 2}},
		{"array from hexadecimal", [2]byte{}, "0x01fF", [2]byte{1, 255}},
		{"array from a UUID", [16]byte{}, "00010203-0405-0607-0809-0a0b0c0d0e0f", [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
		{"array too short", [2]byte{}, []byte{1}, "it wants 2 bytes, not a []uint8"},
		{"array from a wrong text", [2]byte{}, "0x01f", `it wants 2 bytes, not "0x01f"`},
		{"time from a text", time.Time{}, "2026-03-04T12:00:00.000000005+01:00", noon.Add(-0)},
		{"named time", time.Time{}, stamp(noon), noon},
		{"time too fine", time.Time{}, "2026-03-04T12:00:00.0000000051Z", "is finer than a nanosecond"},
		{"time with zeros after nanoseconds", time.Time{}, "2026-03-04T11:00:00.0000000050Z", noon},
		{"time beyond the years", time.Time{}, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "is outside of the years 1 to 9999"},
		{"time before the years", time.Time{}, "0000-12-31T23:59:59Z", "is outside of the years 1 to 9999"},
		{"time from a date", time.Time{}, "2026-03-04", `it wants a time such as 2006-01-02T15:04:05.999999999Z, not "2026-03-04"`},
		{"time from a number", time.Time{}, 5, "it wants a time, not the int 5"},
		{"duration from an int", time.Duration(0), 5, time.Duration(5)},
		{"duration from a text", time.Duration(0), "1h30m", 90 * time.Minute},
		{"duration from a fraction that is whole", time.Duration(0), "-0.0000000010s1.50h", -time.Nanosecond - 90*time.Minute},
		{"duration finer than a nanosecond", time.Duration(0), "1.0000000001s", `it wants a duration, not "1.0000000001s"`},
		{"duration of less than a nanosecond", time.Duration(0), "0.5ns", `it wants a duration, not "0.5ns"`},
		{"duration of many digits", time.Duration(0), "0.33333333333333h", `it wants a duration, not`},
		{"least duration", time.Duration(0), "-2562047h47m16.854775808s", time.Duration(math.MinInt64)},
		{"duration from a wrong text", time.Duration(0), "1x", `it wants a duration, not "1x"`},
		{"nil pointer", pointerOf(0), nil, (*int)(nil)},
		{"nil pointer of a type", pointerOf(0), (*int)(nil), (*int)(nil)},
		{"pointer", pointerOf(0), pointerOf(pointerOf(5)), pointerOf(5)},
		{"pointer from a wrong value", pointerOf(0), "5", "it wants an integer from"},
		{"slice from an array", []int{}, [2]uint8{1, 2}, []int{1, 2}},
		{"slice from a nil slice", []int{}, []string(nil), []int(nil)},
		{"slice with a wrong element", []int8{}, []any{1, 300}, "[1]: it wants an integer from -128 to 127"},
		{"slice from a number", []int{}, 5, "it wants a list, not the int 5"},
		{"array of another length", [2]int{}, []int{1}, "it wants a list of 2, not one of 1"},
		{"map", map[string]int{}, named{"b": 1, "a": 2}, map[string]int{"b": 1, "a": 2}},
		{"map of pairs", map[int]bool{}, []Pair{{2, true}, {1, false}}, map[int]bool{2: true, 1: false}},
		{"map with a key twice", map[int]bool{}, []Pair{{2, true}, {uint8(2), false}}, "two keys of the map are stored alike"},
		{"map with a wrong key", map[int]bool{}, map[string]bool{"x": true}, `[key x]: it wants an integer from`},
		{"map with a wrong value", map[string]bool{}, map[string]int{"x": 1}, "[x]: it wants true or false, not the int 1"},
		{"map from a list", map[string]bool{}, []any{1}, "it wants a map, not a []interface {}"},
		{"struct", point{}, map[string]any{"Y": 2, "X": 1}, point{1, 2}},
		{"struct lacks a field", point{}, Members{{"Y", 2}}, point{0, 2}},
		{"struct with an unknown field", point{}, Members{{"y", 2}}, `there is no field "y"; did you mean "Y"?`},
		{"struct with a far field", point{}, Members{{"abcdef", 2}}, `there is no field "abcdef"; there are X, Y`},
		{"struct with a field twice", point{}, Members{{"Y", 2}, {"Y", 3}}, "Y: the field is given twice"},
		{"struct from a list", point{}, []any{1}, "it wants a struct of its fields by name, not a []interface {}"},
		{"struct with a wrong field", point{}, Members{{"X", "1"}}, "X: it wants an integer"},
		{"nested", []struct{ P point }{}, []any{map[string]any{"P": map[string]any{"Y": "z"}}}, "[0].P.Y: it wants a number of 32 bits, not \"z\""},
		{"binary", version{}, []byte{1, 2}, version{1, 2}},
		{"text", color{}, "#0102ff", color{1, 2, 255}},
		{"msgpack", raw{}, []byte{0x91, 0x01}, raw{[]byte{0x91, 0x01}}},
		{"msgpack of two values", raw{}, Raw{1, 2}, "it wants one msgpack value"},
		{"msgpack cut short", raw{}, Raw{0x91}, "it wants one msgpack value"},
		{"any raw that is none", struct{ A any }{}, Members{{"A", Raw{}}}, "A: it wants one msgpack value"},
		{"any pairs", struct{ A any }{}, Members{{"A", []Pair{{"b", 1}, {"a", nil}}}}, struct{ A any }{map[string]any{"b": 1, "a": nil}}},
		{"any members", struct{ A any }{}, Members{{"A", Members{{"b", 1}}}}, struct{ A any }{map[string]any{"b": 1}}},
		{"any json.Number", struct{ A any }{}, Members{{"A", []any{json.Number("5"), json.Number("-5"), json.Number("1.5")}}}, struct{ A any }{[]any{5, -5, 1.5}}},
		{"any json.Number too large", struct{ A any }{}, Members{{"A", json.Number("18446744073709551616")}}, "the number 18446744073709551616 is no integer of 64 bits"},
		{"any float too large", struct{ A any }{}, Members{{"A", json.Number("1e400")}}, "the number 1e400 is no float of 64 bits"},
		{"any with equal keys", struct{ A any }{}, Members{{"A", []Pair{{5, 1}, {int64(5), 2}}}}, "A: it could not be read again: a map with two equal keys"},
		{"any with a list for a key", struct{ A any }{}, Members{{"A", []Pair{{[]any{1}, 1}}}}, "A: it could not be read again: found an array, want the key of a map"},
	} {
		ty, l := typeAndLayout(t, tt.field)
		got, err := l.AppendValue([]byte("x"), ty, tt.in)
		if want, isText := tt.want.(string); isText && ty.Kind != String {
			if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, ErrCorrupt) || string(got) != "x" {
				t.Errorf("%s: AppendValue = %q, %v, want an error with %s", tt.name, got, err, want)
			}
			continue
		} else if err != nil && isText {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: AppendValue = %v, want an error with %s", tt.name, err, want)
			}
			continue
		}
		want, wantErr := newRecordCodec(t, reflect.TypeOf(tt.field)).encode(tt.want)
		if err != nil || wantErr != nil || string(got) != "x"+string(want) {
			t.Errorf("%s: AppendValue = %x, %v, want %x, %v", tt.name, got, err, want, wantErr)
		}
	}
}

// TestValueDeep holds the limit for values inside each other.
func TestValueDeep(t *testing.T) {
	_, l := typeAndLayout(t, tree{})
	deep := func(n int) Members {
		m := Members{}
		for range n {
			m = Members{{"Next", m}}
		}
		return m
	}
	ty := &Type{Kind: Struct}
	b, err := l.AppendValue(nil, ty, deep(maxDepth-1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Value(ty, b); err != nil {
		t.Errorf("Value at the limit = %v", err)
	}
	_, err = l.AppendValue(nil, ty, deep(maxDepth))
	if !errors.Is(err, errCycle) || len(err.Error()) > 500 {
		t.Errorf("AppendValue beyond the limit = %.600v, want %v", err, errCycle)
	}
	if _, err := l.Value(ty, bytes.Repeat([]byte{0x94, 0, 0xc0, 0xc0}, maxDepth+1)); !errors.Is(err, errDeep) {
		t.Errorf("Value beyond the limit = %v, want %v", err, errDeep)
	}
	loop := []Pair{{"a", nil}}
	loop[0].Value = loop
	if _, err := l.AppendValue(nil, &Type{Kind: Any}, loop); !errors.Is(err, errCycle) {
		t.Errorf("AppendValue of a loop = %v, want %v", err, errCycle)
	}
}

func TestIsZero(t *testing.T) {
	for _, v := range []any{false, int8(0), uint64(0), 0.0, float32(0), "", [2]byte{}, time.Time{}, time.Duration(0), [2]int{}, point{}, struct{ A *int }{}, (*int)(nil), []int(nil), []byte(nil), map[string]int(nil), struct{ A any }{}} {
		ty, l := typeAndLayout(t, v)
		if zero := AppendZero(nil, *ty, l); !l.IsZero(ty, zero) || l.IsZero(ty, nil) {
			t.Errorf("IsZero of %T = false for %x, or true for nothing", v, zero)
		}
	}
	for _, v := range []any{true, int8(1), uint64(1), 0.5, "a", [2]byte{0, 1}, noon, time.Duration(1), [2]int{0, 1}, point{X: 1}, pointerOf(0), []int{}, []byte{}, map[string]int{}} {
		c := newRecordCodec(t, reflect.TypeOf(v))
		if body, err := c.encode(v); err != nil || c.layout.IsZero(&c.layout.Fields[0].Type, body) {
			t.Errorf("IsZero(%#v) = true, or %v", v, err)
		}
	}
}

// FuzzRecord reads any bytes with and without a Go type: both accept the same,
// and write the same for it.
func FuzzRecord(f *testing.F) {
	typ := reflect.TypeFor[plain]()
	e, d := mustCodec(f, typ)
	l := mustDescribe(f, plain{})
	addBodies(f, e, typ)
	f.Fuzz(func(t *testing.T, body []byte) {
		rec, err := l.Record(body)
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("Record = %v, want ErrCorrupt", err)
		}
		v := reflect.New(typ)
		if typedErr := d.Decode(bytes.Clone(body), reflectx.Of(v)); (err == nil) != (typedErr == nil) {
			t.Fatalf("Record = %v, with its type %v", err, typedErr)
		}
		if err != nil {
			return
		}
		want, offs := bodyOf(t, e, v)
		if got, gotOffs, err := l.AppendRecord(nil, rec, nil); err != nil || !bytes.Equal(got, want) || !slices.Equal(gotOffs, offs) {
			t.Fatalf("AppendRecord = %x, %v, with its type %x", got, err, want)
		}
	})
}
