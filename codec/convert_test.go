package codec

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kivisdb/kivis/reflectx"
)

// pairIDs gives l the ids that the fields of old have by their names, those of
// nested structs by the struct's number too, and new ones to the others. A name
// with an underscore was the name before it.
func pairIDs(old, l *Layout) *Layout {
	next := uint32(1000)
	lists := append([][]Field{l.Fields}, l.Structs...)
	olds := append([][]Field{old.Fields}, old.Structs...)
	for i, fields := range lists {
		for j := range fields {
			f := &fields[j]
			next++
			f.ID = next
			name, was, _ := strings.Cut(f.Name, "_")
			if was == "" {
				was = name
			}
			for k := 0; i < len(olds) && k < len(olds[i]); k++ {
				if g := olds[i][k]; g.Name == was {
					f.ID = g.ID
				}
			}
		}
	}
	return l
}

type (
	oldPoint struct {
		X, Y int8
		Gone string
	}
	newPoint struct {
		New *string
		Y   int64
		X_X int16
	}
	oldTree struct {
		Value uint8
		Kids  []oldTree
		By    map[uint8]*oldTree
	}
	newTree struct {
		By    map[int16]*newTree
		Value int
		Kids  []newTree
		Extra time.Time
	}
)

func TestConvert(t *testing.T) {
	for _, tt := range []struct {
		name     string
		old, new any
	}{
		{"same", point{1, 2}, point{1, 2}},
		{"reordered", struct {
			A int
			B string
		}{1, "b"}, struct {
			B string
			A int
		}{"b", 1}},
		{"removed", struct{ A, B int }{1, 2}, struct{ B int }{2}},
		{"renamed", struct{ A, B int }{1, 2}, struct{ C_A, B int }{1, 2}},
		{"added", struct{ A int }{1}, struct {
			A int
			B bool
			C uint8
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
			O version
			P color
			Q couple
			R any
			S point
		}{A: 1}},
		{"widened", struct {
			A int8
			B uint8
			C float32
			D int
			E []float32
			F map[float32]uint8
			G *float32
			H [2]float32
			I map[string]float32
		}{-1, 255, 1.5, 7, []float32{0.5}, map[float32]uint8{-1.5: 1, 2.5: 2}, pointerOf(float32(1.5)), [2]float32{1, 2}, nil}, struct {
			A int64
			B int16
			C float64
			D time.Duration
			E []float64
			F map[float64]int16
			G *float64
			H [2]float64
			I map[string]float64
		}{-1, 255, 1.5, 7, []float64{0.5}, map[float64]int16{-1.5: 1, 2.5: 2}, pointerOf(1.5), [2]float64{1, 2}, nil}},
		{"values and pointers", struct {
			A int
			B *int
			C []string
			D []*string
			E oldPoint
			F *oldPoint
			G int8
		}{0, pointerOf(7), []string{"", "a"}, []*string{pointerOf("b")}, oldPoint{1, 2, "x"}, &oldPoint{3, 4, ""}, 5}, struct {
			A *int
			B int
			C []*string
			D []string
			E *newPoint
			F newPoint
			G *int64
		}{pointerOf(0), 7, []*string{pointerOf(""), pointerOf("a")}, []string{"b"}, &newPoint{nil, 2, 1}, newPoint{nil, 4, 3}, pointerOf(int64(5))}},
		{"nested", struct {
			A oldPoint
			B []oldPoint
			C map[string]*oldPoint
			D *oldPoint
			E [1]oldPoint
			F []oldPoint
		}{oldPoint{1, 2, "x"}, []oldPoint{{3, 4, "x"}}, map[string]*oldPoint{"k": {5, 6, "x"}, "l": nil}, nil, [1]oldPoint{{7, 8, ""}}, nil}, struct {
			A newPoint
			B []newPoint
			C map[string]*newPoint
			D *newPoint
			E [1]newPoint
			F []newPoint
		}{newPoint{nil, 2, 1}, []newPoint{{nil, 4, 3}}, map[string]*newPoint{"k": {nil, 6, 5}, "l": nil}, nil, [1]newPoint{{nil, 8, 7}}, nil}},
		{"recursive", struct{ T oldTree }{oldTree{1, []oldTree{{Value: 2}}, map[uint8]*oldTree{3: {Value: 3}, 200: nil}}},
			struct{ T newTree }{newTree{map[int16]*newTree{3: {Value: 3}, 200: nil}, 1, []newTree{{Value: 2}}, time.Time{}}}},
		{"recursive and the same", struct{ A, B tree }{A: tree{1, []tree{{Value: 2}}, nil, nil}}, struct{ A tree }{tree{1, []tree{{Value: 2}}, nil, nil}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stored := withIDs(mustDescribe(t, tt.old), 1)
			current := pairIDs(stored, mustDescribe(t, tt.new))
			oldE, _ := mustCodec(t, reflect.TypeOf(tt.old))
			newE, newD := mustCodec(t, reflect.TypeOf(tt.new))
			body, _, err := oldE.Encode(nil, pointerTo(reflect.ValueOf(tt.old)), nil)
			if err != nil {
				t.Fatal(err)
			}
			c, err := CompileConverter(stored, current)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Convert([]byte("x"), body)
			if err != nil || got[0] != 'x' {
				t.Fatalf("Convert = %x, %v", got, err)
			}
			want, _, err := newE.Encode(nil, pointerTo(reflect.ValueOf(tt.new)), nil)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got[1:], want) && tt.name != "added" { // where zeros of types that marshal themselves are nil
				t.Errorf("Convert = %x, want %x", got[1:], want)
			}
			v := reflect.New(reflect.TypeOf(tt.new))
			if err := newD.Decode(got[1:], reflectx.Of(v)); err != nil || !reflect.DeepEqual(v.Elem().Interface(), tt.new) {
				t.Errorf("decoded as %+v, %v, want %+v", v.Elem(), err, tt.new)
			}
			checkOldDecoder(t, stored, current, body, tt.new)
			for n := range body {
				if got, err := c.Convert([]byte("x"), body[:n]); !errors.Is(err, ErrCorrupt) || string(got) != "x" {
					t.Fatalf("Convert of %d of %d bytes = %x, %v, want ErrCorrupt", n, len(body), got, err)
				}
			}
		})
	}
}

// checkOldDecoder checks that a decoder made for the stored layout reads body
// as want.
func checkOldDecoder(t *testing.T, stored, current *Layout, body []byte, want any) {
	t.Helper()
	typ := reflect.TypeOf(want)
	d, err := CompileDecoder(typ, stored, current, storedFields)
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.New(typ)
	fillAny(source{newRand(1)}, v.Elem(), 3)
	if err := d.Decode(body, reflectx.Of(v)); err != nil || !reflect.DeepEqual(v.Elem().Interface(), want) {
		t.Errorf("decoded at once as %+v, %v, want %+v", v.Elem(), err, want)
	}
	if err := d.Decode(append(body, 0), reflectx.Of(v)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Decode of a longer body = %v, want ErrCorrupt", err)
	}
}

func TestCompileConverterErrors(t *testing.T) {
	for _, tt := range []struct {
		old, new any
		want     string
	}{
		{struct{ A int64 }{}, struct{ A int32 }{}, "A: stored as int64, which cannot be read as int32"},
		{struct{ A int8 }{}, struct{ A uint64 }{}, "A: stored as int8, which cannot be read as uint64"},
		{struct{ A string }{}, struct{ A []byte }{}, "A: stored as string, which cannot be read as []byte"},
		{struct{ A []byte }{}, struct{ A *[]byte }{}, "A: stored as []byte, which cannot be read as *[]byte"},
		{struct{ A int }{}, struct{ A *string }{}, "A: stored as int64, which cannot be read as *string"},
		{struct{ A [2]int }{}, struct{ A [3]int }{}, "A: stored as [2]int64, which cannot be read as [3]int64"},
		{struct{ A map[string]int }{}, struct{ A map[int]int }{}, "A: stored as string, which cannot be read as int64"},
		{struct{ A []struct{ B float64 } }{}, struct{ A []struct{ B float32 } }{}, "A.B: stored as float64, which cannot be read as float32"},
	} {
		stored := mustDescribe(t, tt.old)
		_, err := CompileConverter(stored, mustDescribe(t, tt.new))
		if want := "codec: compile: " + tt.want; err == nil || err.Error() != want {
			t.Errorf("CompileConverter = %v, want %v", err, want)
		}
		if _, err := CompileDecoder(reflect.TypeOf(tt.new), stored, mustDescribe(t, tt.new), storedFields); err == nil {
			t.Errorf("CompileDecoder of %T succeeds", tt.new)
		}
	}
}

func TestConvertCorrupt(t *testing.T) {
	type old struct {
		A point
		F float32
		L []float32
		M map[float32]point
		T oldTree
	}
	type current struct {
		F float64
		A struct{ X int }
		L []float64
		M map[float64]point
		T newTree
	}
	c, err := CompileConverter(mustDescribe(t, old{}), mustDescribe(t, current{}))
	if err != nil {
		t.Fatal(err)
	}
	const a, f, l, m, tr = "9201ca00000000", "ca00000000", "c0", "c0", "9301c0c0"
	for _, tt := range []struct{ body, want string }{
		{a + f + l + m + tr + "c0", " at byte 18: corrupt data: bytes after the last field"},
		{"9101" + f + l + m + tr, ": A at byte 0: corrupt data: found 1 fields, want 2"},
		{"c0" + f + l + m + tr, ": A at byte 0: corrupt data: found nil, want an array"},
		{a + "01" + l + m + tr, ": F at byte 7: corrupt data: found an integer, want a float"},
		{a + f + "9201a0" + m + tr, ": L[0] at byte 13: corrupt data: found an integer, want a float"},
		{a + f + l + "8101c0" + tr, ": M at byte 14: corrupt data: found an integer, want a float"},
		{a + f + l + "90" + tr, ": M at byte 13: corrupt data: found an array, want a map"},
		{a + f + l + m + "930191920102c0", ": T.Kids[0] at byte 17: corrupt data: found 2 fields, want 3"},
		{"c1", " at byte 0: field 1 of 5: corrupt data: 0xc1 starts no value"},
	} {
		body, err := hex.DecodeString(tt.body)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Convert(nil, body)
		if want := "codec: decode" + tt.want; !errors.Is(err, ErrCorrupt) || err.Error() != want {
			t.Errorf("Convert(%s) = %v, want %v", tt.body, err, want)
		}
	}
	deep, _ := hex.DecodeString(a + f + l + m + strings.Repeat("930191", maxDepth+1) + "c0" + strings.Repeat("c0", maxDepth+1))
	if _, err := c.Convert(nil, deep); !errors.Is(err, errDeep) {
		t.Errorf("Convert of a deep body = %v, want %v", err, errDeep)
	}
}

// TestNilFinder: a nil that meets a value is found, with its path, and reads as
// zero.
func TestNilFinder(t *testing.T) {
	type in struct{ X, Y *int }
	type out struct{ X, Z_Y int }
	old := struct {
		A *int
		B []*string
		C in
		D *int
	}{nil, []*string{nil, pointerOf("b"), nil}, in{pointerOf(1), nil}, nil}
	current := struct {
		A int
		B []string
		C out
		D *int
	}{0, []string{"", "b", ""}, out{1, 0}, nil}
	stored := withIDs(mustDescribe(t, old), 1)
	next := pairIDs(stored, mustDescribe(t, current))
	e, _ := mustCodec(t, reflect.TypeOf(old))
	body, _, err := e.Encode(nil, pointerTo(reflect.ValueOf(old)), nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := CompileNilFinder(stored, next)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		paths, err := f.Find(body)
		if got, want := strings.Join(paths, " "), "A B B C.Z_Y"; err != nil || got != want {
			t.Errorf("Find = %s, %v, want %s", got, err, want)
		}
	}
	checkOldDecoder(t, stored, next, body, current)
	if _, err := f.Find(body[:3]); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Find of a part of a body = %v, want ErrCorrupt", err)
	}
}
