package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/reflectx"
)

// checkKeyValue checks that part, of type k, comes back the same by way of its
// values, and by way of its text.
func checkKeyValue(t *testing.T, k *KeyType, ty *Type, l *Layout, part []byte) {
	t.Helper()
	v, rest, err := k.Value(append(bytes.Clone(part), "rest"...))
	if err != nil || string(rest) != "rest" {
		t.Errorf("%v: Value(%x) = %v, %x, %v", *k, part, v, rest, err)
		return
	}
	for _, typ := range []*Type{ty, nil} {
		if got, err := k.AppendValue([]byte("x"), typ, l, v); err != nil || string(got) != "x"+string(part) {
			t.Errorf("%v: AppendValue(%v) = %x, %v, want %x", *k, v, got, err, part)
		}
	}
	text, _, err := k.Format(part)
	if err != nil {
		t.Fatal(err)
	}
	values, err := k.Parse(text)
	if err != nil {
		t.Errorf("%v: Parse(%s) = %v", *k, text, err)
		return
	}
	back := any(values)
	if k.Kind != Struct || k.Ptr {
		back = values[0]
	}
	if got, err := k.AppendValue(nil, ty, l, back); err != nil || !bytes.Equal(got, part) {
		t.Errorf("%v: %s comes back as %x, %v, want %x", *k, text, got, err, part)
	}
}

// TestKeyValueRandom tries tuples of all kinds, descending and folded ones too.
func TestKeyValueRandom(t *testing.T) {
	typ := reflect.TypeFor[everyKey]()
	l, err := Describe(recordOf(typ), storedFields)
	if err != nil {
		t.Fatal(err)
	}
	ty, base := &l.Fields[0].Type, mustKeyType(t, typ)
	for seed := range uint64(1000) {
		s := source{newRand(seed)}
		v := reflect.New(typ).Elem()
		s.fill(v)
		k := base.Base()
		s.vary(&k)
		checkKeyValue(t, &k, ty, l, mustAppend(t, mustPlan(t, typ, k), v))
		for i := range v.NumField() {
			part := mustAppend(t, mustPlan(t, v.Field(i).Type(), k.Parts[i]), v.Field(i))
			checkKeyValue(t, &k.Parts[i], &l.Structs[ty.Struct][i].Type, l, part)
			tuple := KeyType{Kind: Struct, Parts: []KeyType{k.Parts[i]}}
			checkKeyValue(t, &tuple, nil, l, part)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestKeyParse(t *testing.T) {
	str, num := KeyType{Kind: String}, KeyType{Kind: Int}
	ptr := KeyType{Kind: String, Ptr: true}
	pair := KeyType{Kind: Struct, Parts: []KeyType{num, str}}
	tuple := func(parts ...KeyType) KeyType { return KeyType{Kind: Struct, Parts: parts} }
	list := func(v ...any) []any { return v }
	id := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	for _, tt := range []struct {
		key  KeyType
		text string
		want any // the values, or a part of the error
	}{
		{num, "8", list(int64(8))},
		{num, " -8 ", list(int64(-8))},
		{num, "0x1F", list(int64(31))},
		{num, "-0x1F", list(int64(-31))},
		{num, "010", list(int64(10))},
		{num, "18446744073709551615", list(uint64(1<<64 - 1))},
		{num, "(8)", list(int64(8))},
		{tuple(num), "8", list(int64(8))},
		{tuple(num), "(8)", list(int64(8))},
		{num, "0x-5", "the key wants an integer, not 0x-5"},
		{num, "1e3", "the key wants an integer, not 1e3"},
		{num, "1_000", "the key wants an integer, not 1_000"},
		{num, "8,1", "the key 8,1 has more than one part"},
		{num, "'8'", `the key wants an integer, not "8"`},
		{num, "", `the key wants an integer, not ""`},
		{num, "(8", "the key wants an integer, not (8"},
		{str, "ORD", list("ORD")},
		{str, "'ORD'", list("ORD")},
		{str, `"O\x00RD"`, list("O\x00RD")},
		{str, "'it''s'", list("it's")},
		{str, " a,b ) ", list(" a,b ) ")},
		{str, "", list("")},
		{str, "''", list("")},
		{str, "it's", list("it's")},
		{str, "('ORD')", list("ORD")},
		{str, "nil", list("nil")},
		{ptr, "nil", list(nil)},
		{ptr, "'nil'", list("nil")},
		{str, "'ORD", "a string in the key 'ORD does not end"},
		{str, `"ORD`, "does not end, or has a bad escape"},
		{str, "'a' b", "has more than one part"},
		{pair, "8,a", list(int64(8), "a")},
		{pair, "(8, 'a')", list(int64(8), "a")},
		{pair, `( 8 , "a, b" )`, list(int64(8), "a, b")},
		{pair, "8, a b", list(int64(8), "a b")},
		{pair, `[8, "a"]`, list(json.Number("8"), "a")},
		{pair, `[8]`, "it wants 2 values for (int, string), not 1"},
		{pair, `[8, "a"] x`, "is no array of JSON"},
		{pair, `[8, `, "is no array of JSON"},
		{pair, "8", "the key 8 has 1 parts, want 2"},
		{pair, "8,", `the key wants a string, in quotes where it is empty, not ""`},
		{pair, "8,a,b", "the key 8,a,b has more than the 2 parts of (int, string)"},
		{pair, "(8,a", "a ) is missing in the key (8,a"},
		{pair, "8,a)", "has more than the 2 parts"},
		{tuple(num, pair), "1,(8,a)", list(int64(1), list(int64(8), "a"))},
		{tuple(num, pair), "1,8,a", "the key wants a tuple such as (1, 'a'), not 8"},
		{tuple(pair), "(8,a)", list(list(int64(8), "a"))},
		{tuple(pair), "((8,a))", list(list(int64(8), "a"))},
		{tuple(num, ptr), "1,nil", list(int64(1), nil)},
		{KeyType{Kind: Bool}, "true", list(true)},
		{KeyType{Kind: Bool}, "yes", "the key wants true or false, not yes"},
		{KeyType{Kind: Float}, "-1.5e3", list(-1500.0)},
		{KeyType{Kind: Duration}, "1h30m", list(90 * time.Minute)},
		{KeyType{Kind: Duration}, "0.5ns", "the key wants a duration such as 1h30m, not 0.5ns"},
		{KeyType{Kind: Bytes}, "0x0a0b", list([]byte{10, 11})},
		{KeyType{Kind: Bytes}, "'ab'", list([]byte("ab"))},
		{KeyType{Kind: Bytes}, "ab", "the key wants bytes such as 0x0a0b, not ab"},
		{KeyType{Kind: ByteArray, Len: 16}, "00010203-0405-0607-0809-0a0b0c0d0e0f", list(id)},
		{KeyType{Kind: ByteArray, Len: 16}, "'000102030405060708090a0b0c0d0e0f'", list(id)},
		{KeyType{Kind: ByteArray, Len: 2}, "0x00", "the key wants 2 bytes such as 0x0a0b, not 0x00"},
		{KeyType{Kind: Time}, "2026-03-04", list(time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC))},
		{KeyType{Kind: Time}, "'2026-03-04 12:00'", list(time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC))},
		{KeyType{Kind: Time}, "2026-03-04T12:00:00.1234567891Z", "the key wants a time"},
		{KeyType{Kind: Time}, "noon", "the key wants a time such as 2006-01-02T15:04:05Z or 2006-01-02, not noon"},
	} {
		got, err := tt.key.Parse(tt.text)
		if want, isError := tt.want.(string); isError {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: Parse(%q) = %v, %v, want an error with %s", tt.key, tt.text, got, err, want)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%v: Parse(%q) = %#v, %v, want %#v", tt.key, tt.text, got, err, tt.want)
		}
	}
}

func TestKeyAppendValueErrors(t *testing.T) {
	type key struct {
		N int8
		S struct{ U uint16 }
	}
	l, err := Describe(recordOf(reflect.TypeFor[key]()), storedFields)
	if err != nil {
		t.Fatal(err)
	}
	k, err := KeyTypeFor(l.Fields[0].Type, l)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		in   any
		want string
	}{
		{[]any{128, []any{1}}, "N: it wants an integer from -128 to 127, not the int 128"},
		{[]any{1, []any{-1}}, "S.U: it wants an integer from 0 to 65535, not the int -1"},
		{[]any{1, 1}, "S: it wants a list of the 1 parts of (uint), not the int 1"},
		{[]any{1}, "it wants 2 values for (int, (uint)), not 1"},
		{[]any{nil, []any{1}}, "N: it wants an integer from -128 to 127, not nil"},
		{5, "it wants a list of the 2 parts of (int, (uint)), not the int 5"},
	} {
		got, err := k.AppendValue([]byte("x"), &l.Fields[0].Type, l, tt.in)
		if want := "codec: encode: " + tt.want; string(got) != "x" || errors.Is(err, ErrCorrupt) ||
			err == nil || strings.Replace(err.Error(), "codec: encode: ", "codec: encode: ", 1) != want {
			t.Errorf("AppendValue(%v) = %q, %v, want %s", tt.in, got, err, want)
		}
	}
	if got, err := k.AppendValue(nil, nil, nil, []any{json.Number("300"), []uint16{1}}); err != nil || len(got) == 0 {
		t.Errorf("AppendValue without a type = %x, %v", got, err)
	}
	members := Members{{"N", 1}, {"S", []any{2}}}
	want, _ := k.AppendValue(nil, nil, nil, []any{1, []any{2}})
	if got, err := k.AppendValue(nil, nil, nil, members); err != nil || !bytes.Equal(got, want) {
		t.Errorf("AppendValue of members = %x, %v, want %x", got, err, want)
	}
}

// FuzzKeyValue reads any bytes as parts without a Go type: what Skip accepts has
// a value, and is what the value is encoded as, but for folded strings.
func FuzzKeyValue(f *testing.F) {
	for n := range uint16(len(fuzzTypes) << 4) {
		_, k := fuzzKey(f, n)
		f.Add(n, k.AppendZero(nil))
	}
	f.Fuzz(func(t *testing.T, n uint16, src []byte) {
		typ, k := fuzzKey(t, n)
		rest, err := k.Skip(src)
		v, after, valueErr := k.Value(src)
		if (err == nil) != (valueErr == nil) || valueErr != nil && !errors.Is(valueErr, ErrCorrupt) {
			t.Fatalf("Value = %v, Skip %v", valueErr, err)
		}
		if err != nil {
			return
		}
		part := src[:len(src)-len(rest)]
		if _, err := mustPlan(t, typ, k).Decode(src, reflectx.Of(reflect.New(typ))); errors.Is(err, errKeyRange) {
			return // an integer of another kind, which has its place in the order too
		}
		if got, err := k.AppendValue(nil, nil, nil, v); len(after) != len(rest) || err != nil || !bytes.Equal(got, part) {
			t.Fatalf("%x has the value %v, which is %x, %v", part, v, got, err)
		}
	})
}

// FuzzKeyParse reads any text as a key: no panic, and what is accepted can be
// encoded and printed, or is refused with words.
func FuzzKeyParse(f *testing.F) {
	for n := range uint16(len(fuzzTypes) << 4) {
		_, k := fuzzKey(f, n)
		text, _, _ := k.Format(k.AppendZero(nil))
		f.Add(n, text)
	}
	f.Fuzz(func(t *testing.T, n uint16, text string) {
		_, k := fuzzKey(t, n)
		values, err := k.Parse(text)
		if err != nil {
			return
		}
		v := any(values)
		if k.Kind != Struct || k.Ptr {
			v = values[0]
		}
		part, err := k.AppendValue(nil, nil, nil, v)
		if err != nil {
			return // a time out of range, for one
		}
		again, _, err := k.Format(part)
		if err != nil {
			t.Fatalf("Format of %q, %x = %v", text, part, err)
		}
		if _, err := k.Parse(again); err != nil {
			t.Fatalf("%q is %s, which is no key: %v", text, again, err)
		}
	})
}
