package codec

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	vmsgpack "github.com/vmihailenco/msgpack/v5"

	"github.com/kivisdb/kivis/internal/msgpack"
)

// withIDs gives all fields of l ids, from first on.
func withIDs(l *Layout, first uint32) *Layout {
	for _, fields := range append([][]Field{l.Fields}, l.Structs...) {
		for i := range fields {
			fields[i].ID = first
			first++
		}
	}
	return l
}

func mustDescribe(t testing.TB, v any) *Layout {
	t.Helper()
	l, err := Describe(reflect.TypeOf(v), storedFields)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLayoutBytes(t *testing.T) {
	for _, v := range []any{everything{}, customer{}, tree{}, benchUser{}, struct{}{}} {
		want := withIDs(mustDescribe(t, v), 1)
		b := AppendLayout(nil, want)
		got, rest, err := ConsumeLayout(append(b, 1, 2))
		if err != nil || !got.Equal(want) || got.String() != want.String() || len(rest) != 2 {
			t.Fatalf("%T comes back as %v, %x, %v, want %v", v, got, rest, err, want)
		}
		if again := AppendLayout(nil, got); !bytes.Equal(again, b) {
			t.Errorf("%T is written again as %x, want %x", v, again, b)
		}
		if err := vmsgpack.Unmarshal(b, new(any)); err != nil {
			t.Errorf("the library cannot read the layout of %T: %v", v, err)
		}
	}
}

func TestLayoutBytesGolden(t *testing.T) {
	l := withIDs(mustDescribe(t, struct {
		A int8
		B map[string]*point
		C [2]byte
	}{}), 7)
	const want = `{"fields":[` +
		`{"id":7,"name":"A","type":{"kind":2,"bits":8}},` +
		`{"id":8,"name":"B","type":{"kind":13,"elem":{"kind":10,"elem":{"kind":14}},"key":{"kind":5}}},` +
		`{"id":9,"name":"C","type":{"kind":7,"len":2}}],` +
		`"structs":[[` +
		`{"id":10,"name":"X","type":{"kind":2,"bits":64}},` +
		`{"id":11,"name":"Y","type":{"kind":4,"bits":32}}]]}`
	if got := asText(AppendLayout(nil, l)); got != want {
		t.Errorf("AppendLayout = %s, want %s", got, want)
	}
	k := KeyType{Kind: Struct, Parts: []KeyType{{Kind: String, Fold: true, Desc: true}, {Kind: ByteArray, Len: 16, Ptr: true}}}
	const wantKey = `{"kind":14,"parts":[{"kind":5,"desc":true,"fold":true},{"kind":7,"len":16,"ptr":true}]}`
	if got := asText(AppendKeyType(nil, k)); got != wantKey {
		t.Errorf("AppendKeyType = %s, want %s", got, wantKey)
	}
}

// asText returns the msgpack value b of maps by strings, lists, strings and
// other values much as JSON, with the keys of maps in their order.
func asText(b []byte) string {
	s, _ := appendAsText(nil, b)
	return string(s)
}

func appendAsText(dst, b []byte) (out, rest []byte) {
	if n, rest, err := msgpack.ConsumeMapLen(b); err == nil {
		dst = append(dst, '{')
		for i := range n {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst, rest = appendAsText(dst, rest)
			dst, rest = appendAsText(append(dst, ':'), rest)
		}
		return append(dst, '}'), rest
	}
	if n, rest, err := msgpack.ConsumeArrayLen(b); err == nil {
		dst = append(dst, '[')
		for i := range n {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst, rest = appendAsText(dst, rest)
		}
		return append(dst, ']'), rest
	}
	if s, rest, err := msgpack.ConsumeString(b); err == nil {
		return append(append(append(dst, '"'), s...), '"'), rest
	}
	if v, rest, err := msgpack.ConsumeBool(b); err == nil {
		return append(dst, map[bool]string{true: "true", false: "false"}[v]...), rest
	}
	v, rest, _ := msgpack.ConsumeUint(b)
	if v > 9 {
		dst = append(dst, byte('0'+v/10))
	}
	return append(dst, byte('0'+v%10)), rest
}

func TestKeyTypeBytes(t *testing.T) {
	for _, want := range []KeyType{
		{Kind: Bool}, {Kind: Int, Desc: true}, {Kind: String, Fold: true, Ptr: true}, {Kind: ByteArray, Len: 1 << 20},
		{Kind: Struct, Parts: []KeyType{}}, {Kind: Struct, Parts: []KeyType{{Kind: Time}, {Kind: Struct, Desc: true, Parts: []KeyType{{Kind: Bytes}}}}},
	} {
		b := AppendKeyType(nil, want)
		got, rest, err := ConsumeKeyType(append(b, 1))
		if err != nil || !got.Equal(want) || len(rest) != 1 {
			t.Errorf("%v comes back as %v, %x, %v", want, got, rest, err)
		}
		for n := range b {
			if _, _, err := ConsumeKeyType(b[:n]); !errors.Is(err, ErrCorrupt) {
				t.Errorf("ConsumeKeyType of %d bytes of %x = %v, want ErrCorrupt", n, b, err)
			}
		}
	}
	deep := KeyType{Kind: Bool}
	for range maxTypeDepth + 1 {
		deep = KeyType{Kind: Struct, Parts: []KeyType{deep}}
	}
	for _, k := range []KeyType{{}, {Kind: Any}, {Kind: Map}, {Kind: Int, Fold: true}, {Kind: Int, Len: 1}, {Kind: Struct}, {Kind: Int, Parts: []KeyType{{Kind: Int}}}, deep} {
		if _, _, err := ConsumeKeyType(AppendKeyType(nil, k)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("ConsumeKeyType of %v = %v, want ErrCorrupt", k.Kind, err)
		}
	}
}

func TestLayoutCorrupt(t *testing.T) {
	one := func(t Type) *Layout { return &Layout{Fields: []Field{{Name: "F", Type: t}}} }
	self := func(t Type) *Layout { return &Layout{Structs: [][]Field{{{Name: "F", Type: t}}}} }
	num := Type{Kind: Int, Bits: 8}
	deep := num
	for range maxTypeDepth + 1 {
		elem := deep
		deep = Type{Kind: Slice, Elem: &elem}
	}
	doubling := &Layout{}
	for i := range 64 {
		f := Type{Kind: Struct, Struct: i - 1}
		if i == 0 {
			f = num
		}
		doubling.Structs = append(doubling.Structs, []Field{{Name: "A", Type: f}, {Name: "B", Type: f}})
	}
	for _, tt := range []struct {
		name string
		l    *Layout
	}{
		{"no kind", one(Type{})},
		{"unknown kind", one(Type{Kind: JSON + 1})},
		{"no bits", one(Type{Kind: Int})},
		{"odd bits", one(Type{Kind: Uint, Bits: 7})},
		{"odd float", one(Type{Kind: Float, Bits: 16})},
		{"bits of a string", one(Type{Kind: String, Bits: 8})},
		{"length of a slice", one(Type{Kind: Slice, Elem: &num, Len: 1})},
		{"huge length", one(Type{Kind: ByteArray, Len: maxZeroSize})},
		{"huge array", one(Type{Kind: Array, Len: 1 << 20, Elem: &Type{Kind: Array, Len: 1 << 20, Elem: &num}})},
		{"no element", one(Type{Kind: Pointer})},
		{"element of a string", one(Type{Kind: String, Elem: &num})},
		{"no key", one(Type{Kind: Map, Elem: &num})},
		{"key of a slice", one(Type{Kind: Slice, Elem: &num, Key: &num})},
		{"key that is none", one(Type{Kind: Map, Elem: &num, Key: &Type{Kind: Bytes}})},
		{"pointer to pointer", one(Type{Kind: Pointer, Elem: &Type{Kind: Pointer, Elem: &num}})},
		{"element that is none", one(Type{Kind: Slice, Elem: &Type{}})},
		{"missing struct", one(Type{Kind: Struct})},
		{"struct of a number", &Layout{Fields: []Field{{Type: Type{Kind: Int, Bits: 8, Struct: 1}}}, Structs: [][]Field{{}, {}}}},
		{"struct in itself", self(Type{Kind: Struct})},
		{"struct in its array", self(Type{Kind: Array, Len: 0, Elem: &Type{Kind: Struct}})},
		{"too deep", one(deep)},
		{"too large", doubling},
		{"two names", &Layout{Fields: []Field{{Name: "F", Type: num}, {Name: "F", Type: num}}}},
		{"two ids", &Layout{Fields: []Field{{Name: "F", ID: 1, Type: num}, {Name: "G", ID: 1, Type: num}}}},
	} {
		if _, _, err := ConsumeLayout(AppendLayout(nil, tt.l)); !errors.Is(err, ErrCorrupt) || !strings.HasPrefix(err.Error(), "codec: layout: ") {
			t.Errorf("%s: ConsumeLayout = %v, want ErrCorrupt", tt.name, err)
		}
		if _, err := CompileConverter(tt.l, &Layout{}); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: CompileConverter = %v, want ErrCorrupt", tt.name, err)
		}
	}
	if err := self(Type{Kind: Slice, Elem: &Type{Kind: Struct}}).check(); err != nil {
		t.Errorf("a struct in its slice: %v", err)
	}
	b := AppendLayout(nil, withIDs(mustDescribe(t, customer{}), 1))
	for n := range b {
		if _, rest, err := ConsumeLayout(b[:n]); !errors.Is(err, ErrCorrupt) || len(rest) != n {
			t.Fatalf("ConsumeLayout of %d of %d bytes leaves %x, %v, want ErrCorrupt", n, len(b), rest, err)
		}
	}
}

func TestLayoutEqual(t *testing.T) {
	l := withIDs(mustDescribe(t, customer{}), 1)
	for _, change := range []func(m *Layout){
		func(m *Layout) { m.Fields[0].Name = "Other" },
		func(m *Layout) { m.Fields[0].ID = 99 },
		func(m *Layout) { m.Fields[0].Type.Bits = 32 },
		func(m *Layout) { m.Fields = m.Fields[1:] },
		func(m *Layout) { m.Structs[0][0].ID = 99 },
		func(m *Layout) { m.Fields[2].Type.Elem.Struct = 1 },
		func(m *Layout) { m.Fields[2].Type.Elem = nil },
		func(m *Layout) { m.Structs = m.Structs[:1] },
	} {
		m := withIDs(mustDescribe(t, customer{}), 1)
		if !l.Equal(m) {
			t.Fatal("a layout is not equal to itself")
		}
		if change(m); l.Equal(m) || m.Equal(l) {
			t.Errorf("a changed layout is equal: %v", m)
		}
	}
}

func TestWidensTo(t *testing.T) {
	num := map[string]Type{
		"int8": {Kind: Int, Bits: 8}, "int16": {Kind: Int, Bits: 16}, "int64": {Kind: Int, Bits: 64},
		"uint8": {Kind: Uint, Bits: 8}, "uint64": {Kind: Uint, Bits: 64},
		"float32": {Kind: Float, Bits: 32}, "float64": {Kind: Float, Bits: 64},
		"duration": {Kind: Duration}, "string": {Kind: String},
	}
	want := map[string]string{
		"int8": "duration int16 int64", "int16": "duration int64", "int64": "duration", "duration": "int64",
		"uint8": "int16 int64 uint64", "float32": "float64",
	}
	for from, t1 := range num {
		for to, t2 := range num {
			if got, want := t1.WidensTo(&t2), strings.Contains(" "+want[from]+" ", " "+to+" "); got != want {
				t.Errorf("%s widens to %s: %v, want %v", from, to, got, want)
			}
		}
	}
}

func TestTypeString(t *testing.T) {
	for _, tt := range []struct {
		t    Type
		want string
	}{
		{Type{}, "invalid"}, {Type{Kind: OwnText + 1}, "kind 23"}, {Type{Kind: Slice}, "[]?"}, {Type{Kind: Bytes}, "[]byte"},
	} {
		if got := tt.t.String(); got != tt.want {
			t.Errorf("String = %q, want %q", got, tt.want)
		}
	}
}
