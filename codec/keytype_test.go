package codec

import (
	"fmt"
	"math/big"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

type ownMsgpack string

func (ownMsgpack) EncodeMsgpack(*msgpack.Encoder) error  { return nil }
func (*ownMsgpack) DecodeMsgpack(*msgpack.Decoder) error { return nil }

type ownText string

func (ownText) MarshalText() ([]byte, error)  { return nil, nil }
func (*ownText) UnmarshalText(_ []byte) error { return nil }

type recursive struct {
	Name string
	Next *recursive
}

type nested struct {
	ID     int
	Place  struct{ City, Zip string }
	hidden []int
}

var _ = nested{}.hidden // it is not stored

func TestKeyTypeOf(t *testing.T) {
	for _, test := range []struct {
		typ  reflect.Type
		want string
		err  string
	}{
		{typ: reflect.TypeFor[bool](), want: "bool"},
		{typ: reflect.TypeFor[small](), want: "int"},
		{typ: reflect.TypeFor[uintptr](), want: "uint"},
		{typ: reflect.TypeFor[ratio](), want: "float"},
		{typ: reflect.TypeFor[code](), want: "string"},
		{typ: reflect.TypeFor[ownText](), want: "string"},
		{typ: reflect.TypeFor[blob](), want: "bytes"},
		{typ: reflect.TypeFor[id16](), want: "[16]byte"},
		{typ: reflect.TypeFor[time.Time](), want: "time"},
		{typ: reflect.TypeFor[instant](), want: "time"},
		{typ: reflect.TypeFor[time.Duration](), want: "duration"},
		{typ: reflect.TypeFor[*time.Time](), want: "*time"},
		{typ: reflect.TypeFor[nested](), want: "(int, (string, string))"},
		{typ: reflect.TypeFor[*nested](), want: "*(int, (string, string))"},

		{typ: reflect.TypeFor[**int](), err: "a pointer to a pointer cannot be part of a key"},
		{typ: reflect.TypeFor[*blob](), err: "a pointer to bytes cannot be part of a key: bytes may be nil by themselves"},
		{typ: reflect.TypeFor[recursive](), err: "Next: a type that contains itself cannot be part of a key"},
		{typ: reflect.TypeFor[struct{}](), err: "a struct without stored fields cannot be part of a key"},
		{typ: reflect.TypeFor[[]string](), err: "[]string cannot be part of a key: slices, arrays and maps have no order, bytes apart"},
		{typ: reflect.TypeFor[[2]int](), err: "[2]int cannot be part of a key: slices, arrays and maps have no order, bytes apart"},
		{typ: reflect.TypeFor[map[string]int](), err: "map[string]int cannot be part of a key: slices, arrays and maps have no order, bytes apart"},
		{typ: reflect.TypeFor[any](), err: "any cannot be part of a key: an interface has no type to order by"},
		{typ: reflect.TypeFor[error](), err: "error cannot be part of a key: it cannot be stored"},
		{typ: reflect.TypeFor[func()](), err: "func() cannot be part of a key: it cannot be stored"},
		{typ: reflect.TypeFor[ownMsgpack](), err: "codec.ownMsgpack cannot be part of a key: the order of a type that marshals itself is not known, unless it has the methods AppendKey and ParseKey"},
		{typ: reflect.TypeFor[big.Float](), err: "big.Float cannot be part of a key: the order of a type that marshals itself is not known, unless it has the methods AppendKey and ParseKey"},
		{typ: reflect.TypeFor[url.URL](), err: "url.URL cannot be part of a key: the order of a type that marshals itself is not known, unless it has the methods AppendKey and ParseKey"},
		{typ: reflect.TypeFor[struct{ A struct{ B []int } }](), err: "A.B: []int cannot be part of a key: slices, arrays and maps have no order, bytes apart"},
		{typ: reflect.TypeFor[struct{ *nested }](), err: `reflectx: struct{...}.nested: embedded pointer *codec.nested: embed codec.nested by value, give the field a name, or skip it with the tag "-"`},
	} {
		k, err := KeyTypeOf(test.typ, storedFields)
		got := fmt.Sprint(err)
		if err != nil && got != test.err || err == nil && test.err != "" {
			t.Errorf("KeyTypeOf(%v) = error %v\nwant %s", test.typ, err, test.err)
		}
		if err == nil && k.String() != test.want {
			t.Errorf("KeyTypeOf(%v) = %v, want %s", test.typ, k, test.want)
		}
	}
}

func TestKeyTypeFor(t *testing.T) {
	str, num := Type{Kind: String}, Type{Kind: Int, Bits: 64}
	layout := &Layout{Structs: [][]Field{
		{{Name: "A", Type: str}, {Name: "B", Type: Type{Kind: Pointer, Elem: &num}}},
		{{Name: "Self", Type: Type{Kind: Pointer, Elem: &Type{Kind: Struct, Struct: 1}}}},
		{},
		{{Name: "In", Type: Type{Kind: Struct, Struct: 4}}},
		{{Name: "List", Type: Type{Kind: Slice, Elem: &num}}},
	}}
	for _, test := range []struct {
		typ       Type
		want, err string
	}{
		{typ: str, want: "string"},
		{typ: num, want: "int"},
		{typ: Type{Kind: ByteArray, Len: 4}, want: "[4]byte"},
		{typ: Type{Kind: Duration}, want: "duration"},
		{typ: Type{Kind: Pointer, Elem: &str}, want: "*string"},
		{typ: Type{Kind: Struct}, want: "(string, *int)"},
		{typ: Type{Kind: Pointer, Elem: &Type{Kind: Struct}}, want: "*(string, *int)"},
		{typ: Type{Kind: Pointer}, err: "a pointer to a pointer cannot be part of a key"},
		{typ: Type{Kind: Struct, Struct: 1}, err: "Self: a type that contains itself cannot be part of a key"},
		{typ: Type{Kind: Struct, Struct: 2}, err: "a struct without stored fields cannot be part of a key"},
		{typ: Type{Kind: Struct, Struct: 3}, err: "In.List: slices, arrays and maps have no order, bytes apart"},
		{typ: Type{Kind: Struct, Struct: 5}, err: "no struct 5 in the layout"},
		{typ: Type{Kind: Text}, err: "the order of a type that marshals itself is not known, unless it has the methods AppendKey and ParseKey"},
		{typ: Type{}, err: "it cannot be stored"},
	} {
		k, err := KeyTypeFor(test.typ, layout)
		if err != nil && err.Error() != test.err || err == nil && (test.err != "" || k.String() != test.want) {
			t.Errorf("KeyTypeFor(%v) = %v, %v, want %s%s", test.typ, k, err, test.want, test.err)
		}
	}
}

func TestKeyTypeRelations(t *testing.T) {
	tuple := KeyType{Kind: Struct, Desc: true, Parts: []KeyType{{Kind: String, Fold: true}, {Kind: Int, Ptr: true, Desc: true}}}
	if got, want := tuple.String(), "(string fold, *int desc) desc"; got != want {
		t.Errorf("String = %s, want %s", got, want)
	}
	if got, want := tuple.Base().String(), "(string, *int)"; got != want {
		t.Errorf("Base = %s, want %s", got, want)
	}
	if !tuple.Parts[0].Fold {
		t.Error("Base changed its receiver")
	}
	with := func(k Kind) KeyType {
		c := tuple
		c.Parts = []KeyType{tuple.Parts[0], {Kind: k, Ptr: true, Desc: true}}
		return c
	}
	for _, test := range []struct {
		a, b              KeyType
		equal, compatible bool
	}{
		{tuple, with(Int), true, true},
		{tuple, with(Uint), false, true},
		{tuple, with(Duration), false, true},
		{tuple, with(Float), false, false},
		{tuple, tuple.Base(), false, false},
		{KeyType{Kind: String}, KeyType{Kind: Bytes}, false, false},
		{KeyType{Kind: ByteArray, Len: 3}, KeyType{Kind: ByteArray, Len: 4}, false, false},
		{KeyType{Kind: Int}, KeyType{Kind: Int, Ptr: true}, false, false},
		{KeyType{Kind: Struct, Parts: tuple.Parts}, KeyType{Kind: Struct, Parts: tuple.Parts[:1]}, false, false},
	} {
		if got := test.a.Equal(test.b); got != test.equal {
			t.Errorf("%v equals %v: %t, want %t", test.a, test.b, got, test.equal)
		}
		if got := test.a.Compatible(test.b); got != test.compatible {
			t.Errorf("%v is compatible with %v: %t, want %t", test.a, test.b, got, test.compatible)
		}
	}
}

func TestCompileKeyErrors(t *testing.T) {
	pair := KeyType{Kind: Struct, Parts: []KeyType{{Kind: String}, {Kind: Int}}}
	for _, test := range []struct {
		typ  reflect.Type
		k    KeyType
		want string
	}{
		{reflect.TypeFor[string](), KeyType{Kind: Int}, "string is string as a key, not int"},
		{reflect.TypeFor[*int](), KeyType{Kind: Int}, "*int is *int as a key, not int"},
		{reflect.TypeFor[[4]byte](), KeyType{Kind: ByteArray, Len: 5}, "[4]byte is [4]byte as a key, not [5]byte"},
		{reflect.TypeFor[struct {
			A string
		}](), pair, "struct{...} is (string) as a key, not (string, int)"},
		{reflect.TypeFor[map[int]int](), pair, "map[int]int cannot be part of a key: slices, arrays and maps have no order, bytes apart"},
	} {
		if _, err := CompileKey(test.typ, storedFields, test.k); err == nil || err.Error() != test.want {
			t.Errorf("CompileKey(%v, %v) = %v, want %s", test.typ, test.k, err, test.want)
		}
	}
}
