package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/kivisdb/kivis/reflectx"
)

// A locale is stored field by field, and orders by its last field first.
type locale struct {
	Name string
	Near *locale
	Tags []string
	Rank uint16
}

func (p locale) AppendKey(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, ^p.Rank)
	dst = append(append(dst, p.Name...), 0)
	if p.Near != nil {
		dst = p.Near.AppendKey(dst)
	}
	return dst
}

func (p *locale) ParseKey(b []byte) error {
	end := bytes.IndexByte(b[min(2, len(b)):], 0)
	if end < 0 {
		return errors.New("cut off")
	}
	p.Rank, p.Name = ^binary.BigEndian.Uint16(b), string(b[2:2+end])
	if rest := b[3+end:]; len(rest) > 0 {
		p.Near = new(locale)
		return p.Near.ParseKey(rest)
	}
	return nil
}

type localeRecord struct {
	Before int
	At     locale
	Ptr    *locale
	In     struct{ At locale }
}

// TestShape makes parts of structs that have an order of their own, from Go and from
// what is stored.
func TestShape(t *testing.T) {
	typ := reflect.TypeFor[localeRecord]()
	layout, err := Describe(typ, storedFields)
	if err != nil {
		t.Fatal(err)
	}
	encoder, err := CompileEncoder(typ, layout, storedFields)
	if err != nil {
		t.Fatal(err)
	}
	k, err := KeyTypeOf(reflect.TypeFor[locale](), storedFields)
	if err != nil || k.Kind != Own || k.String() != "codec.locale" || k.Name != "github.com/kivisdb/kivis/codec.locale#cd1c18550ddb1d13" {
		t.Fatalf("KeyTypeOf = %v of %s, %v", k, k.Name, err)
	}
	if in, err := KeyTypeOf(layoutField[localeRecord](3), storedFields); err != nil || !in.HasOwn() || !in.Fits(&layout.Fields[3].Type, layout) {
		t.Errorf("within a struct: %v, %v", in, err)
	}
	if again, err := KeyTypeOf(reflect.TypeFor[locale](), storedFields); err != nil || !again.Equal(k) {
		t.Errorf("KeyTypeOf again = %+v, %v", again, err)
	}
	plan, err := CompileKey(reflect.TypeFor[locale](), storedFields, k)
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 500 {
		rec := localeRecord{At: locale{Name: string(rune('a' + rng.IntN(3))), Rank: uint16(rng.IntN(3)), Tags: []string{"x"}}}
		if rng.IntN(2) == 0 {
			rec.At.Near = &locale{Name: "n", Near: &locale{Rank: 9}}
		}
		body, offs, err := encoder.Encode(nil, reflectx.To(&rec), nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := plan.Append(nil, reflectx.To(&rec.At))
		if err != nil {
			t.Fatal(err)
		}
		got, err := k.Transcode(nil, body[offs[1]:offs[2]])
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("seed %d: Transcode(%+v) = %x, %v; want %x", seed, rec.At, got, err, want)
		}
		var back locale
		rec.At.Tags = nil // of which the order knows nothing
		if rest, err := plan.Decode(want, reflectx.To(&back)); err != nil || len(rest) > 0 || !reflect.DeepEqual(back, rec.At) {
			t.Fatalf("seed %d: %x is %+v, %v; want %+v", seed, want, back, err, rec.At)
		}
	}
	for _, bad := range []string{"", "91", "01", "94a161c0c0", "94a161c0c001ff"} {
		if part, err := k.Transcode([]byte("x"), unhex(t, bad)); !errors.Is(err, ErrCorrupt) || string(part) != "x" {
			t.Errorf("Transcode(%s) = %x, %v; want ErrCorrupt", bad, part, err)
		}
	}
}

// layoutField returns the Go type of a field.
func layoutField[R any](i int) reflect.Type { return reflect.TypeFor[R]().Field(i).Type }

// TestShapeTells has forms that are of other fields, and of none.
func TestShapeTells(t *testing.T) {
	k, err := KeyTypeOf(reflect.TypeFor[locale](), storedFields)
	if err != nil {
		t.Fatal(err)
	}
	layout := func() *Layout {
		layout, err := Describe(reflect.TypeFor[localeRecord](), storedFields)
		if err != nil {
			t.Fatal(err)
		}
		return layout
	}
	l := layout()
	if !k.Fits(&l.Fields[1].Type, l) || !k.Fits(&l.Fields[2].Type, l) {
		t.Error("the type does not fit itself")
	}
	for name, change := range map[string]func(l *Layout){
		"another name":  func(l *Layout) { l.Structs[0][0].Name = "Title" },
		"another order": func(l *Layout) { l.Structs[0][0], l.Structs[0][3] = l.Structs[0][3], l.Structs[0][0] },
		"another width": func(l *Layout) { l.Structs[0][3].Type.Bits = 32 },
		"one more":      func(l *Layout) { l.Structs[0] = append(l.Structs[0], Field{Name: "X", Type: Type{Kind: Bool}}) },
		"other lists":   func(l *Layout) { l.Structs[0][2].Type = Type{Kind: Array, Len: 2, Elem: &Type{Kind: String}} },
		"no struct":     func(l *Layout) { l.Fields[1].Type = Type{Kind: String} },
	} {
		l := layout()
		if change(l); k.Fits(&l.Fields[1].Type, l) {
			t.Errorf("%s: it fits", name)
		}
	}
	other := k
	other.Name = "github.com/kivisdb/kivis/codec.locale#0123456789abcdef"
	if k.Compatible(other) {
		t.Error("types of other fields are compatible")
	}
	if _, err := other.Transcode(nil, []byte{0x90}); !errors.Is(err, ErrUnknownOrder) || !strings.Contains(err.Error(), "or not with the fields that are stored: github.com/kivisdb/kivis/codec.locale") {
		t.Errorf("Transcode of other fields: %v", err)
	}
}
