package codec

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/kivisdb/kivis/internal/msgpack"
	"github.com/kivisdb/kivis/reflectx"
)

// A plain has no type that decodes itself: all its errors are ErrCorrupt.
type plain struct {
	I int8
	U uint16
	F float32
	S string
	B []byte
	A [2]byte
	P *inner
	L []inner
	M map[string]int
	N map[int16]*string
	T tree
	X any
}

func addBodies(f *testing.F, e *Encoder, t reflect.Type) {
	for seed := range uint64(10) {
		v := reflect.New(t)
		fillAny(source{newRand(seed)}, v.Elem(), 3)
		body, _, err := e.Encode(nil, reflectx.Of(v), nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
}

// FuzzDecode decodes any bytes: what is accepted comes back the same when it is
// encoded and decoded again, and the other readers of a body accept it too.
func FuzzDecode(f *testing.F) {
	typ := reflect.TypeFor[plain]()
	e, d := mustCodec(f, typ)
	l := mustDescribe(f, plain{})
	addBodies(f, e, typ)
	f.Fuzz(func(t *testing.T, body []byte) {
		offs, splitErr := Split(body, typ.NumField(), nil)
		v := new(plain)
		if err := d.Decode(body, reflectx.To(v)); err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("Decode = %v, want ErrCorrupt", err)
			}
			return
		}
		if splitErr != nil {
			t.Fatalf("Decode accepts what Split does not: %v", splitErr)
		}
		Digest(body, offs, l, 0)
		canonical, _, err := e.Encode(nil, reflectx.To(v), nil)
		if err != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
		w := new(plain)
		if err := d.Decode(canonical, reflectx.To(w)); err != nil {
			t.Fatalf("what was encoded cannot be decoded: %v", err)
		}
		if again, _, err := e.Encode(nil, reflectx.To(w), nil); err != nil || !bytes.Equal(again, canonical) {
			t.Fatalf("encoded as %x and then %x, %v", canonical, again, err)
		}
	})
}

// FuzzDecodeEverything decodes any bytes as types that decode themselves too.
func FuzzDecodeEverything(f *testing.F) {
	typ := reflect.TypeFor[everything]()
	e, d := mustCodec(f, typ)
	addBodies(f, e, typ)
	f.Fuzz(func(t *testing.T, body []byte) {
		v := new(everything)
		if err := d.Decode(body, reflectx.To(v)); err != nil {
			return
		}
		if _, _, err := e.Encode(nil, reflectx.To(v), nil); err != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
	})
}

// FuzzConvert converts any bytes, and decodes what comes out.
func FuzzConvert(f *testing.F) {
	type old struct {
		A oldTree
		F float32
		M map[float32]oldPoint
		X any
	}
	type current struct {
		New color
		M   map[float64]newPoint
		A   newTree
		F   float64
		X   any
	}
	e, _ := mustCodec(f, reflect.TypeFor[old]())
	stored := withIDs(mustDescribe(f, old{}), 1)
	now := pairIDs(stored, mustDescribe(f, current{}))
	c, err := CompileConverter(stored, now)
	if err != nil {
		f.Fatal(err)
	}
	d, err := CompileDecoder(reflect.TypeFor[current](), now, now, storedFields)
	if err != nil {
		f.Fatal(err)
	}
	addBodies(f, e, reflect.TypeFor[old]())
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := c.Convert(nil, body)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("Convert = %v, want ErrCorrupt", err)
			}
			return
		}
		if _, err := Split(got, 5, nil); err != nil {
			t.Fatalf("Split of a converted body: %v", err)
		}
		if err := d.Decode(got, reflectx.To(new(current))); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("Decode of a converted body = %v, want ErrCorrupt", err)
		}
	})
}

// FuzzConsumeLayout reads any bytes: a layout that is accepted can be used.
func FuzzConsumeLayout(f *testing.F) {
	for _, v := range []any{everything{}, customer{}, tree{}, benchUser{}} {
		f.Add(AppendLayout(nil, withIDs(mustDescribe(f, v), 1)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, rest, err := ConsumeLayout(b)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) || len(rest) != len(b) {
				t.Fatalf("ConsumeLayout leaves %d of %d bytes, %v", len(rest), len(b), err)
			}
			return
		}
		again, _, err := ConsumeLayout(AppendLayout(nil, l))
		if err != nil || !again.Equal(l) {
			t.Fatalf("%v comes back as %v, %v", l, again, err)
		}
		for i := range l.Fields {
			if _, err := KeyTypeFor(l.Fields[i].Type, l); err == nil && l.Fields[i].Type.Kind == Map {
				t.Fatalf("a map has an order: %v", l)
			}
		}
		// The least value of a type may be large, so zeros are only of those
		// that are short when written.
		var zero []byte
		for i := range l.Fields {
			if zero = AppendZero(zero, l.Fields[i].Type, l); len(zero) > 1<<20 {
				return
			}
		}
		c, err := CompileConverter(l, l)
		if err != nil {
			t.Fatalf("CompileConverter = %v", err)
		}
		if got, err := c.Convert(nil, zero); err != nil || !bytes.Equal(got, zero) {
			t.Fatalf("Convert of zeros = %x, %v, want %x", got, err, zero)
		}
	})
}

func FuzzConsumeKeyType(f *testing.F) {
	f.Add(AppendKeyType(nil, KeyType{Kind: Struct, Parts: []KeyType{{Kind: String, Fold: true, Ptr: true}, {Kind: ByteArray, Len: 16, Desc: true}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, _, err := ConsumeKeyType(b)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("ConsumeKeyType = %v, want ErrCorrupt", err)
			}
			return
		}
		if again, _, err := ConsumeKeyType(AppendKeyType(nil, k)); err != nil || !again.Equal(k) {
			t.Fatalf("%v comes back as %v, %v", k, again, err)
		}
	})
}

// FuzzRead gives any bytes to what reads values without a layout.
func FuzzRead(f *testing.F) {
	f.Add([]byte{0x93, 1, 0xc0, 0x81, 1, 2}, uint8(1))
	f.Add(Seal(append(AppendHeader(nil, 300), 1, 2), 0, 7, []byte("key")), uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, n uint8) {
		_, err := Split(b, int(n), nil)
		_, firstErr := SplitFirst(b, int(n), nil)
		if firstErr != nil && err == nil {
			t.Fatalf("Split succeeds, SplitFirst = %v", firstErr)
		}
		got, selectErr := Select(b, []int{int(n & 3), int(n >> 6)})
		if selectErr == nil {
			if rest, err := msgpack.Skip(got); err != nil || len(rest) > 0 {
				t.Fatalf("Select gives %x, which is not one value", got)
			}
		}
		elemErr := Elements(b, func(elem []byte) error {
			if rest, err := msgpack.Skip(elem); err != nil || len(rest) > 0 {
				t.Fatalf("Elements gives %x, which is not one value", elem)
			}
			return nil
		})
		_, _, openErr := Open(b, 7, []byte("key"))
		for _, err := range []error{err, firstErr, selectErr, elemErr, openErr} {
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Fatalf("got %v, want ErrCorrupt", err)
			}
		}
	})
}
