package codec

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/kivisdb/kivis/reflectx"
)

// checkRefused checks that nothing accepts src as a part of p's type.
func checkRefused(t *testing.T, p *KeyPlan, src []byte) {
	t.Helper()
	k := p.KeyType()
	if _, err := p.Decode(src, reflectx.Of(reflect.New(p.typ))); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Decode(%x) as %v = %v, want ErrCorrupt", src, k, err)
	}
	if _, err := k.Skip(src); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Skip(%x) as %v = %v, want ErrCorrupt", src, k, err)
	}
	if got, err := k.AppendExact([]byte("x"), src); !errors.Is(err, ErrCorrupt) || string(got) != "x" {
		t.Errorf("AppendExact(%x) as %v = %q, %v, want ErrCorrupt", src, k, got, err)
	}
	if text, _, err := k.Format(src); !errors.Is(err, ErrCorrupt) || text != "" {
		t.Errorf("Format(%x) as %v = %q, %v, want ErrCorrupt", src, k, text, err)
	}
}

// fuzzTypes are the types that the fuzz targets choose from.
var fuzzTypes = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[int64](), reflect.TypeFor[uint64](), reflect.TypeFor[small](), reflect.TypeFor[uint16](),
	reflect.TypeFor[float64](), reflect.TypeFor[ratio](), reflect.TypeFor[string](), reflect.TypeFor[blob](), reflect.TypeFor[id16](),
	reflect.TypeFor[time.Time](), reflect.TypeFor[time.Duration](), reflect.TypeFor[*string](), reflect.TypeFor[*int8](),
	reflect.TypeFor[struct {
		A string
		B *time.Time
		C struct{ D, E int }
	}](),
	reflect.TypeFor[everyKey](),
}

// fuzzKey returns one of fuzzTypes as a key, by a number.
func fuzzKey(t testing.TB, n uint16) (reflect.Type, KeyType) {
	typ := fuzzTypes[int(n>>4)%len(fuzzTypes)]
	k := mustKeyType(t, typ)
	k.Desc = n&1 != 0
	for i := range k.Parts {
		k.Parts[i].Desc = n&2 != 0 && i%2 == 0
	}
	return typ, k
}

// FuzzKeyDecode decodes any bytes: what is accepted is what encoding makes of
// the value, to the bit.
func FuzzKeyDecode(f *testing.F) {
	for n := range uint16(len(fuzzTypes) << 4) {
		typ, k := fuzzKey(f, n)
		part := k.AppendZero(nil)
		f.Add(n, part)
		p := mustPlan(f, typ, k)
		v := reflect.New(typ).Elem()
		s := source{newRand(uint64(n))}
		s.fill(v)
		f.Add(n, mustAppend(f, p, v))
	}
	f.Fuzz(func(t *testing.T, n uint16, src []byte) {
		typ, k := fuzzKey(t, n)
		p := mustPlan(t, typ, k)
		rest, skipErr := k.Skip(src)
		v := reflect.New(typ)
		decoded, err := p.Decode(src, reflectx.Of(v))
		if err != nil {
			if !errors.Is(err, ErrCorrupt) || skipErr == nil && !errors.Is(err, errKeyRange) {
				t.Fatalf("Decode(%x) as %v = %v, Skip %v", src, k, err, skipErr)
			}
			return
		}
		if skipErr != nil || len(decoded) != len(rest) {
			t.Fatalf("Decode(%x) as %v leaves %x, Skip %x, %v", src, k, decoded, rest, skipErr)
		}
		again := mustAppend(t, p, v.Elem())
		if part := src[:len(src)-len(rest)]; !bytes.Equal(again, part) {
			t.Fatalf("%x as %v is %v, whose part is %x", part, k, v.Elem(), again)
		}
		if _, formatted, err := k.Format(src); err != nil || len(formatted) != len(rest) {
			t.Fatalf("Format(%x) as %v leaves %x, %v, want %x", src, k, formatted, err, rest)
		}
	})
}

// FuzzTranscode transcodes any bytes: what comes out is a part.
func FuzzTranscode(f *testing.F) {
	for n := range uint16(len(fuzzTypes) << 4) {
		typ, _ := fuzzKey(f, n)
		v := reflect.New(typ).Elem()
		f.Add(n, encodeWith(f, v.Interface(), true))
		s := source{newRand(uint64(n))}
		s.fill(v)
		f.Add(n, encodeWith(f, v.Interface(), n%2 == 0))
	}
	f.Fuzz(func(t *testing.T, n uint16, value []byte) {
		_, k := fuzzKey(t, n)
		part, err := k.Transcode(nil, value)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("Transcode(%x) as %v = %v", value, k, err)
			}
			return
		}
		if rest, err := k.Skip(part); err != nil || len(rest) > 0 {
			t.Fatalf("Transcode(%x) as %v = %x, of which Skip leaves %x, %v", value, k, part, rest, err)
		}
	})
}

// FuzzAppendLiteral adapts any bytes: what comes out is a part, and only parts
// are taken.
func FuzzAppendLiteral(f *testing.F) {
	for n := range uint16(len(fuzzTypes) << 4) {
		_, k := fuzzKey(f, n)
		base := k.Base()
		f.Add(n, base.AppendZero(nil))
	}
	f.Fuzz(func(t *testing.T, n uint16, exact []byte) {
		_, k := fuzzKey(t, n)
		k.Fold = k.Kind == String && n&4 != 0
		part, err := k.AppendLiteral(nil, exact)
		base := k.Base()
		rest, skipErr := base.Skip(exact)
		if (err == nil) != (skipErr == nil && len(rest) == 0) {
			t.Fatalf("AppendLiteral(%x) as %v = %v, Skip %x, %v", exact, k, err, rest, skipErr)
		}
		if err != nil {
			return
		}
		if rest, err := k.Skip(part); err != nil || len(rest) > 0 {
			t.Fatalf("AppendLiteral(%x) as %v = %x, of which Skip leaves %x, %v", exact, k, part, rest, err)
		}
		if back, err := k.AppendExact(nil, part); !k.Fold && (err != nil || !bytes.Equal(back, exact)) {
			t.Fatalf("AppendExact(%x) as %v = %x, %v, want %x", part, k, back, err, exact)
		}
	})
}
